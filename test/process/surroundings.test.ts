/** Limits, users and working directories in which children are started. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Process } from 'multiprocess';
import { describe, expect, it } from 'vitest';
import {
  closeDescriptor,
  connectSocket,
  Family,
  pollDescriptor,
  Ready,
  receiveDescriptors,
} from '../../dist/native/index.js';
import { forkserver } from '../../dist/process/forkserver/index.js';
import { itNeeds, startable } from '../support/needs.js';
import { program } from '../support/programs.js';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/programs/process/${name}`, import.meta.url));
const root = process.getuid!() === 0;
const methods = startable('spawn', 'forkserver', 'fork', 'thread');
const forkOptions = (method: string): string[] => (method === 'fork' ? ['--single-threaded', '--v8-pool-size=1'] : []);

function limited(descriptors: number, args: string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn('sh', ['-c', `ulimit -n ${descriptors}; exec "$0" "$@"`, process.execPath, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.once('close', () => resolve(stdout));
  });
}

describe('descriptors', () => {
  it.each(methods)('%s: children that have ended leave none open', { timeout: 120_000 }, async (method) => {
    const count = method === 'forkserver' || method === 'fork' ? 130 : 15;
    expect(await limited(120, [...forkOptions(method), fixture('descriptors.js'), method, String(count)])).toBe(
      `${count} 0 true\n`,
    );
  });

  itNeeds('forks').each([
    [64, 3],
    [200, 20],
    [400, 60],
    [512, 100],
    [700, 120],
  ])('a forkserver child where only %i are allowed takes %i', async (allowed, given) => {
    expect(await limited(allowed, [fixture('few-descriptors.js'), String(given)])).toBe('true 0\n');
  });
});

it.each(startable('spawn', 'forkserver'))('%s: works in a working directory that was removed', async (method) => {
  const { stdout, stderr, code } = await program('process/gone.js', [method]).ended;
  expect(stderr).toBe('');
  expect(stdout).toBe('/\n4\nENOENT\n4\n');
  expect(code).toBe(0);
});

it('thread: Node starts none in a working directory that was removed, and the error says so', async () => {
  const { stderr } = await program('process/gone.js', ['thread']).ended;
  expect(stderr).toMatch(/working directory .* was removed; call process\.chdir/);
});

describe.runIf(root)('users', () => {
  itNeeds('forks')('a process that was root starts children as who it is, and ends those it had', async () => {
    const { stdout, stderr, code } = await program('process/setuid.js').ended;
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^forkserver 0 0 /),
      'forkserver 65534 65534 65534',
      'spawn 65534 65534 65534',
      'terminated',
      'forkserver -9',
      'spawn MP_SYSTEM -1',
      'lock 1',
      'spawn 0',
      '',
    ]);
    expect(stderr).toMatch(/has changed its user while it ran .*setpriv/);
    expect(code).toBe(0);
  });

  itNeeds('forks')('the template accepts connections of its own user only', async () => {
    // It has loaded, and needs this event loop no more.
    await (await new Process(() => {}, { context: 'forkserver' }).start()).join();
    const host = `\0${forkserver.address}`;
    const ours = connectSocket({ family: Family.AF_UNIX, host, port: 0 }).fd;
    const first = (fd: number): number => {
      pollDescriptor(fd, Ready.readable, 20_000);
      return receiveDescriptors(fd, 1)!.payload.length;
    };
    try {
      expect(first(ours)).toBe(32);
    } finally {
      closeDescriptor(ours);
    }
    process.seteuid!(65534);
    const theirs = connectSocket({ family: Family.AF_UNIX, host, port: 0 }).fd;
    process.seteuid!(0);
    try {
      expect(first(theirs)).toBe(0);
    } finally {
      closeDescriptor(theirs);
      await forkserver.stop();
    }
  });
});
