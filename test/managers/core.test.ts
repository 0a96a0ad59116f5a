import { describe, expect, test } from 'vitest';
import { BaseManager } from '../../dist/managers/index.js';

describe('a manager', () => {
  test('makes objects in its server and calls their methods', async () => {
    class Jobs extends BaseManager.with({
      Counter: () => {
        let n = 0;
        return {
          add: (by = 1) => (n += by),
          fail: () => {
            throw new RangeError('no');
          },
        };
      },
    }) {}
    await using jobs = new Jobs();
    await jobs.start();
    const counter = await jobs.Counter();
    expect(await counter.add(2)).toBe(2);
    expect(await counter.add()).toBe(3);
    await expect(counter.fail()).rejects.toThrow(RangeError);
    expect(await jobs.numberOfObjects()).toBe(1);
  });
});
