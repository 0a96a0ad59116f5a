import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { from, Observable, type Observer, of, Subject, timer } from 'rxjs';
import { map } from 'rxjs/operators';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ArgumentError, StreamConsumedError, StreamOverflowError } from '../../src/errors/index.js';
import {
  DONE,
  MORE,
  PULL,
  type PullReader,
  runStream,
  type Source,
  type StreamFlowOptions,
  sizeOf,
} from '../../src/streams/index.js';
import { until } from '../support/until.js';
import { TestBackend } from './backends.js';
import { counted, countedReadable, settle, turn, upTo } from './sources.js';

const same = <T>(x: T): T => x;
const through = <T>(source: Source<T>, options: StreamFlowOptions<T> = {}) =>
  runStream('test', new TestBackend<T, T>(same), source, options);

describe('a source', () => {
  const kinds: Record<string, () => Source<number>> = {
    'an array': () => upTo(50),
    'a typed array': () => Uint8Array.from(upTo(50)),
    'a Set': () => new Set(upTo(50)),
    'an array-like object': () => ({ ...upTo(50), length: 50 }),
    'a generator': () => upTo(50).values(),
    'an async generator': async function* () {
      yield* upTo(50);
    },
    'a ReadableStream': () => countedReadable(50).stream,
    'a Node.js Readable': () => Readable.from(upTo(50)) as AsyncIterable<number>,
    'an async iterable whose next() promises nothing': () => {
      const items = upTo(50).values();
      return { [Symbol.asyncIterator]: () => ({ next: () => items.next() }) } as unknown as AsyncIterable<number>;
    },
    'an Observable that emits at once': () => from(upTo(50)),
    'an Observable that emits later': () => timer(1).pipe(map(() => 0)),
    'an object with Symbol.observable': () => ({ '@@observable': () => from(upTo(50)) }) as unknown as Source<number>,
    'an object with subscribe': () => ({
      subscribe: (observer: Observer<number>) => of(...upTo(50)).subscribe(observer),
    }),
    'another stream': () => through(upTo(50)),
  };
  for (const [kind, make] of Object.entries(kinds)) {
    it(`may be ${kind}`, async () => {
      const values = await through(make()).toArray();
      expect(values).toEqual(kind.endsWith('later') ? [0] : upTo(50));
    });
  }

  it('is refused at once, with advice, when it is no source', () => {
    for (const bad of [undefined, null, 5, {}, true, Promise.resolve([1])]) {
      expect(() => through(bad as never)).toThrow(ArgumentError);
    }
    expect(() => through(Promise.resolve([1]) as never)).toThrow(/Await the promise/);
  });

  it('fails when its iterator gives no result, as with for await', async () => {
    for (const next of [() => 5, async () => undefined, async () => null]) {
      const source = { [Symbol.asyncIterator]: () => ({ next }) } as unknown as AsyncIterable<number>;
      await expect(through(source).toArray()).rejects.toThrow(/^Iterator result .* is not an object$/);
    }
  });

  it('is pulled by the brand before anything else it also is', async () => {
    const reader: PullReader<string> = {
      error: undefined,
      cancel: async () => {},
      read(into, max) {
        into.push('pulled');
        return max === 1 ? MORE : DONE;
      },
    };
    const source = Object.assign(new Observable<string>(), {
      [PULL]: () => reader,
      [Symbol.asyncIterator]: () => expect.unreachable(),
    });
    expect(await through(source).toArray()).toEqual(['pulled']);
  });

  it('that is an Observable and an async iterable too is subscribed to', async () => {
    const source = Object.assign(of('pushed'), { [Symbol.asyncIterator]: () => expect.unreachable() });
    expect(await through(source as Observable<string>).toArray()).toEqual(['pushed']);
  });

  it('tells its size when it knows it', () => {
    expect([[1, 2], new Set([1]), new Map(), new Float64Array(7), { length: 4 }].map(sizeOf)).toEqual([2, 1, 0, 7, 4]);
    expect([counted(3), upTo(3).values(), 'text', of(1), through([1])].map(sizeOf)).toEqual(Array(5).fill(undefined));
  });

  it('that is a waiting Node.js Readable is destroyed on early end', async () => {
    const readable = new Readable({ objectMode: true, read: () => {} });
    readable.push(1);
    const stream = through(readable as AsyncIterable<number>);
    for await (const _ of stream) break;
    await stream.closed;
    expect(readable.destroyed).toBe(true);
  });

  it('that is a ReadableStream is unlocked at its end', async () => {
    const { stream } = countedReadable(3);
    expect(await through(stream).toArray()).toEqual([0, 1, 2]);
    expect(stream.locked).toBe(false);
  });
});

describe('a source that can be read only once', () => {
  const kinds: Record<string, () => Source<number>> = {
    generator: () => upTo(3).values(),
    'async generator': async function* () {
      yield* upTo(3);
    },
    ReadableStream: () => countedReadable(3).stream,
    'Node.js Readable': () => Readable.from(upTo(3)) as AsyncIterable<number>,
  };
  for (const [kind, make] of Object.entries(kinds)) {
    it(`gives the second execution a StreamConsumedError: ${kind}`, async () => {
      const source = make();
      const stream = through(source);
      expect(await stream.toArray()).toEqual([0, 1, 2]);
      await expect(stream.toArray()).rejects.toBeInstanceOf(StreamConsumedError);
      await expect(through(source).toArray()).rejects.toMatchObject({
        code: 'MP_STREAM_CONSUMED',
        message: /collect the source into an array/,
      });
      await stream.closed;
    });
  }

  it('gives it also while the first execution runs, which is not disturbed', async () => {
    const stream = through(upTo(30).values());
    const iterator = stream[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toBe(0);
    await expect(stream.toArray()).rejects.toMatchObject({ code: 'MP_STREAM_CONSUMED' });
    expect((await iterator.next()).value).toBe(1);
    await iterator.return?.();
  });

  it('counts as read while another reader has it locked', async () => {
    const locked = new ReadableStream<number>();
    locked.getReader();
    await expect(through(locked).toArray()).rejects.toMatchObject({ code: 'MP_STREAM_CONSUMED' });
  });

  it('is told from one that begins anew', async () => {
    const stream = through(new Set([1, 2]));
    expect(await stream.toArray()).toEqual([1, 2]);
    expect(await stream.toArray()).toEqual([1, 2]);
  });
});

describe('an Observable that runs ahead', () => {
  /** Pushes 0 … n-1 while the only item under way is held, then lets everything run. */
  async function overrun(
    n: number,
    overflow: object | undefined,
  ): Promise<{ values: number[]; error: unknown; observed: () => boolean }> {
    const subject = new Subject<number>();
    let open: () => void = () => {};
    const gate = new Promise<void>((done) => (open = done));
    const work = (x: number): Promise<number> => gate.then(() => x);
    const stream = runStream(
      'test',
      new TestBackend(work, { parallelism: 1, chunkSize: 1 }),
      subject as Observable<number>,
      {
        window: 2,
        ...(overflow === undefined ? {} : { overflow: overflow as never }),
      },
    );
    const values: number[] = [];
    let error: unknown;
    let over = false;
    stream.subscribe({
      next: (value) => values.push(value),
      error: (caught) => {
        error = caught;
        over = true;
      },
      complete: () => {
        over = true;
      },
    });
    for (let i = 0; i < n; i++) subject.next(i);
    const observed = subject.observed;
    subject.complete();
    open();
    await until(() => over, 'the end');
    return { values, error, observed: () => observed };
  }

  it('errors by default when more than the window waits outside it, after the results it had accepted', async () => {
    const within = await overrun(4, undefined);
    expect(within).toMatchObject({ values: [0, 1, 2, 3], error: undefined });
    const beyond = await overrun(5, undefined);
    expect(beyond.values).toEqual([0, 1, 2, 3]);
    expect(beyond.error).toBeInstanceOf(StreamOverflowError);
    expect(beyond.error).toMatchObject({ code: 'MP_STREAM_OVERFLOW', message: /more than 2 items/ });
    expect(beyond.observed()).toBe(false);
  });

  it('loses by policy what does not fit, and says what', async () => {
    const lost: number[] = [];
    const onDrop = (item: number): void => void lost.push(item);
    expect((await overrun(8, { policy: 'drop-oldest', capacity: 3, onDrop })).values).toEqual([0, 1, 5, 6, 7]);
    expect(lost.splice(0)).toEqual([2, 3, 4]);
    expect((await overrun(8, { policy: 'drop-newest', capacity: 3, onDrop })).values).toEqual([0, 1, 2, 3, 4]);
    expect(lost.splice(0)).toEqual([5, 6, 7]);
    expect((await overrun(8, { policy: 'latest', onDrop })).values).toEqual([0, 1, 7]);
    expect(lost.splice(0)).toEqual([2, 3, 4, 5, 6]);
  });

  it('is buffered up to a capacity, or without bound', async () => {
    expect((await overrun(5000, { policy: 'buffer', capacity: 'unbounded' })).values).toEqual(upTo(5000));
    const bounded = await overrun(8, { policy: 'buffer', capacity: 3 });
    expect(bounded.values).toEqual([0, 1, 2, 3, 4]);
    expect(bounded.error).toBeInstanceOf(StreamOverflowError);
  });

  it('fails with what onDrop throws', async () => {
    const onDrop = (): void => {
      throw new Error('must not be lost');
    };
    expect((await overrun(8, { policy: 'drop-oldest', capacity: 1, onDrop })).error).toEqual(
      new Error('must not be lost'),
    );
  });

  it('inside subscribe() is stopped there when it overflows, though it would never end', async () => {
    let emitted = 0;
    const endless = new Observable<number>((subscriber) => {
      while (!subscriber.closed) subscriber.next(emitted++);
    });
    const backend = new TestBackend<number, number>(same, { chunkSize: 1, pipeline: 20 });
    await expect(runStream('test', backend, endless, { window: 16 }).toArray()).rejects.toBeInstanceOf(
      StreamOverflowError,
    );
    expect(emitted).toBe(33); // 16 in the window, 16 waiting, one too many
  });

  it('has room for at least 1024 waiting items when no window was given, however small the chunks are', async () => {
    const emit = (n: number) =>
      runStream(
        'test',
        new TestBackend<number, number>(same, { chunkSize: 1, parallelism: 2, pipeline: 9 }),
        from(upTo(n)),
      ).toArray();
    expect(await emit(1028)).toEqual(upTo(1028));
    await expect(emit(1029)).rejects.toMatchObject({ code: 'MP_STREAM_OVERFLOW', message: /more than 1024 items/ });
  });

  it('is unsubscribed from exactly once, at the early end', async () => {
    let torn = 0;
    const source = new Observable<number>((subscriber) => {
      subscriber.next(1);
      return () => torn++;
    });
    const stream = through(source);
    for await (const _ of stream) break;
    await stream.closed;
    expect(torn).toBe(1);
  });

  it('and errors delivers what came before', async () => {
    const source = new Observable<number>((subscriber) => {
      for (let i = 0; i < 10; i++) subscriber.next(i);
      subscriber.error(new Error('sensor lost'));
    });
    const values: number[] = [];
    await expect(through(source).forEachAsync((value) => void values.push(value))).rejects.toThrow('sensor lost');
    expect(values).toEqual(upTo(10));
  });
});

describe('the chain of pulls', () => {
  afterEach(() => vi.restoreAllMocks());

  it('carries backpressure from the last consumer to the first source', async () => {
    const source = counted();
    const first = runStream('test', new TestBackend((x: number) => x + 1, { seed: 1 }), source, { window: 8 });
    const second = runStream('test', new TestBackend((x: number) => x * 10, { seed: 2 }), first, { window: 8 });
    let taken = 0;
    for await (const value of second) {
      expect(value).toBe((taken + 1) * 10);
      taken++;
      await settle(4);
      expect(source.pulled - taken).toBeLessThanOrEqual(16);
      if (taken === 30) break;
    }
    await second.closed;
    await first.closed;
    expect(source.returned).toBe(1);
  });

  it('carries errors and ends in the other direction', async () => {
    const fail = (x: number): number => {
      if (x === 20) throw new RangeError('twenty');
      return x;
    };
    const values: number[] = [];
    const first = through(upTo(100).values());
    const middle = runStream('test', new TestBackend(fail), first);
    await expect(through(middle).forEachAsync((value) => void values.push(value))).rejects.toThrow('twenty');
    expect(values).toEqual(upTo(20));
    await first.closed;
    expect(await through(through(through(upTo(500)), { ordered: true })).toArray()).toEqual(upTo(500));
  });

  it('is broken by a plain operator, of which a warning tells once', async () => {
    const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    for (let i = 0; i < 2; i++) {
      const operated = through([1, 2, 3]).pipe(
        map((x) => x * 2),
        map((x) => x + 1),
      );
      expect(operated).not.toHaveProperty('toArray');
      expect(await through(operated).toArray()).toEqual([3, 5, 7]);
    }
    expect(warnings).toHaveBeenCalledOnce();
    expect(warnings.mock.calls[0]?.[1]).toEqual({ code: 'MP_PULL_BROKEN' });
    await turn();
  });
});

describe('options', () => {
  it('are refused when they make no sense', async () => {
    const { checkFlowOptions, FLOW_OPTIONS } = await import('../../src/streams/index.js');
    const bad: [object, RegExp][] = [
      [{ window: 0 }, /`window` must be an integer of at least 1, not 0/],
      [{ window: 1.5 }, /window/],
      [{ chunkSize: 0 }, /chunkSize/],
      [{ chunkSize: 'big' }, /chunkSize/],
      [{ chunksize: 3 }, /did you mean `chunkSize`/],
      [{ errors: 'ignore' }, /'fail', 'skip' or 'settle'/],
      [{ ordered: false }, /unknown option `ordered`/],
      [{ signal: {} }, /AbortSignal/],
      [{ overflow: { policy: 'drop' } }, /'drop-oldest'/],
      [{ overflow: { policy: 'buffer' } }, /'unbounded'/],
      [{ overflow: { policy: 'error', capacity: 0 } }, /overflow.capacity/],
      [{ overflow: { policy: 'error', size: 3 } }, /unknown option `size`/],
    ];
    for (const [options, message] of bad)
      expect(() => checkFlowOptions('test', options, FLOW_OPTIONS)).toThrow(message);
    const good = {
      window: 1,
      chunkSize: 'auto',
      errors: 'skip',
      signal: new AbortController().signal,
      timeout: 5,
    } as const;
    expect(() => checkFlowOptions('test', good, FLOW_OPTIONS, ['timeout'])).not.toThrow();
    expect(() =>
      checkFlowOptions('test', { overflow: { policy: 'buffer', capacity: 'unbounded' } }, FLOW_OPTIONS),
    ).not.toThrow();
  });
});
