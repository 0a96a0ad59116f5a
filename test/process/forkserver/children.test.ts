/** What a child of the forkserver is, can do, and how it ends. */
import { readlinkSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { forkserver } from '../../../dist/process/forkserver/index.js';
import { fork } from '../../support/forks.js';
import { alive } from '../../support/processes.js';

afterAll(() => forkserver.stop());

/** What a descriptor of the template is. */
function linkOf(fd: string): string | null {
  try {
    return readlinkSync(`/proc/${forkserver.pid}/fd/${fd}`);
  } catch {
    return null;
  }
}

describe('a forked child', () => {
  it('knows its name, pid, parent and arguments', async () => {
    const { said, code } = await fork('identity', { name: 'Someone', env: { FIXTURE_VARIABLE: 'set' } }).end();
    expect(code).toBe(0);
    expect(said).toMatchObject({
      name: 'Someone',
      method: 'forkserver',
      parentPid: process.pid,
      ppid: forkserver.pid,
      argv: process.argv,
      cwd: process.cwd(),
      variable: 'set',
      gone: false,
      title: expect.stringContaining('Someone'),
    });
    expect(said.pid).not.toBe(forkserver.pid);
    expect(said.execArgv).not.toContain('--single-threaded');
  });

  it('counts time from its own start', async () => {
    const before = Date.now();
    const { said } = await fork('identity').end();
    expect(said.origin).toBeGreaterThan(before - 50);
    expect(Math.abs(said.origin + said.now - said.date)).toBeLessThan(50);
    expect(said.uptime * 1000).toBeLessThanOrEqual(said.now + 50);
    expect(said.mark).toBeLessThan(said.now + 1_000);
    expect(said.measure).toBeGreaterThanOrEqual(said.mark);
  });

  it('has the environment and working directory that its parent has at the start', async () => {
    process.env['FIXTURE_VARIABLE'] = 'first';
    process.env['FIXTURE_GONE'] = 'there';
    expect((await fork('identity').end()).said).toMatchObject({ variable: 'first', gone: true });
    process.env['FIXTURE_VARIABLE'] = 'second';
    delete process.env['FIXTURE_GONE'];
    expect((await fork('identity').end()).said).toMatchObject({ variable: 'second', gone: false });
    delete process.env['FIXTURE_VARIABLE'];
  });

  it('draws random numbers of its own, a hundred times, also when the template has drawn some', async () => {
    const draw =
      'import crypto from "node:crypto"; for (let i = 0; i < 5; i++) { Math.random(); crypto.randomUUID(); crypto.randomInt(9); crypto.randomUUIDv7?.(); }';
    forkserver.setForkserverPreload([`data:text/javascript,${encodeURIComponent(draw)}`]);
    const children = [];
    for (let i = 0; i < 100; i += 20) {
      const batch = Array.from({ length: 20 }, () => fork('random').end());
      children.push(...(await Promise.all(batch)));
    }
    expect(children.every(({ code }) => code === 0)).toBe(true);
    for (const kind of ['math', 'uuid', 'global', 'int', 'values', 'bytes', 'seven']) {
      expect(new Set(children.map(({ said }) => String(said[kind]))).size, kind).toBe(100);
    }
  }, 60_000);

  it('has no descriptors but its own, also beside others', async () => {
    const others = [fork('stay'), fork('stay')];
    await Promise.all(others.map(({ popen }) => popen.started));
    const { said } = await fork('descriptors').end();
    // What the template had before it listened is everybody's: here it is what vitest leaks to all
    // programs it starts. /dev/null is what libuv opens with the first stream, to have one
    // descriptor in reserve; Node 26 reads the certificates of the environment in a thread.
    const beyond = Object.entries(said as Record<string, string>).filter(
      ([fd, target]) =>
        !/^anon_inode:|^pipe:|^\/dev\/null$/.test(target) &&
        target !== process.env['NODE_EXTRA_CA_CERTS'] &&
        linkOf(fd) !== target,
    );
    expect(beyond).toEqual([]);
    expect(Object.values(said).filter((target) => target === 'anon_inode:[pidfd]')).toEqual([]);
    expect(Number(Object.keys(said).at(-1))).toBe(512);
    for (const { popen } of others) popen.kill();
    expect(await Promise.all(others.map(({ end }) => end().then(({ code }) => code)))).toEqual([-9, -9]);
  });

  it('can load modules, use timers, files, sockets and threads, and start processes', async () => {
    const { said, code } = await fork('everything').end();
    expect(said).toEqual({
      timer: 1,
      file: true,
      lookup: 'string',
      fetch: 'answer',
      scrypt: 16,
      hash: 64,
      wasm: 5,
      import: true,
      thread: true,
      process: 'out',
      garbage: 400_000,
    });
    expect(code).toBe(42);
  });

  it('forks children of its own, from a template of its own', async () => {
    const { said, code } = await fork('nested').end();
    expect(code).toBe(0);
    expect(said.code).toBe(0);
    expect(said.grandchild.parentPid).toBe(said.here);
    expect(said.grandchild.ppid).toBe(said.template);
    expect(said.template).not.toBe(forkserver.pid);
  });

  it('cannot have Node options of its own', () => {
    expect(() => fork('nothing', { execArgv: ['--expose-gc'] })).toThrow(/execArgv/);
  });
});

describe('the end of a forked child', () => {
  it.each([
    ['nothing', 0, null],
    ['exit', 5, { code: 5 }],
    ['handlers', 9, { code: 0 }],
  ])('%s: exit code %i, after its exit handlers', async (does, code, said) => {
    expect(await fork(does).end()).toEqual({ said, code });
  });

  it.each(['throw', 'reject'])('%s: an error that nobody catches is printed and ends it with 1', async (does) => {
    expect((await fork(does).end()).code).toBe(1);
  });

  it('is the signal that ended it', async () => {
    const child = fork('spin');
    await child.popen.started;
    const pid = child.said();
    expect(pid).toBe(child.popen.pid);
    child.popen.terminate();
    expect((await child.end()).code).toBe(-15);
    expect(alive(pid)).toBe(false);
  });

  it('can be waited for without an event loop', async () => {
    const child = fork('delay');
    await child.popen.started;
    expect(child.popen.poll()).toBe(null);
    expect(child.popen.waitSync(0)).toBe(false);
    expect(child.popen.waitSync(20_000)).toBe(true);
    while (child.popen.poll() === null);
    expect((await child.end()).code).toBe(0);
  });

  it('is reported for two hundred children that live at once', async () => {
    const children = Array.from({ length: 200 }, () => fork('stay'));
    await Promise.all(children.map(({ popen }) => popen.started));
    expect(new Set(children.map(({ popen }) => popen.pid)).size).toBe(200);
    expect(children.every(({ popen }) => alive(popen.pid!))).toBe(true);
    for (const { popen } of children) popen.terminate();
    const ends = await Promise.all(children.map(({ end }) => end()));
    expect(ends.every(({ code }) => code === -15)).toBe(true);
  }, 120_000);
});
