/** The lines of Python's own suite that concern the streams alone, against in-process backends. */
import { describe, expect, it } from 'vitest';
import { collect, runStream, type StreamFlowOptions } from '../../src/streams/index.js';
import { TestBackend } from './backends.js';
import { counted, settle, upTo } from './sources.js';

const square = (x: number): number => x * x;

/** Python's exception_throwing_generator. */
function* throwingAt(total: number, when: number): Generator<number> {
  if (when === -1) throw new SyntaxError('Somebody said when');
  for (let i = 0; i < total; i++) {
    if (i === when) throw new SyntaxError('Somebody said when');
    yield i;
  }
}

const imap = (source: Iterable<number>, chunkSize: number, options: StreamFlowOptions<number> = {}) =>
  runStream('test', new TestBackend(square, { parallelism: 4, seed: chunkSize, chunkSize }), source, options);

describe('_TestPool', () => {
  it('test_imap: yields in order one by one, then ends; also with chunk size 100 over 1000 items', async () => {
    for (const [n, chunkSize] of [
      [10, 1],
      [1000, 1],
      [1000, 100],
    ] as const) {
      const iterator = imap(upTo(n), chunkSize)[Symbol.asyncIterator]();
      for (let i = 0; i < n; i++) expect(await iterator.next()).toEqual({ done: false, value: i * i });
      expect((await iterator.next()).done).toBe(true);
      expect((await iterator.next()).done).toBe(true);
    }
  });

  it('test_imap_handle_iterable_exception: gives what came before the bad item, then its error', async () => {
    await expect(imap(throwingAt(1, -1), 1).toArray()).rejects.toThrow('Somebody said when');
    for (const [at, chunkSize] of [
      [3, 1],
      [7, 2],
      [7, 4],
    ] as const) {
      const iterator = imap(throwingAt(20, at), chunkSize)[Symbol.asyncIterator]();
      for (let i = 0; i < at; i++) expect((await iterator.next()).value).toBe(i * i);
      await expect(iterator.next()).rejects.toThrow(SyntaxError);
    }
  });

  it('test_imap_unordered: gives the same values in any order, with and without chunks', async () => {
    for (const chunkSize of [1, 100]) {
      const values = await imap(upTo(1000), chunkSize, { ordered: false }).toArray();
      expect([...values].sort((a, b) => a - b)).toEqual(upTo(1000).map(square));
    }
  });

  it('test_imap_unordered_handle_iterable_exception: values come, none twice, and the error of the input is raised', async () => {
    await expect(imap(throwingAt(1, -1), 1, { ordered: false }).toArray()).rejects.toThrow('Somebody said when');
    const expected = new Set(upTo(20).map(square));
    const all = imap(throwingAt(20, 7), 2, { ordered: false }).forEachAsync((value) =>
      expect(expected.delete(value)).toBe(true),
    );
    await expect(all).rejects.toThrow(SyntaxError);
    expect(expected.size).toBe(13);
  });

  it('test_empty_iterable: nothing gives nothing', async () => {
    expect(await imap([], 1).toArray()).toEqual([]);
    expect(await imap([], 1, { ordered: false }).toArray()).toEqual([]);
    expect(await collect('test', [], new TestBackend(square)).promise).toEqual([]);
  });
});

describe('imap with a buffer size, from Python 3.16', () => {
  it('draws no more inputs ahead of the results taken than its window', async () => {
    for (const ordered of [true, false]) {
      const source = counted();
      const stream = imap(source, 4, { ordered, window: 6 });
      let taken = 0;
      for await (const _ of stream) {
        taken++;
        await settle(3);
        expect(source.pulled - taken).toBeLessThanOrEqual(6);
        if (taken === 25) break;
      }
      await stream.closed;
    }
  });

  it('leaves nothing running after partial consumption, so that close and join can return', async () => {
    const backend = new TestBackend(square, { parallelism: 4, chunkSize: 2 });
    const iterator = runStream('test', backend, counted(), { window: 8 })[Symbol.asyncIterator]();
    for (let i = 0; i < 3; i++) await iterator.next();
    await settle();
    expect(backend.last.running).toBe(0);
    expect(backend.last.settled).toBe(backend.last.submitted);
    await iterator.return?.();
  });
});
