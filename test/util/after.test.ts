import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { after } from '../../src/util/after.js';

// The library's own timers cannot be faked, which timers.test.ts shows; here the time of days passes at once.
vi.mock('../../src/util/timers.js', () => ({
  setTimeout: (...given: Parameters<typeof setTimeout>) => setTimeout(...given),
  clearTimeout: (timer: NodeJS.Timeout) => clearTimeout(timer),
  performance: { now: () => performance.now() },
}));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('calls back once, not before the time', () => {
  const called = vi.fn();
  after(100, called);
  vi.advanceTimersByTime(99);
  expect(called).not.toHaveBeenCalled();
  vi.advanceTimersByTime(2);
  expect(called).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1_000);
  expect(called).toHaveBeenCalledTimes(1);
});

it('waits longer than one timer lasts', () => {
  const called = vi.fn();
  after(2 ** 32, called);
  vi.advanceTimersByTime(2 ** 32 - 1);
  expect(called).not.toHaveBeenCalled();
  vi.advanceTimersByTime(2);
  expect(called).toHaveBeenCalledTimes(1);
});

it('is taken back, and never comes after Infinity', () => {
  const called = vi.fn();
  after(10, called)();
  after(Number.POSITIVE_INFINITY, called)();
  vi.runAllTimers();
  expect(called).not.toHaveBeenCalled();
});
