/** imap and imapUnordered through real workers: bounds, leaving, errors, sources, order, memory. */
import { ReadableStream } from 'node:stream/web';
import { ClosedError, Pool, StreamConsumedError, TaskStream } from 'multiprocess';
import { interval, lastValueFrom, map, of, Subject, take, toArray } from 'rxjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { slots } from '../support/concurrency.js';
import { Ledger } from '../support/ledger.js';
import { until } from '../support/until.js';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const double = (x: number): number => x * 2;
const jitter = (x: number): Promise<number> => new Promise((done) => setTimeout(() => done(x), (x * 7) % 5));
/** A source without end that knows how far it was read and whether it was returned. */
function numbers() {
  const watch = {
    pulled: 0,
    returned: 0,
    *[Symbol.iterator](): Generator<number> {
      try {
        for (;;) yield watch.pulled++;
      } finally {
        watch.returned++;
      }
    },
  };
  return watch;
}

let pool: Pool;
let ledger: Ledger;
beforeAll(async () => {
  pool = new Pool({ processes: 2, gracePeriod: 1000 });
  await pool.map(double, upTo(20), { chunkSize: 1 });
});
afterAll(() => pool.terminate());
beforeEach(() => {
  ledger = new Ledger();
});
afterEach(async () => {
  ledger[Symbol.dispose]();
  await until(() => pool.stats().active === 0, 'the end of everything that ran');
});

describe('the window', () => {
  for (const method of ['imap', 'imapUnordered'] as const) {
    for (const window of [1, 2, 5, 32]) {
      it(`of ${window} is never exceeded by ${method} over an endless source with a slow consumer`, async () => {
        const source = numbers();
        let taken = 0;
        for await (const value of pool[method](double, source, { window })) {
          taken++;
          expect(value % 2).toBe(0);
          if (taken % 5 === 0) await new Promise((done) => setTimeout(done, 2));
          expect(source.pulled - taken).toBeLessThanOrEqual(window);
          if (taken === 40) break;
        }
        expect(source.returned).toBe(1);
      });
    }
  }

  it('stops workers and source while nobody reads', async () => {
    const source = numbers();
    const iterator = pool.imap(double, source, { window: 16 })[Symbol.asyncIterator]();
    await iterator.next();
    await until(() => pool.stats().active === 0, 'a full window');
    // The window, and the one that was taken; whether its place is filled at once is up to the size of chunks.
    for (let i = 0; i < 3; i++) {
      expect(source.pulled).toBeLessThanOrEqual(17);
      await pool.map(double, upTo(50), { chunkSize: 1 });
    }
    expect(source.pulled).toBeLessThanOrEqual(17);
    await iterator.return?.();
  });

  it('by default stays small for slow items, whatever the length of the source', async () => {
    const source = numbers();
    let taken = 0;
    // A timer may be early by what the worker's loop was late.
    const slow = async (x: number): Promise<number> => {
      for (const end = performance.now() + 5; performance.now() < end; )
        await new Promise((done) => setTimeout(done, 1));
      return x;
    };
    for await (const _ of pool.imap(slow, source)) {
      if (++taken === 20) break;
    }
    expect(source.pulled).toBeLessThanOrEqual(20 + 8 * slots);
  });

  it('counts what waits for order: one slow item stops the others', async () => {
    const slowFirst = (x: number): Promise<number> =>
      new Promise((done) => setTimeout(() => done(x), x === 0 ? 200 : 0));
    const source = numbers();
    const iterator = pool.imap(slowFirst, source, { window: 6, chunkSize: 1 })[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: false, value: 0 });
    expect(source.pulled).toBeLessThanOrEqual(7);
    await iterator.return?.();
  });
});

describe('order', () => {
  it('is kept by imap whatever finishes first, and nothing is lost or doubled by imapUnordered', async () => {
    expect(await pool.imap(jitter, upTo(200), { chunkSize: 1 }).toArray()).toEqual(upTo(200));
    const unordered = await pool.imapUnordered(jitter, upTo(200), { chunkSize: 1 }).toArray();
    expect(unordered.sort((a, b) => a - b)).toEqual(upTo(200));
  });

  it('is shown by enumerate for unordered streams and skipped items', async () => {
    const odd = (x: number): number => {
      if (x % 2 === 0) throw new Error('even');
      return x * 10;
    };
    const pairs = await pool.imapUnordered(odd, upTo(20), { errors: 'skip' }).enumerate().toArray();
    expect([...pairs].sort(([a], [b]) => a - b)).toEqual(
      upTo(20)
        .filter((x) => x % 2 === 1)
        .map((x) => [x, x * 10]),
    );
  });
});

describe('leaving', () => {
  const leave: [string, (stream: TaskStream<unknown>, controller: AbortController) => Promise<void>][] = [
    [
      'break',
      async (stream) => {
        for await (const _ of stream) break;
      },
    ],
    [
      'return()',
      async (stream) => {
        const iterator = stream[Symbol.asyncIterator]();
        await iterator.next();
        await iterator.return?.();
      },
    ],
    [
      'throw in the loop',
      async (stream) => {
        const loop = async () => {
          for await (const _ of stream) throw new Error('own');
        };
        await expect(loop()).rejects.toThrow('own');
      },
    ],
    [
      'unsubscribe',
      (stream) =>
        new Promise((done) => {
          const subscription = stream.subscribe(() =>
            setTimeout(() => {
              subscription.unsubscribe();
              done();
            }),
          );
        }),
    ],
    ['take(1)', async (stream) => void (await lastValueFrom(stream.pipe(take(1))))],
    [
      'abort',
      async (stream, controller) => {
        const iterator = stream[Symbol.asyncIterator]();
        await iterator.next();
        controller.abort('enough');
        await expect(iterator.next()).rejects.toBe('enough');
      },
    ],
    [
      'asyncDispose',
      async (stream) => {
        const iterator = stream[Symbol.asyncIterator]();
        await iterator.next();
        await stream[Symbol.asyncDispose]();
        await expect(iterator.next()).rejects.toBeInstanceOf(ClosedError);
      },
    ],
    [
      'an error of forEachAsync',
      async (stream) => {
        await expect(
          stream.forEachAsync(() => {
            throw new Error('own');
          }),
        ).rejects.toThrow('own');
      },
    ],
    [
      'destroy of the Readable',
      async (stream) => {
        for await (const _ of stream.toReadable()) break;
      },
    ],
    [
      'cancel of the ReadableStream',
      async (stream) => {
        const reader = stream.toReadableStream().getReader();
        await reader.read();
        await reader.cancel();
      },
    ],
  ];
  for (const [how, go] of leave) {
    it(`by ${how} returns the source, tells running items to stop, and no worker is lost`, async () => {
      const { started } = pool.stats();
      const source = numbers();
      function* items(): Generator<unknown> {
        for (const i of source) yield i === 0 ? null : ledger.path;
      }
      const controller = new AbortController();
      const task = new URL('../fixtures/tasks/quick-then-cooperative.js', import.meta.url);
      const stream = pool.imapUnordered<unknown, unknown>(task, items(), {
        window: 4,
        chunkSize: 1,
        signal: controller.signal,
      });
      await go(stream as TaskStream<unknown>, controller);
      await stream.closed;
      expect(source.returned).toBe(1);
      const lines = ledger.lines();
      expect(lines.filter((line) => line.includes('started')).length).toBe(
        lines.filter((line) => line.includes('stopped')).length,
      );
      expect(pool.stats()).toMatchObject({ started, active: 0 });
    });
  }

  it('kills what does not hear, and other streams of the pool go on', async () => {
    const stubborn = (): Promise<never> => new Promise(() => setInterval(() => {}, 1000));
    const other = pool.imap(jitter, upTo(100), { chunkSize: 1, window: 8 }).toArray();
    const controller = new AbortController();
    const stream = pool.imap(stubborn, [1], { signal: controller.signal });
    const all = stream.toArray();
    await until(() => pool.stats().active > 0, 'work');
    controller.abort('enough');
    await expect(all).rejects.toBe('enough');
    await stream.closed;
    expect(await other).toEqual(upTo(100));
  });
});

describe('errors', () => {
  const failing = (x: number): number => {
    if (x % 5 === 3) throw new RangeError(`bad ${x}`);
    return x;
  };
  it('fail: what came before is delivered, then the error, and the source is returned', async () => {
    const source = numbers();
    const seen: number[] = [];
    const read = async () => {
      for await (const value of pool.imap(failing, source)) seen.push(value);
    };
    await expect(read()).rejects.toThrow(new RangeError('bad 3'));
    expect(seen).toEqual([0, 1, 2]);
    expect(source.returned).toBe(1);
  });

  it('skip leaves failing items out, settle shows them', async () => {
    for (const chunkSize of [1, 4]) {
      expect(await pool.imap(failing, upTo(12), { errors: 'skip', chunkSize }).toArray()).toEqual([
        0, 1, 2, 4, 5, 6, 7, 9, 10, 11,
      ]);
      const settled = await pool.imap(failing, upTo(5), { errors: 'settle', chunkSize }).toArray();
      expect(settled.map((one) => one.status)).toEqual([
        'fulfilled',
        'fulfilled',
        'fulfilled',
        'rejected',
        'fulfilled',
      ]);
      expect(settled[3]).toMatchObject({ reason: { message: 'bad 3' } });
    }
  });

  it('of the source come after the results before them', async () => {
    const own = new Error('source');
    function* breaking() {
      yield* upTo(7);
      throw own;
    }
    const seen: number[] = [];
    const read = async () => {
      for await (const value of pool.imap(double, breaking())) seen.push(value);
    };
    await expect(read()).rejects.toBe(own);
    expect(seen).toEqual(upTo(7).map(double));
  });
});

describe('sources', () => {
  it('partial chunks of a slow source are not held back', async () => {
    let release: () => void = () => {};
    async function* slow() {
      yield 1;
      yield 2;
      await new Promise<void>((done) => (release = done));
      yield 3;
    }
    const iterator = pool.imap(double, slow(), { chunkSize: 100 })[Symbol.asyncIterator]();
    expect([(await iterator.next()).value, (await iterator.next()).value]).toEqual([2, 4]);
    release();
    expect((await iterator.next()).value).toBe(6);
    expect((await iterator.next()).done).toBe(true);
  });

  it('a web ReadableStream is read as far as needed and cancelled when left', async () => {
    let pulled = 0;
    let cancelled = 0;
    const source = new ReadableStream<number>(
      { pull: (controller) => controller.enqueue(pulled++), cancel: () => void cancelled++ },
      { highWaterMark: 0 },
    );
    let taken = 0;
    for await (const value of pool.imap(double, source, { window: 4 })) {
      expect(value).toBe(taken++ * 2);
      if (taken === 10) break;
    }
    expect(pulled).toBeLessThanOrEqual(14);
    expect(cancelled).toBe(1);
  });

  it('Observables are subscribed once and unsubscribed when left', async () => {
    expect(await pool.imap(double, of(1, 2, 3)).toArray()).toEqual([2, 4, 6]);
    const subject = new Subject<number>();
    const read = pool.imap(double, subject)[Symbol.asyncIterator]();
    const first = read.next();
    expect(subject.observed).toBe(true);
    subject.next(21);
    expect(await first).toEqual({ done: false, value: 42 });
    await read.return?.();
    expect(subject.observed).toBe(false);
    expect(await pool.imap(double, interval(1).pipe(take(5))).toArray()).toEqual([0, 2, 4, 6, 8]);
  });

  it('that push too much follow the overflow policy', async () => {
    const flood = () => of(...upTo(100));
    const slow = (x: number): Promise<number> => new Promise((done) => setTimeout(() => done(x), 5));
    await expect(
      pool.imap(slow, flood(), { window: 2, overflow: { policy: 'error', capacity: 4 } }).toArray(),
    ).rejects.toMatchObject({
      code: 'MP_STREAM_OVERFLOW',
    });
    const dropped: number[] = [];
    const kept = await pool
      .imap(slow, flood(), {
        window: 2,
        overflow: { policy: 'drop-oldest', capacity: 4, onDrop: (x) => dropped.push(x) },
      })
      .toArray();
    expect([...kept, ...dropped].sort((a, b) => a - b)).toEqual(upTo(100));
    expect(kept.slice(-4)).toEqual([96, 97, 98, 99]);
    expect(
      await pool.imap(double, flood(), { window: 2, overflow: { policy: 'buffer', capacity: 'unbounded' } }).toArray(),
    ).toHaveLength(100);
  });

  it('streams of pools chain, under one bound', async () => {
    await using other = new Pool({ processes: 1 });
    const source = numbers();
    let taken = 0;
    for await (const value of pool.imap(double, other.imap(double, source, { window: 4 }), { window: 4 })) {
      expect(value).toBe(taken * 4);
      if (++taken === 30) break;
    }
    expect(source.pulled).toBeLessThanOrEqual(30 + 8);
    expect(source.returned).toBe(1);
  });

  it('that can be read only once refuse a second reader', async () => {
    const stream = pool.imap(double, upTo(3).values());
    expect(await stream.toArray()).toEqual([0, 2, 4]);
    await expect(stream.toArray()).rejects.toBeInstanceOf(StreamConsumedError);
    const again = pool.imap(double, upTo(3));
    expect([await again.toArray(), await again.toArray()]).toEqual([
      [0, 2, 4],
      [0, 2, 4],
    ]);
  });

  it('are not touched before somebody reads', async () => {
    const source = numbers();
    const stream = pool.imap(double, source);
    expect(stream).toBeInstanceOf(TaskStream);
    expect((stream as unknown as PromiseLike<unknown>).then).toBeUndefined();
    await pool.apply(double, [1]);
    expect(source.pulled).toBe(0);
  });
});

describe('consumers', () => {
  it('subscribe, operators, toReadable, toReadableStream and forEachAsync all see everything', async () => {
    const wanted = upTo(50).map(double);
    expect(
      await lastValueFrom(
        pool.imap(double, upTo(50)).pipe(
          map((x) => x + 1),
          toArray(),
        ),
      ),
    ).toEqual(wanted.map((x) => x + 1));
    expect(await pool.imap(double, upTo(50)).toReadable().toArray()).toEqual(wanted);
    const web: number[] = [];
    for await (const value of pool.imap(double, upTo(50)).toReadableStream()) web.push(value);
    expect(web).toEqual(wanted);
    const each: number[] = [];
    let now = 0;
    let most = 0;
    await pool.imap(double, upTo(50)).forEachAsync(
      async (value) => {
        most = Math.max(most, ++now);
        await new Promise((done) => setImmediate(done));
        each.push(value);
        now--;
      },
      { concurrency: 3 },
    );
    expect(each.sort((a, b) => a - b)).toEqual(wanted);
    expect(most).toBeLessThanOrEqual(3);
  });

  it('progress tells what was pulled and delivered', async () => {
    const stream = pool.imap(double, upTo(300));
    const last = lastValueFrom(stream.progress);
    await stream.toArray();
    expect(await last).toMatchObject({ pulled: 300, running: 0, buffered: 0, delivered: 300, failed: 0, total: 300 });
  });

  it('memory stays flat over 300,000 small items', async () => {
    const before = process.memoryUsage().rss;
    let sum = 0;
    let most = 0;
    function* many(): Generator<number> {
      for (let i = 0; i < 300_000; i++) yield i;
    }
    for await (const value of pool.imapUnordered((x: number) => x & 1, many())) {
      sum += value;
      if ((sum & 4095) === 0) most = Math.max(most, process.memoryUsage().rss);
    }
    expect(sum).toBe(150_000);
    expect(most - before).toBeLessThan(200 << 20);
  });
});
