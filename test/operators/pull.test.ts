import { Pool, Queue, StreamOverflowError } from 'multiprocess';
import { batchPull, bounded, concatMapPull, filterPull, mapPull, mergeMapPull, takePull } from 'multiprocess/operators';
import { from, lastValueFrom, type OperatorFunction, of, Subject, throwError, toArray } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const made: Queue<number>[] = [];
afterEach(() => {
  for (const queue of made.splice(0)) queue.close();
});
/** A queue with the items 0 to n - 1, completed: a source that can be pulled and tells how far it was read. */
function filled(n: number): Queue<number> {
  const queue = new Queue<number>();
  made.push(queue);
  for (const item of upTo(n)) queue.putNowait(item);
  queue.complete();
  return queue;
}
const through = <R>(queue: Queue<number>, operator: OperatorFunction<number, R>): Promise<R[]> =>
  lastValueFrom(queue.consume({ prefetch: 1 }).pipe(operator, toArray()));
const later = <T>(value: T): Promise<T> => new Promise((done) => setImmediate(() => done(value)));

describe('the pull-aware operators', () => {
  it('give what their rxjs namesakes give, of any source', async () => {
    const cases: readonly [OperatorFunction<number, unknown>, unknown[]][] = [
      [mapPull((item) => item * 2), upTo(10).map((item) => item * 2)],
      [mapPull(async (item, index) => later(item + index), { concurrency: 3 }), upTo(10).map((item) => item * 2)],
      [filterPull((item) => item % 3 === 0), [0, 3, 6, 9]],
      [filterPull((item) => later(item % 3 === 0), { concurrency: 4 }), [0, 3, 6, 9]],
      [takePull(4), [0, 1, 2, 3]],
      [takePull(0), []],
      [takePull(99), upTo(10)],
      [
        batchPull(4),
        [
          [0, 1, 2, 3],
          [4, 5, 6, 7],
          [8, 9],
        ],
      ],
      [
        batchPull(5),
        [
          [0, 1, 2, 3, 4],
          [5, 6, 7, 8, 9],
        ],
      ],
      [concatMapPull((item) => (item < 3 ? [item, item] : [])), [0, 0, 1, 1, 2, 2]],
    ];
    for (const [operator, expected] of cases) {
      expect(await through(filled(10), operator)).toEqual(expected);
      expect(await lastValueFrom(from(upTo(10)).pipe(operator, toArray()))).toEqual(expected);
    }
    const merged = await through(
      filled(10),
      mergeMapPull((item) => of(item, item), { concurrency: 3 }),
    );
    expect(merged.sort()).toEqual(upTo(10).flatMap((item) => [item, item]));
  });

  it('keep each other in check: a chain takes no more from its source than is asked of it', async () => {
    const queue = filled(1_000);
    const chain = queue.consume({ prefetch: 1 }).pipe(
      mapPull((item) => later(item), { concurrency: 2 }),
      filterPull((item) => item % 2 === 0),
      batchPull(2),
      concatMapPull((items) => items),
    );
    const seen: number[] = [];
    for await (const item of chain as unknown as AsyncIterable<number>) {
      seen.push(item);
      if (seen.length === 4) break;
    }
    expect(seen).toEqual([0, 2, 4, 6]);
    expect(queue.qsize()).toBeGreaterThan(970);
  });

  it('hand on errors after what came before them, and return their source', async () => {
    const queue = filled(10);
    const seen: number[] = [];
    const failing = queue.consume({ prefetch: 1 }).pipe(
      mapPull(
        async (item) => {
          if (item === 3) throw new RangeError('three');
          return later(item);
        },
        { concurrency: 3 },
      ),
    );
    const error = await new Promise((done) => failing.subscribe({ next: (item) => seen.push(item), error: done }));
    expect(error).toBeInstanceOf(RangeError);
    expect(seen).toEqual([0, 1, 2]);
    expect(queue.qsize()).toBeGreaterThanOrEqual(3);
    for (const operator of [
      takePull<number>(5),
      batchPull<number>(3),
      concatMapPull((item: number) => [item]),
    ] as OperatorFunction<number, unknown>[]) {
      await expect(
        lastValueFrom(throwError(() => new Error('torn')).pipe(operator as OperatorFunction<never, unknown>)),
      ).rejects.toThrow('torn');
    }
    await expect(
      through(
        filled(5),
        mergeMapPull((item) => (item === 2 ? throwError(() => new Error('inner')) : [item])),
      ),
    ).rejects.toThrow('inner');
  });

  it('concatMapPull and mergeMapPull take a promise as a source of one item, and refuse what is no source by name', async () => {
    expect(
      await through(
        filled(4),
        concatMapPull(async (item) => later([item])),
      ),
    ).toEqual([[0], [1], [2], [3]]);
    const merged = await through(
      filled(4),
      mergeMapPull((item) => later(item), { concurrency: 2 }),
    );
    expect(merged.sort()).toEqual(upTo(4));
    await using pool = new Pool({ processes: 1 });
    expect(
      await through(
        filled(2),
        concatMapPull((item) => pool.applyAsync((x: number) => x + 1, [item])),
      ),
    ).toEqual([1, 2]);
    await expect(
      through(
        filled(2),
        concatMapPull((item) => Promise.reject(new RangeError(`no ${item}`))),
      ),
    ).rejects.toThrow('no 0');
    for (const none of [undefined, 5, {}]) {
      await expect(
        through(
          filled(2),
          concatMapPull(() => none as never),
        ),
      ).rejects.toMatchObject({
        code: 'MP_INVALID_ARGUMENT',
        message: expect.stringMatching(/^concatMapPull: the source is /),
      });
    }
    // Left while the promise of an inner source is pending.
    const pending = filled(2)
      .consume({ prefetch: 1 })
      .pipe(mergeMapPull((item) => (item === 0 ? later(item) : new Promise<number>(() => {}))));
    for await (const item of pending as unknown as AsyncIterable<number>) {
      expect(item).toBe(0);
      break;
    }
  });

  it('takePull reads nothing beyond what it takes', async () => {
    const queue = filled(10);
    expect(await through(queue, takePull(3))).toEqual([0, 1, 2]);
    expect(queue.qsize()).toBe(7);
  });

  it('bounded keeps what a push source emits, up to its capacity', async () => {
    const drops: number[] = [];
    const source = new Subject<number>();
    const stream = source.pipe(
      bounded({ policy: 'drop-oldest', capacity: 2, onDrop: (item) => drops.push(item) }),
      mapPull((item) => later(item)),
    );
    const all = lastValueFrom(stream.pipe(toArray()));
    await later(null);
    for (const item of upTo(6)) source.next(item);
    source.complete();
    const seen = await all;
    expect(seen.slice(-2)).toEqual([4, 5]);
    expect([...drops, ...seen].sort()).toEqual(upTo(6));
    const strict = new Subject<number>();
    const failed = lastValueFrom(
      strict.pipe(
        bounded({ policy: 'error', capacity: 1 }),
        mapPull((item) => later(item)),
        toArray(),
      ),
    );
    await later(null);
    for (const item of upTo(9)) strict.next(item);
    await expect(failed).rejects.toThrow(StreamOverflowError);
  });

  it('refuse bad arguments', () => {
    expect(() => mapPull((item) => item, { concurency: 2 } as object)).toThrow('did you mean `concurrency`');
    expect(() => takePull(-1)).toThrow('`count`');
    expect(() => batchPull(0)).toThrow('`size`');
  });
});

describe('an endless source and a slow consumer', () => {
  it('stay within the window of the pool when the consumer pulls: concatMapPull, for await', {
    timeout: 60_000,
  }, async () => {
    await using pool = new Pool({ processes: 1 });
    const window = 8;
    for (const way of ['concatMapPull', 'for await'] as const) {
      let pulled = 0;
      const stream = pool.imap((n: number) => n, endless(), { window, chunkSize: 1 });
      function* endless(): Generator<number> {
        for (;;) yield pulled++;
      }
      let taken = 0;
      const slow = async (): Promise<void> => {
        // Long enough for the pool to run as far ahead as it may.
        await new Promise((done) => setTimeout(done, 50));
        taken++;
        expect(pulled).toBeLessThanOrEqual(taken + window + 1);
      };
      if (way === 'for await') {
        for await (const _ of stream) {
          await slow();
          if (taken === 5) break;
        }
      } else {
        await lastValueFrom(
          stream.pipe(
            concatMapPull((n) => from(slow().then(() => n))),
            takePull(5),
          ),
        );
      }
      expect(taken).toBeGreaterThanOrEqual(5);
    }
  });
});
