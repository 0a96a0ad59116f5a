/** Listeners and clients without the addon: names among threads, and TCP over sockets of Node. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Listener, Manager, Pipe, Process, wait } from 'multiprocess';
import type { HostAndPort } from 'multiprocess/connection';
import { getTempDir } from 'multiprocess/util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { withAddon } from '../../support/needs.js';
import { program } from '../../support/programs.js';
import { until } from '../../support/until.js';

const tcp = { host: '127.0.0.1', port: 0 };
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => (error as { code?: string }).code,
  );

/** Ends with the test. */
function closing<T extends { close(): void }>(each: T): T {
  onTestFinished(() => each.close());
  return each;
}

async function connected(options: object = {}) {
  const listener = closing(await Listener.listen({ address: tcp, ...options }));
  const [here, there] = await Promise.all([listener.accept<any>(), Client<any>(listener.address, options)]);
  return { listener, here: closing(here), there: closing(there) };
}

describe.skipIf(withAddon)('without the addon', () => {
  it('a listener that chooses its address, or is given a path, leaves files alone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'multiprocess-sockets-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const temporary = () =>
      readdirSync(tmpdir())
        .filter((name) => name.startsWith('multiprocess-'))
        .sort();
    const before = temporary();
    const path = join(folder, 'notes');
    writeFileSync(path, 'mine');
    for (const options of [{}, { address: path }]) {
      const listener = await Listener.listen(options);
      expect(temporary()).toEqual(before);
      listener.close();
    }
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });

  it('the temporary folder of a thread that is terminated goes with it', async () => {
    const [here, there] = Pipe<string>();
    const child = await new Process(
      async (connection: typeof there) => {
        await connection.send(getTempDir());
        setInterval(() => {}, 1_000);
      },
      { args: [there] },
    ).start();
    there.close();
    const path = await closing(here).recv();
    expect(existsSync(path)).toBe(true);
    child.kill();
    await child.join();
    await until(() => !existsSync(path), 'the folder is gone');
  });

  it('messages of all sizes cross TCP in both ways, and the end is told', async () => {
    const { listener, here, there } = await connected({ authkey: 'k' });
    expect((listener.lastAccepted as HostAndPort).host).toBe('127.0.0.1');
    const big = new Uint8Array(3_000_000).map((_, i) => i * 7);
    const sent = there.sendBytes(big);
    expect(Buffer.compare(await here.recvBytes(), big)).toBe(0);
    await sent;
    for (const value of [1, 2, 3]) void here.send(value);
    expect([await there.recv(), await there.recv(), await there.recv()]).toEqual([1, 2, 3]);
    expect(await there.poll({ timeout: 0 })).toBe(false);
    there.close();
    expect(await codeOf(here.recv())).toBe('MP_CONNECTION_EOF');
  });

  it('what needs a descriptor of a TCP socket is refused', async () => {
    const { listener, here } = await connected();
    expect(() => listener.fileno()).toThrow(/no descriptor/);
    expect(() => here.fileno()).toThrow(/no descriptor/);
    expect(() => here.recvSync()).toThrow(/event loop/);
    const child = new Process(() => {}, { args: [here] as never });
    expect(await codeOf(child.start())).not.toBe('none');
  });

  it('wait() hears of whoever comes to a listener, and accepts nobody', async () => {
    const listener = closing(await Listener.listen({ address: tcp }));
    expect(await wait([listener], { timeout: 0 })).toEqual([]);
    const waiting = wait([listener]);
    const there = closing(await Client(listener.address));
    expect(await waiting).toEqual([listener]);
    expect(await wait([listener])).toEqual([listener]);
    await there.send('early');
    expect(await closing(await listener.accept()).recv()).toBe('early');
  });

  it('who comes when the backlog is full is hung up on, and those before are served', async () => {
    const listener = closing(await Listener.listen({ address: tcp, backlog: 2 }));
    const { port } = listener.address as HostAndPort;
    const all = Array.from({ length: 3 }, () =>
      net
        .connect(port)
        .resume()
        .on('error', () => {}),
    );
    onTestFinished(() => void all.map((each) => each.destroy()));
    await Promise.race(all.map((each) => once(each, 'close')));
    for (let i = 0; i < 2; i++) closing(await listener.accept());
    expect(all.filter((each) => each.closed).length).toBe(1);
  });

  it('addresses that cannot be had are refused with the numbers of Linux', async () => {
    const listener = closing(await Listener.listen({ address: tcp }));
    const taken = Listener.listen({ address: listener.address });
    await expect(taken).rejects.toMatchObject({ code: 'MP_SYSTEM', errno: -98 });
    await expect(Listener.listen({ address: { host: '192.0.2.1', port: 0 } })).rejects.toMatchObject({ errno: -99 });
    const { port } = listener.address as HostAndPort;
    listener.close();
    await expect(Client({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'MP_CONNECTION_REFUSED' });
  });

  it('a call that is given up leaves no connection behind', async () => {
    const listener = closing(await Listener.listen({ address: tcp }));
    const gone = new AbortController();
    const connecting = Client(listener.address, { authkey: 'k', signal: gone.signal });
    await wait([listener]);
    gone.abort(new Error('given up'));
    await expect(connecting).rejects.toThrow('given up');
    expect(await codeOf(closing(await listener.accept()).recv())).toMatch(/^MP_CONNECTION/);
  });

  it('a process reaches the manager of another by TCP, and ends when it has nothing to do', async () => {
    const manager = await Manager({ address: tcp, authkey: 'k' });
    onTestFinished(() => manager.shutdown());
    const { port } = manager.address as HostAndPort;
    expect(await program('tcp-manager.mjs', [String(port), 'k']).ended).toMatchObject({
      stdout: '1\n',
      stderr: '',
      code: 0,
    });
  });
});
