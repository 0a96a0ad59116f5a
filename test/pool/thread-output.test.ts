/** What a thread has printed is there, however it ends. */
import { expect, it } from 'vitest';
import { program } from '../support/programs.js';

const lines = Array.from({ length: 200 }, (_, i) => `line ${i}`);

it.each([
  ['a Process that is terminated', 'process'],
  ['the program exits', 'exit'],
  ['a task runs into its time limit', 'limit'],
])('when %s', async (_, how) => {
  const { stdout, stderr } = await program('prints-in-threads.js', [how]).ended;
  expect(stdout.trimEnd().split('\n')).toEqual(lines);
  expect(stderr).toBe('line err\n');
});

it('before what the program prints later', async () => {
  const { stdout } = await program('prints-in-threads.js', ['busy']).ended;
  expect(stdout.trimEnd().split('\n')).toEqual([...lines, 'after']);
});

it('of fourteen threads, without a warning', async () => {
  const { stdout, stderr } = await program('prints-in-threads.js', ['many']).ended;
  expect(stdout.trimEnd().split('\n').sort()).toEqual(
    Array.from({ length: 14 }, () => lines)
      .flat()
      .sort(),
  );
  expect(stderr).toBe('line err\n'.repeat(14));
});

it.each([
  [['--max-old-space-size=512'], 1],
  [[], 0],
])('a memory limit of threads that the program overrides is said once (%j)', async (node, times) => {
  const { stderr } = await program('limited-threads.js', [], { node }).ended;
  expect(stderr.split('MP_RESOURCE_LIMITS').length - 1).toBe(times);
});
