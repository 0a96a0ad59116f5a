/** Pools of a test file run several items at once in each worker, unless it says otherwise, see vitest.config.ts. */
import type * as library from 'multiprocess';
import { vi } from 'vitest';
import { makeConcurrent } from './concurrency.js';

const concurrency = makeConcurrent();

vi.mock('multiprocess', async (original) => {
  const exports = await original<typeof library>();
  const Pool = new Proxy(exports.Pool, {
    construct: (target, [options], made) => Reflect.construct(target, [{ concurrency, ...options }], made),
  });
  return { ...exports, Pool };
});
