import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { firstValueFrom, lastValueFrom, Observable } from 'rxjs';
import { filter, take, toArray } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import { type Progress, runStream, TaskStream } from '../../src/streams/index.js';
import { until } from '../support/until.js';
import { TestBackend } from './backends.js';
import { counted, settle, turn, upTo } from './sources.js';

const same = <T>(x: T): T => x;

describe('a TaskStream', () => {
  it('is an Observable, an async iterable, and not thenable', async () => {
    const stream = runStream('test', new TestBackend<number, number>(same), [1]);
    expect(stream).toBeInstanceOf(Observable);
    expect(stream).toBeInstanceOf(TaskStream);
    expect('then' in stream).toBe(false);
    const hand = async (): Promise<TaskStream<number>> => stream;
    expect(await hand()).toBe(stream);
  });

  it('is cold: each subscription and each iteration is an execution of its own', async () => {
    const backend = new TestBackend<number, number>(same);
    const source = counted(10);
    const stream = runStream('test', backend, source);
    await settle();
    expect(backend.jobs.length + source.pulled).toBe(0);
    const [a, b] = await Promise.all([lastValueFrom(stream.pipe(toArray())), stream.toArray()]);
    expect(a).toEqual(upTo(10));
    expect(b).toEqual(upTo(10));
    expect(backend.jobs.length).toBe(2);
  });

  it('works with the operators of RxJS, and its source is returned when they unsubscribe', async () => {
    const source = counted();
    const stream = runStream('test', new TestBackend<number, number>(same), source);
    const even = stream.pipe(
      filter((x) => x % 2 === 0),
      take(5),
      toArray(),
    );
    expect(await firstValueFrom(even)).toEqual([0, 2, 4, 6, 8]);
    expect(source.returned).toBe(1);
    await stream.closed;
  });

  it('pushes to a subscriber without letting the work in flight exceed the window', async () => {
    const source = counted(500);
    let most = 0;
    let delivered = 0;
    const stream = runStream('test', new TestBackend<number, number>(same, { seed: 3 }), source, { window: 10 });
    await new Promise<void>((resolve, reject) => {
      stream.subscribe({
        next: () => {
          most = Math.max(most, source.pulled - delivered);
          delivered++;
        },
        error: reject,
        complete: resolve,
      });
    });
    expect(delivered).toBe(500);
    expect(most).toBeLessThanOrEqual(10);
    expect(most).toBeGreaterThan(1);
  });

  it('answers concurrent next() calls in order, and done to those beyond the end', async () => {
    const iterator = runStream('test', new TestBackend<number, number>(same, { seed: 2 }), upTo(10))[
      Symbol.asyncIterator
    ]();
    const results = await Promise.all(Array.from({ length: 13 }, () => iterator.next()));
    expect(results.filter((result) => !result.done).map((result) => result.value)).toEqual(upTo(10));
    expect(results.slice(10).every((result) => result.done)).toBe(true);
  });

  it('enumerates results with the index of their item, also when unordered, skipping and settling', async () => {
    const fail = (x: string): string => {
      if (x === 'c') throw new Error('c');
      return x.toUpperCase();
    };
    const backend = new TestBackend(fail, { seed: 9, chunkSize: 2 });
    const letters = [...'abcdefghijklmnop'];
    const pairs = await runStream('test', backend, letters, { ordered: false, errors: 'skip' }).enumerate().toArray();
    expect(pairs.length).toBe(15);
    for (const [index, value] of pairs) expect(value).toBe(letters[index]!.toUpperCase());
    const settled = await runStream('test', backend, letters, { errors: 'settle' }).enumerate().toArray();
    expect(settled[2]).toEqual([2, { status: 'rejected', reason: new Error('c') }]);
    expect(settled[3]).toEqual([3, { status: 'fulfilled', value: 'D' }]);
    expect(await runStream('test', backend, ['a', 'b']).enumerate().enumerate().toArray()).toEqual([
      [0, [0, 'A']],
      [1, [1, 'B']],
    ]);
  });
});

describe('forEachAsync', () => {
  it('has at most `concurrency` calls under way, each begun in order, and slow calls slow the source', async () => {
    for (const concurrency of [1, 3]) {
      const source = counted(60);
      let calls = 0;
      let most = 0;
      let ahead = 0;
      const seen: number[] = [];
      await runStream('test', new TestBackend<number, number>(same, { seed: 4 }), source, { window: 6 }).forEachAsync(
        async (value) => {
          seen.push(value);
          most = Math.max(most, ++calls);
          ahead = Math.max(ahead, source.pulled - seen.length);
          await settle(1 + (value % 3));
          calls--;
        },
        { concurrency },
      );
      expect(seen).toEqual(upTo(60));
      expect(most).toBe(concurrency);
      expect(ahead).toBeLessThanOrEqual(6);
      expect(calls).toBe(0);
    }
  });

  it('rejects with what a call throws or rejects, and cancels the stream', async () => {
    for (const fn of [
      (x: number) => {
        if (x === 5) throw new Error('five');
      },
      async (x: number) => {
        await turn();
        if (x === 5) throw new Error('five');
      },
    ]) {
      const source = counted();
      const stream = runStream('test', new TestBackend<number, number>(same), source);
      await expect(stream.forEachAsync(fn, { concurrency: 2 })).rejects.toThrow('five');
      await stream.closed;
      expect(source.returned).toBe(1);
    }
  });

  it('rejects when the stream does, and refuses nonsense', async () => {
    const stream = runStream('test', new TestBackend<number, number>(same), [1]);
    await expect(stream.forEachAsync(() => {}, { concurrency: 0 })).rejects.toMatchObject({
      code: 'MP_INVALID_ARGUMENT',
    });
    await expect(stream.forEachAsync(() => {}, { concurency: 1 } as never)).rejects.toMatchObject({
      code: 'MP_UNKNOWN_OPTION',
    });
    await expect(stream.forEachAsync(5 as never)).rejects.toMatchObject({ code: 'MP_INVALID_ARGUMENT' });
    const failing = runStream(
      'test',
      new TestBackend(() => {
        throw new Error('item');
      }),
      [1],
    );
    await expect(failing.forEachAsync(() => {})).rejects.toThrow('item');
    await runStream('test', new TestBackend<number, number>(same), upTo(5)).forEachAsync(() => turn(), {
      concurrency: Number.POSITIVE_INFINITY,
    });
  });
});

describe('progress', () => {
  it('samples the execution under way, ends with its last state, and completes with it', async () => {
    const stream = runStream('test', new TestBackend<number, number>(same, { seed: 1 }), upTo(1000));
    const samples: Progress[] = [];
    let completed = false;
    stream.progress.subscribe({
      next: (sample) => samples.push(sample),
      complete: () => {
        completed = true;
      },
    });
    await stream.forEachAsync(async (value) => {
      if (value % 100 === 0) await new Promise((done) => setTimeout(done, 30));
    });
    expect(completed).toBe(true);
    expect(samples.length).toBeGreaterThan(2);
    expect(samples.length).toBeLessThan(100);
    const counts = { pulled: 1000, running: 0, buffered: 0, delivered: 1000, failed: 0, total: 1000 };
    expect(samples.at(-1)).toEqual({ ...counts, rate: expect.any(Number), eta: 0 });
    for (const sample of samples) expect(sample.running + sample.buffered + sample.delivered).toBe(sample.pulled);
    expect(samples.some((sample) => sample.delivered > 0 && sample.delivered < 1000)).toBe(true);
  });

  it('counts failures, and knows no total where the source tells none', async () => {
    const odd = (x: number): number => {
      if (x % 2 === 1) throw new Error('odd');
      return x;
    };
    const stream = runStream('test', new TestBackend(odd), counted(20), { errors: 'skip' });
    const last = lastValueFrom(stream.progress);
    await stream.toArray();
    expect(await last).toEqual({
      pulled: 20,
      running: 0,
      buffered: 0,
      delivered: 10,
      failed: 10,
      rate: expect.any(Number),
    });
  });

  it('shows a late watcher the present state, and starts nothing by itself', async () => {
    const backend = new TestBackend<number, number>(same);
    const stream = runStream('test', backend, upTo(8));
    stream.progress.subscribe().unsubscribe();
    expect(backend.jobs.length).toBe(0);
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    await settle();
    const counts = { pulled: 8, running: 0, delivered: 1, failed: 0, total: 8, rate: expect.any(Number), eta: 0 };
    expect(await firstValueFrom(stream.progress)).toEqual({ ...counts, buffered: 7 });
    const last = lastValueFrom(stream.progress);
    await iterator.return?.();
    expect(await last).toEqual({ ...counts, buffered: 0 });
  });
});

describe('memory', () => {
  it('is not held by results that were delivered or items that were read', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const items: WeakRef<object>[] = [];
    const results: WeakRef<object>[] = [];
    function* source(): Generator<object> {
      for (let i = 0; i < 100; i++) {
        const item = { i };
        items.push(new WeakRef(item));
        yield item;
      }
    }
    const make = (item: object): object => {
      const result = { item };
      results.push(new WeakRef(result));
      return result;
    };
    const stream = runStream('test', new TestBackend(make, { chunkSize: 5 }), source(), { window: 20 });
    const iterator = stream[Symbol.asyncIterator]();
    for (let i = 0; i < 50; i++) await iterator.next();
    await settle();
    const alive = (refs: WeakRef<object>[]): number =>
      refs.slice(0, 45).filter((ref) => ref.deref() !== undefined).length;
    const collected = async (): Promise<boolean> => {
      await turn();
      gc();
      return alive(items) + alive(results) === 0;
    };
    for (let i = 0; i < 50 && !(await collected()); i++);
    expect([alive(items), alive(results)]).toEqual([0, 0]);
    expect(results.length).toBeGreaterThan(50);
    await iterator.return?.();
    await until(() => true, 'a turn');
  });
});
