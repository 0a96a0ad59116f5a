/**
 * The template: who may ask it, what it loads, and what becomes of its children when it, or their
 * parent, dies.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import {
  closeDescriptor,
  connectSocket,
  Family,
  pollDescriptor,
  Ready,
  receiveDescriptors,
  sendDescriptors,
  socketPair,
} from '../../../dist/native/index.js';
import { forkserver } from '../../../dist/process/forkserver/index.js';
import { ownBlocks } from '../../support/blocks.js';
import { startFixture } from '../../support/fixture-process.js';
import { fork } from '../../support/forks.js';
import { alive } from '../../support/processes.js';
import { until } from '../../support/until.js';

afterEach(async () => {
  forkserver.setForkserverPreload([]);
  await forkserver.stop();
});

/** Whether a link of /proc/…/fd is one to a socket. It may have been closed meanwhile. */
function isSocket(link: string): boolean {
  try {
    return readlinkSync(link).startsWith('socket:');
  } catch {
    return false;
  }
}

/** Reads until the other side closes. */
function readAll(socket: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (;;) {
    if (pollDescriptor(socket, Ready.readable, 20_000) === 0) throw new Error('nothing came');
    const received = receiveDescriptors(socket, 4);
    if (received === null) continue;
    if (received.payload.length === 0) return Buffer.concat(parts);
    parts.push(received.payload);
  }
}

describe('the control socket', () => {
  it('_TestProcess.test_forkserver_auth_is_enabled: has a random key of more than 15 bytes, and accepts it', async () => {
    expect(forkserver.authkey.length).toBeGreaterThan(15);
    expect((await fork('nothing').end()).code).toBe(0);
  });

  it('_TestProcess.test_forkserver_without_auth_fails: refuses the wrong key, and goes on with the right one', async () => {
    expect((await fork('nothing').end()).code).toBe(0);
    const right = forkserver.authkey;
    const template = forkserver.pid;
    forkserver.authkey = new Uint8Array(32);
    const child = fork('nothing');
    await expect(child.popen.started).rejects.toMatchObject({ code: 'MP_AUTHENTICATION' });
    await expect(child.popen.wait()).rejects.toMatchObject({ code: 'MP_AUTHENTICATION' });
    child.said();
    child.popen.close();
    forkserver.authkey = right;
    expect((await fork('nothing').end()).code).toBe(0);
    expect(forkserver.pid).toBe(template);
  });

  it('is connected ahead for the next child, and again when that connection broke', async () => {
    expect((await fork('nothing').end()).code).toBe(0);
    const template = forkserver.pid!;
    /**
     * Sockets that the template has beside the one that it listens with and its standby child's.
     */
    const sockets = () =>
      readdirSync(`/proc/${template}/fd`).filter((fd) => Number(fd) > 2 && isSocket(`/proc/${template}/fd/${fd}`))
        .length - 2;
    await until(() => sockets() === 1, 'a connection for the next child');
    const one = fork('stay');
    await one.popen.started;
    await until(() => sockets() === 2, 'another one');
    one.popen.kill();
    await one.end();
    process.kill(template, 'SIGKILL');
    expect((await fork('nothing').end()).code).toBe(0);
    expect(forkserver.pid).not.toBe(template);
  });

  it.each([
    ['says nothing and leaves', 0],
    ['says too little and leaves', 10],
    ['answers wrongly', 72],
    ['sends a request without an answer', 5_000],
  ])('throws out who %s', async (_title, bytes) => {
    expect((await fork('nothing').end()).code).toBe(0);
    const stranger = connectSocket({ family: Family.AF_UNIX, host: `\0${forkserver.address}`, port: 0 }).fd;
    try {
      if (bytes > 0) sendDescriptors(stranger, [], new Uint8Array(bytes).fill(7));
      if (bytes >= 72) {
        // Its challenge, a verdict of zeros, and nothing more.
        const heard = readUntil(stranger, 32 + 41);
        expect(heard.subarray(32).every((byte) => byte === 0)).toBe(true);
      }
      expect((await fork('nothing').end()).code).toBe(0);
    } finally {
      closeDescriptor(stranger);
    }
    expect((await fork('nothing').end()).code).toBe(0);
  });

  it('closes descriptors that a peer without the key sends', async () => {
    expect((await fork('nothing').end()).code).toBe(0);
    const stranger = connectSocket({ family: Family.AF_UNIX, host: `\0${forkserver.address}`, port: 0 }).fd;
    const [mine, theirs] = socketPair();
    sendDescriptors(stranger, [theirs], new Uint8Array(72));
    closeDescriptor(theirs);
    readUntil(stranger, 32 + 41);
    closeDescriptor(stranger);
    expect(readAll(mine)).toEqual(Buffer.alloc(0)); // its end is closed everywhere
    closeDescriptor(mine);
  });
});

/** Reads so many bytes. */
function readUntil(socket: number, length: number): Uint8Array {
  let heard = Buffer.alloc(0);
  while (heard.length < length) {
    if (pollDescriptor(socket, Ready.readable, 20_000) === 0) throw new Error(`only ${heard.length} bytes came`);
    const received = receiveDescriptors(socket, 4);
    if (received !== null) heard = Buffer.concat([heard, received.payload]);
    if (received?.payload.length === 0) break;
  }
  return heard;
}

describe('preloading', () => {
  const PRELOADED = new URL('../../fixtures/forkserver/preloaded.mjs', import.meta.url).href;

  it('loads a module once, for all children, with a lock that works in each', async () => {
    forkserver.setForkserverPreload([PRELOADED]);
    const first = (await fork('preloaded').end()).said;
    const second = (await fork('preloaded').end()).said;
    expect(first).toMatchObject({ loads: 1, argv: process.argv.slice(2), pid: forkserver.pid });
    expect(second).toEqual(first);
    const locked = await Promise.all([1, 2, 3].map(() => fork('locked').end()));
    expect(locked.map(({ said }) => said)).toEqual([{ locked: true }, { locked: true }, { locked: true }]);
  });

  it('finds modules from the working directory, and ignores what it cannot load', async () => {
    forkserver.setForkserverPreload([
      './test/fixtures/forkserver/preloaded.mjs',
      './nowhere.mjs',
      'no-such-package',
      'data:text/javascript,throw 1',
    ]);
    expect((await fork('preloaded').end()).said).toMatchObject({ loads: 1 });
  });

  it('replaces a template that has other modules', async () => {
    expect((await fork('preloaded').end()).said).toMatchObject({ loads: 0 });
    const before = forkserver.pid!;
    forkserver.setForkserverPreload([PRELOADED]);
    expect((await fork('preloaded').end()).said).toMatchObject({ loads: 1 });
    expect(forkserver.pid).not.toBe(before);
    await until(() => !alive(before), 'the end of the old template');
  });

  it('refuses names that are no strings', () => {
    expect(() => forkserver.setForkserverPreload(['a', 1 as never])).toThrow(
      expect.objectContaining({ code: 'MP_INVALID_ARGUMENT' }),
    );
    expect(() => forkserver.setForkserverPreload('a' as never)).toThrow(
      expect.objectContaining({ code: 'MP_INVALID_ARGUMENT' }),
    );
  });

  it("gives each child its own watched descriptors, and none of the others'", async () => {
    forkserver.setForkserverPreload([new URL('../../fixtures/forkserver/watching.mjs', import.meta.url).href]);
    const full = fork('watchesFull');
    await full.popen.started;
    expect(full.said()).toBe('told');
    expect(await fork('watchesEmpty').end()).toEqual({ said: [], code: 0 });
    full.popen.kill();
    await full.popen.wait();
    full.popen.close();
  });

  it('prints once what a module prints while it is preloaded (_TestSpawnedSysPath.test_std_streams_flushed_after_preload)', async () => {
    const parent = startFixture('forkserver/parent.mjs', { args: [3, 'nothing', PRELOADED] });
    expect(await parent.line()).toBe('printed while preloading');
    expect(JSON.parse((await parent.line())!).children).toHaveLength(3);
    parent.child.kill('SIGKILL');
    expect(await parent.line()).toBe(null);
  });

  it.each([
    ['one', 'two'],
    ['x'.repeat(125_000), 'y'.repeat(125_000)],
  ])(
    'MiscTestCase.test_preload_main, test_preload_main_sys_argv, test_preload_main_large_sys_argv: loads the main module once, with the arguments of the program',
    async (...args) => {
      const main = startFixture('forkserver/main.mjs', { args });
      const said = JSON.parse((await main.line())!);
      expect(said).toMatchObject({ loads: 1, argv: args.map((word) => (word.length > 1_000 ? word.length : word)) });
      expect(said.pid).not.toBe(main.child.pid);
      expect(await main.ended).toBe(0);
    },
  );
});

describe('when the template', () => {
  it('is interrupted, it goes on (_TestProcess.test_forkserver_sigint)', async () => {
    const child = fork('delay');
    await child.popen.started;
    const template = forkserver.pid!;
    process.kill(template, 'SIGINT');
    expect((await fork('nothing').end()).code).toBe(0);
    expect(forkserver.pid).toBe(template);
    expect((await child.end()).code).toBe(0);
  });

  it('is killed, running children go on with their status lost, and new ones start (_TestProcess.test_forkserver_sigkill)', async () => {
    const child = fork('delay');
    await child.popen.started;
    const pid = child.popen.pid!;
    const template = forkserver.pid!;
    process.kill(template, 'SIGKILL');
    expect((await fork('nothing').end()).code).toBe(0);
    expect(forkserver.pid).not.toBe(template);
    expect((await child.end()).code).toBe(255);
    expect(alive(pid)).toBe(false);
  });

  it('is killed, a child can still be ended', async () => {
    const child = fork('spin');
    await child.popen.started;
    process.kill(forkserver.pid!, 'SIGKILL');
    child.popen.kill();
    expect((await child.end()).code).toBe(255);
  });

  it('is killed at random, every start either runs or fails, and no child runs twice', async () => {
    const seed = Number(process.env['FORK_SEED'] ?? Date.now() % 100_000);
    console.log(`template kills: seed ${seed}`);
    let state = seed;
    const random = () => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return state / 2 ** 31;
    };
    /** Kills the template that has just started a child, soon: other starts are under way then. */
    const killSoon = async () => {
      const { pid } = forkserver;
      await new Promise((later) => setTimeout(later, random() * 20));
      if (pid !== null && pid === forkserver.pid && alive(pid)) process.kill(pid, 'SIGKILL');
    };
    const kills: Promise<void>[] = [];
    const outcomes = new Map<unknown, number>();
    const pids = new Set<number>();
    for (let round = 0; round < 6; round++) {
      const batch = Array.from({ length: 4 }, async () => {
        const child = fork('delay');
        try {
          await child.popen.started;
          if (random() < 0.3) kills.push(killSoon());
          const { said, code } = await child.end();
          expect(said).toBe(child.popen.pid);
          expect(pids.has(said)).toBe(false);
          pids.add(said);
          return code;
        } catch (error) {
          expect(child.said()).toBe(null); // what did not start has not run
          return (error as { code: string }).code;
        }
      });
      for (const outcome of await Promise.all(batch)) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    await Promise.all(kills);
    expect(kills.length).toBeGreaterThan(0);
    expect([...outcomes.keys()].filter((outcome) => ![0, 255, 'MP_SPAWN'].includes(outcome as never))).toEqual([]);
    expect([...outcomes.values()].reduce((a, b) => a + b)).toBe(24);
    expect(pids.size).toBeGreaterThan(0);
  }, 120_000);
});

describe('when the parent is killed', () => {
  it.each(['stay', 'spin'])(
    'twenty children (%s) and the template are gone within a second, and leave nothing',
    async (does) => {
      const shared = ownBlocks();
      const count = does === 'spin' ? 4 : 20; // they burn the machine
      const parent = startFixture('forkserver/parent.mjs', { args: [count, does] });
      const { template, children } = JSON.parse((await parent.line())!) as { template: number; children: number[] };
      expect(children.every(alive)).toBe(true);
      parent.child.kill('SIGKILL');
      await parent.ended;
      await until(() => ![template, ...children].some(alive), 'the end of all');
      expect(ownBlocks()).toEqual(shared);
    },
  );

  it('children whose template died before are gone too', async () => {
    const parent = startFixture('forkserver/parent.mjs', { args: [3, 'stay'] });
    const { template, children } = JSON.parse((await parent.line())!) as { template: number; children: number[] };
    process.kill(template, 'SIGKILL');
    await until(() => !alive(template), 'the end of the template');
    expect(children.every(alive)).toBe(true);
    parent.child.kill('SIGKILL');
    await until(() => !children.some(alive), 'the end of the children');
  });
});
