import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { startFixture } from '../support/fixture-process.js';
import { eventfd, sharedWords } from '../support/native-resources.js';

const program = new URL('../fixtures/native/busy-worker.mjs', import.meta.url);
const mappings = () => readFileSync('/proc/self/maps', 'utf8').split('memfd:multiprocess-test').length - 1;

test.each([false, true])(
  'worker threads are terminated in the middle of waits and rings (blocking: %s)',
  async (blocking) => {
    const { fd } = sharedWords();
    const bells = [eventfd(), eventfd(), eventfd()];
    const before = mappings();
    for (let i = 0; i < 12; i++) {
      const workers = [0, 1].map(() => new Worker(program, { workerData: { memory: fd, bells, blocking } }));
      await Promise.all(workers.map((worker) => once(worker, 'message')));
      await Promise.all(workers.map((worker) => worker.terminate()));
    }
    expect(mappings()).toBe(before);
  },
);

test.each([
  ['exit', 7],
  ['throw', 1],
  ['loop', 0],
] as const)('a process that ends by %s with everything pending ends with status %i', async (how, status) => {
  const child = startFixture('native/end-busy.mjs', { args: [how] });
  expect(await child.ended).toBe(status);
});
