/** Children that cannot be started: what was begun is undone, and the next try works. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Pool } from 'multiprocess';
import { describe, expect, it } from 'vitest';
import { itNeeds } from '../support/needs.js';
import { program } from '../support/programs.js';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/programs/process/${name}`, import.meta.url));

/**
 * Runs a program with few descriptors; resolves with its output when it and all its children have
 * ended.
 */
function limited(descriptors: number, args: string[]): Promise<{ stdout: string; code: number | null }> {
  return new Promise((resolve) => {
    const child = spawn('sh', ['-c', `ulimit -n ${descriptors}; exec "$0" "$@"`, process.execPath, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.once('close', (code) => resolve({ stdout, code }));
  });
}

describe('without descriptors', () => {
  // The output ends only when every child has ended, since they hold it open.
  it('TestPoolNotLeakOnFailure.test_release_unused_processes: a pool that cannot start all of its workers throws, and those it started end', async () => {
    const { stdout, code } = await limited(512, [fixture('exhausted.js'), 'spawn']);
    expect(stdout).toBe('pool MP_SYSTEM\nprocess MP_SYSTEM\nprocess MP_SYSTEM\nchildren 0\nworks 1,4,9\nexit code 3\n');
    expect(code).toBe(0);
  });

  itNeeds('forks')('a fork fails at once with the reason, and works when there are enough', async () => {
    const { stdout, code } = await limited(100, [
      '--single-threaded',
      '--v8-pool-size=1',
      fixture('fork-exhausted.js'),
    ]);
    expect(stdout).toMatch(/^(MP_SYSTEM true\n){3,8}started, exit 0\n$/);
    expect(code).toBe(0);
  });

  it('a function is refused where its parser cannot be loaded, and can be sent later', async () => {
    const { stdout, code } = await limited(256, [fixture('parser-exhausted.js')]);
    expect(stdout).toBe('MP_SYSTEM true\ntrue\n');
    expect(code).toBe(0);
  });
});

describe('a large pool', () => {
  it('MiscTestCase.test_large_pool: 200 workers map 1000 squares, and end silently', { timeout: 240_000 }, async () => {
    const { stdout, stderr, code } = await program('process/large-pool.js', ['spawn']).ended;
    expect(stderr).toBe('');
    expect(stdout).toBe('true 1000\n');
    expect(code).toBe(0);
  });
});

it('a start method that is unavailable is refused with those that are available', () => {
  expect(() => new Pool({ processes: 1, context: 'fork' })).toThrow(
    /start method 'fork' cannot be used here: .*Use 'spawn'/,
  );
});
