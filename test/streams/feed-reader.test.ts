/** Streams that are pulled by another stage: it is told of the end, whichever way the end comes. */
import { describe, expect, it } from 'vitest';
import { DONE, PULL, runStream, WAIT } from '../../src/streams/index.js';
import { TestBackend } from './backends.js';

/** Reads a stream as another stage does: only when it was woken. */
function pulled<T>(
  stream: { [PULL](wake: () => void): { read(into: T[], max: number): number } },
  max: number,
): Promise<T[]> {
  return new Promise((resolve) => {
    const into: T[] = [];
    const read = () => {
      for (;;) {
        const state = reader.read(into, max);
        if (state === WAIT) return;
        if (state === DONE) return resolve(into);
      }
    };
    const reader = stream[PULL](read);
    read();
  });
}

describe('a stream that is pulled', () => {
  it.each([1, 2, 64])('ends when its source has ended before its last result, %i at a time', async (max) => {
    async function* source() {
      yield* [1, 2, 3];
    }
    const backend = new TestBackend<number, number>((n) => n * 2, { turns: 5, parallelism: 3 });
    expect(await pulled(runStream('test', backend, source()), max)).toEqual([2, 4, 6]);
  });
});
