/** A test runner that fakes timers does not stop the library. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { uses } from '../fixtures/lifetime/uses.mjs';

afterEach(() => {
  vi.useRealTimers();
});

const PROGRAM = fileURLToPath(new URL('../fixtures/lifetime/faked.mjs', import.meta.url));

describe.each(['spawn', 'thread'])('goes on (%s)', (method) => {
  it('under vi.useFakeTimers()', { timeout: 20_000 }, async () => {
    vi.useFakeTimers({
      toFake: [
        'setTimeout',
        'setInterval',
        'setImmediate',
        'clearTimeout',
        'Date',
        'performance',
        'queueMicrotask',
        'hrtime',
      ],
    });
    expect(await uses(method)).toContain('pool');
  });

  it.each([
    ['mock.timers of node:test', 'node'],
    ['timers that never fire', 'never'],
    ['timers that sinon faked before the library was loaded', 'before'],
  ])('under %s', { timeout: 20_000 }, (_, fakes) => {
    const env = { ...process.env, NODE_OPTIONS: '' };
    const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', PROGRAM, fakes, method], {
      env,
      encoding: 'utf8',
      timeout: 15_000,
      killSignal: 'SIGKILL',
    });
    expect([stdout, stderr]).toEqual([expect.stringMatching(/^done \d+\n$/), '']);
  });
});

it('no file takes nextTick from the process, which sinon fakes; biome refuses the others', () => {
  const source = fileURLToPath(new URL('../../src/', import.meta.url));
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && file !== 'util/timers.ts',
  );
  expect(files.length).toBeGreaterThan(100);
  expect(files.filter((file) => readFileSync(source + file, 'utf8').includes('process.nextTick('))).toEqual([]);
});
