import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { processStartTime, setParentDeathSignal, threadId } from '../../src/native/index.js';
import { startFixture } from '../support/fixture-process.js';

test('a child ends when its parent is killed', async () => {
  const parent = startFixture('native/mortal-parent.mjs');
  expect(await parent.line()).toBe('true');
  parent.child.kill('SIGKILL');
  // The child holds the pipe: its end is the child's end.
  expect(await parent.line()).toBeNull();
});

test('setParentDeathSignal tells that the parent has ended already', () => {
  expect(setParentDeathSignal(constants.signals.SIGTERM, process.ppid)).toBe(true);
  expect(setParentDeathSignal(0, 1_999_999)).toBe(false);
  expect(() => setParentDeathSignal(9_999, process.ppid)).toThrow(/prctl failed with EINVAL/);
});

test('the start time tells processes apart, whatever their name', () => {
  const ours = processStartTime(process.pid)!;
  expect(ours).toBeGreaterThan(0n);
  const title = process.title;
  process.title = 'a) R 1 (b';
  expect(processStartTime(process.pid)).toBe(ours);
  process.title = title;
  expect(processStartTime(process.ppid)!).toBeLessThanOrEqual(ours);
  expect(processStartTime(0)).toBeNull();
});

test('the thread id of the main thread is the process id', () => {
  expect(threadId()).toBe(process.pid);
});
