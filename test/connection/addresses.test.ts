/** Where a listener may listen, and what it says where it cannot. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Listener } from 'multiprocess';
import { afterEach, expect, it } from 'vitest';
import { until } from '../support/until.js';

const folder = mkdtempSync(join(tmpdir(), 'mp-addresses-'));
const listeners: Listener[] = [];
afterEach(() => {
  for (const listener of listeners.splice(0)) listener.close();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
});

function file(name: string): string {
  writeFileSync(join(folder, name), '');
  return join(folder, name);
}

async function listen(options: Parameters<typeof Listener.listen>[0]): Promise<Listener> {
  const listener = await Listener.listen(options);
  listeners.push(listener);
  return listener;
}

async function serves(listener: Listener, at = listener.address): Promise<void> {
  const [client, server] = await Promise.all([Client(at), listener.accept()]);
  await client.send('hello');
  expect(await server.recv()).toBe('hello');
  client.close();
  server.close();
}

const failure = async (promise: Promise<unknown>) =>
  promise.then(
    () => ({ code: '', message: 'no error', errno: 0 }),
    (error: unknown) => error as { code: string; message: string; errno?: number },
  );

it('an empty host is all interfaces for a listener, as in Python, and this machine for a client', async () => {
  const listener = await listen({ address: { host: '', port: 0 } });
  const { port } = listener.address as { port: number };
  expect(listener.address).toEqual({ host: '0.0.0.0', port });
  await serves(listener, { host: '127.0.0.1', port });
  await serves(listener, { host: '', port });
  for (const each of Object.values(networkInterfaces()).flat())
    if (each?.family === 'IPv4') await serves(listener, { host: each.address, port });
});

it.runIf(existsSync('/proc/net/if_inet6'))('an empty host of family AF_INET6 is all interfaces too', async () => {
  const listener = await listen({ address: { host: '', port: 0 }, family: 'AF_INET6' });
  expect((listener.address as { host: string }).host).toBe('::');
  await serves(listener, { host: '::1', port: (listener.address as { port: number }).port });
});

it('a listener has a relative path or an abstract name as its address', async () => {
  const relative = `mp-relative-${process.pid}`;
  const listener = await listen({ address: relative });
  await serves(listener);
  listener.close();
  expect(existsSync(relative)).toBe(false);
  await serves(await listen({ address: `\0mp-abstract-${process.pid}` }));
});

it.each<[string, () => unknown, RegExp]>([
  [
    'a missing directory',
    () => join(folder, 'no', 'such', 's'),
    /directory ".*no\/such" does not exist; make it first/,
  ],
  ['a file for a directory', () => join(file('f'), 's'), /".*\/f" is not a directory/],
  ['a file that is there', () => file('s'), /there is a file already/],
  [
    'an address of another machine',
    () => ({ host: '192.0.2.1', port: 0 }),
    /not this machine's; choose one of its own, or '' for all interfaces/,
  ],
])('%s: MP_SYSTEM, who, what and a repair', async (_, address, message) => {
  const error = await failure(Listener.listen({ address: address() as string }));
  expect(error.code).toBe('MP_SYSTEM');
  expect(error.errno).toBeLessThan(0);
  expect(error.message).toMatch(/^Listener\.listen: cannot listen at /);
  expect(error.message).toMatch(message);
});

it.each<[string, unknown, RegExp]>([
  ['a path of 108 bytes', `/${'x'.repeat(107)}`, /at most 107 bytes/],
  ['a port out of range', { host: 'localhost', port: 65_536 }, /integer of 0 to 65535/],
  ['a negative port', { host: '', port: -1 }, /integer of 0 to 65535/],
  ['an empty path', '', /must not be empty/],
])('%s is refused', async (_, address, message) => {
  for (const call of [Listener.listen({ address: address as string }), Client(address as string)]) {
    const error = await failure(call);
    expect(error.code).toBe('MP_INVALID_ARGUMENT');
    expect(error.message).toMatch(message);
  }
});

it('a socket whose listener died is told from one that is served', async () => {
  const path = join(folder, 's');
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  expect(spawnSync(process.execPath, ['-e', script]).signal).toBe('SIGKILL');
  const stale = await failure(Listener.listen({ address: path }));
  expect(stale).toMatchObject({ code: 'MP_SYSTEM', errno: -98 });
  expect(stale.message).toMatch(/was left by a listener that has ended; remove it/);
  rmSync(path);
  const listener = await listen({ address: path });
  expect((await failure(Listener.listen({ address: path }))).message).toMatch(/close the other listener/);
  await serves(listener);
});

it('close() leaves the socket file of another listener at the same path alone', async () => {
  const path = join(folder, 's');
  const first = await listen({ address: path });
  rmSync(path);
  const second = await listen({ address: path });
  first.close();
  expect(existsSync(path)).toBe(true);
  await serves(second);
  second.close();
  expect(existsSync(path)).toBe(false);
});

it('the end of the process, or of a worker thread, leaves the socket file of another listener alone', async () => {
  const path = join(folder, 's');
  const program = `
    import { rmSync } from 'node:fs';
    import { isMainThread, Worker } from 'node:worker_threads';
    import { Listener } from 'multiprocess';
    await Listener.listen({ address: ${JSON.stringify(path)} });
    rmSync(${JSON.stringify(path)});
    console.log('removed');
    await new Promise((resolve) => process.stdin.once('data', resolve));
    process.exit();`;
  const { spawn } = await import('node:child_process');
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const second = await listen({ address: path });
  child.stdin.write('go');
  await once(child, 'close');
  await serves(second);
});

it('without a usable TMPDIR the error says so', () => {
  const program = `
    import { Listener } from 'multiprocess';
    import { getTempDir } from 'multiprocess/util';
    const said = [];
    await Listener.listen().catch((error) => said.push(error));
    try { getTempDir(); } catch (error) { said.push(error); }
    console.log(JSON.stringify(said.map(({ code, errno, message }) => ({ code, errno, message }))));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, TMPDIR: '/nonexistent/tmp' },
    encoding: 'utf8',
  });
  const [listening, temporary] = JSON.parse(stdout) as { code: string; errno: number; message: string }[];
  for (const error of [listening, temporary]) {
    expect(error).toMatchObject({ code: 'MP_SYSTEM', errno: -2 });
    expect(error!.message).toContain(
      '"/nonexistent/tmp" (ENOENT); set TMPDIR to a directory that exists and is writable',
    );
  }
  expect(listening!.message).toMatch(/^Listener\.listen: .*give it an `address`/);
});

it('a stale socket file is told from one that a net.Server listens at', async () => {
  const server = net.createServer().listen(join(folder, 'n'));
  await once(server, 'listening');
  expect((await failure(Listener.listen({ address: join(folder, 'n') }))).message).toMatch(/close the other listener/);
  server.close();
  await until(() => !existsSync(join(folder, 'n')), 'its own file is removed by net');
});
