import { Finalize, isExiting } from 'multiprocess/util';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../support/code-of.js';

describe('Finalize', () => {
  it('gives the value of the callback once, and undefined after that', () => {
    const finalizer = new Finalize({}, (a: number, b: number) => a + b, { args: [1, 2] });
    expect(finalizer.stillActive()).toBe(true);
    expect(finalizer.call()).toBe(3);
    expect(finalizer.stillActive()).toBe(false);
    expect(finalizer.call()).toBeUndefined();
  });

  it('that was cancelled does nothing', () => {
    const finalizer = new Finalize(null, () => 1, { exitPriority: 0 });
    finalizer.cancel();
    expect(finalizer.stillActive()).toBe(false);
    expect(finalizer.call()).toBeUndefined();
  });

  it('of another process does nothing', () => {
    const own = process.pid;
    let ran = 0;
    const finalizer = new Finalize({}, () => ran++);
    Object.defineProperty(process, 'pid', { value: own + 1, configurable: true, writable: true });
    try {
      expect(finalizer.call()).toBeUndefined();
    } finally {
      Object.defineProperty(process, 'pid', { value: own, configurable: true, writable: true });
    }
    expect(ran).toBe(0);
  });

  it('refuses what it cannot keep', () => {
    expect(codeOf(() => new Finalize(null, () => {}))).toBe('MP_INVALID_ARGUMENT');
    expect(codeOf(() => new Finalize({}, 1 as never))).toBe('MP_INVALID_ARGUMENT');
    expect(codeOf(() => new Finalize(1 as never, () => {}))).toBe('MP_INVALID_ARGUMENT');
    expect(codeOf(() => new Finalize({}, () => {}, { exitPriority: 1.5 }))).toBe('MP_INVALID_ARGUMENT');
    expect(codeOf(() => new Finalize({}, () => {}, { exitpriority: 1 } as never))).toBe('MP_UNKNOWN_OPTION');
  });
});

describe('isExiting', () => {
  it('is false while the program runs', () => {
    expect(isExiting()).toBe(false);
  });
});
