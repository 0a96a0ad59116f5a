import { describe, expect, it } from 'vitest';
import { runStream } from '../../src/streams/index.js';
import { until } from '../support/until.js';
import { TestBackend } from './backends.js';
import { counted, countedAsync, countedReadable, settle, turn, upTo } from './sources.js';

const double = (x: number): number => x * 2;

describe('the order of results', () => {
  it('is the source order when ordered, however the backend finishes', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const backend = new TestBackend(double, { seed, parallelism: 3, chunkSize: 5 });
      expect(await runStream('test', backend, upTo(500)).toArray()).toEqual(upTo(500).map(double));
      expect(backend.last.violations).toEqual([]);
      expect(backend.last.ended).toBe(true);
      expect(backend.last.cancelled).toBe(0);
    }
  });

  it('is the order of arrival when unordered, and nothing is lost or doubled', async () => {
    const backend = new TestBackend(double, { seed: 7, parallelism: 3, chunkSize: 5 });
    const results = await runStream('test', backend, upTo(500), { ordered: false }).toArray();
    expect(results).not.toEqual(upTo(500).map(double));
    expect([...results].sort((a, b) => a - b)).toEqual(upTo(500).map(double));
  });

  it('holds when results come one flush at a time and chunk sizes change under way', async () => {
    let size = 1;
    const backend = new TestBackend(double, { seed: 3, single: true, chunkSize: () => 1 + (size++ % 40) });
    expect(await runStream('test', backend, upTo(2000)).toArray()).toEqual(upTo(2000).map(double));
    expect(backend.last.violations).toEqual([]);
    expect(Math.max(...backend.last.chunks)).toBeGreaterThan(4);
  });
});

describe('the window', () => {
  const kinds = {
    'a synchronous iterable': () => {
      const watch = counted();
      return { watch, source: watch };
    },
    'an asynchronous iterable': () => {
      const watch = countedAsync();
      return { watch, source: watch };
    },
    'a ReadableStream': () => {
      const watch = countedReadable();
      return { watch, source: watch.stream };
    },
  };
  for (const [kind, make] of Object.entries(kinds)) {
    for (const ordered of [true, false]) {
      it(`is never exceeded by ${kind} that never ends, read ${ordered ? 'in order' : 'unordered'} by a slow consumer`, async () => {
        for (const window of [1, 2, 7, 8, 64]) {
          const { watch, source } = make();
          const backend = new TestBackend(double, { parallelism: 4, chunkSize: 16 });
          let taken = 0;
          let most = 0;
          for await (const value of runStream('test', backend, source, { window, ordered })) {
            taken++;
            expect(value % 2).toBe(0);
            await settle(3);
            most = Math.max(most, watch.pulled - taken);
            if (taken === 20) break;
          }
          await settle();
          expect(most).toBeLessThanOrEqual(window);
          expect(most).toBeGreaterThanOrEqual(Math.min(window, 4));
          expect(watch.returned).toBe(1);
          expect(Math.max(...backend.last.chunks)).toBeLessThanOrEqual(Math.max(1, Math.floor(window / 8)));
          expect(backend.last.violations).toEqual([]);
        }
      });
    }
  }

  it('counts the value a consumer is just being handed, as the source sees it', async () => {
    let taken = 0;
    let most = 0;
    function* source(): Generator<number> {
      for (let i = 0; ; i++) {
        most = Math.max(most, i + 1 - taken);
        yield i;
      }
    }
    const run = (ordered: boolean) =>
      runStream('test', new TestBackend(double, { seed: 8, chunkSize: 3 }), source(), { window: 12, ordered });
    for (const ordered of [true, false]) {
      for (const slow of [true, false]) {
        taken = 0;
        for await (const _ of run(ordered)) {
          taken++;
          if (slow) await settle(2);
          if (taken === 100) break;
        }
        taken = 0;
        await new Promise<void>((done) => {
          const subscription = run(ordered).subscribe(() => {
            if (++taken < 100) return;
            subscription.unsubscribe();
            done();
          });
        });
        taken = 0;
        const stop = run(ordered).forEachAsync(async () => {
          if (++taken === 100) throw new Error('enough');
          if (slow) await turn();
        });
        await expect(stop).rejects.toThrow('enough');
      }
    }
    expect(most).toBe(12);
  });

  it('defaults to twice the parallelism times the chunk size, and follows the chunk size', async () => {
    const watch = counted();
    let chunk = 3;
    const iterator = runStream(
      'test',
      new TestBackend(double, { parallelism: 2, chunkSize: () => chunk, pipeline: 9 }),
      watch,
    )[Symbol.asyncIterator]();
    await iterator.next();
    await settle();
    expect(watch.pulled).toBe(12);
    chunk = 10;
    for (let i = 0; i < 5; i++) await iterator.next();
    await settle();
    expect(watch.pulled - 6).toBeLessThanOrEqual(40);
    expect(watch.pulled - 6).toBeGreaterThan(30);
    await iterator.return?.();
  });

  it('is refilled chunk by chunk, not slot by slot, while a slow consumer has results left', async () => {
    const backend = new TestBackend(double, { parallelism: 2, chunkSize: 32 });
    let taken = 0;
    for await (const _ of runStream('test', backend, counted(3200))) {
      taken++;
      await turn();
    }
    expect(taken).toBe(3200);
    expect(backend.last.chunks.every((size) => size === 32)).toBe(true);
  });
});

describe('partial chunks', () => {
  it('go out while a worker is idle, though the source has given only one item', async () => {
    let release: () => void = () => {};
    const source = countedAsync(3, (i) => (i === 1 ? new Promise<void>((done) => (release = done)) : undefined));
    const stream = runStream('test', new TestBackend(double, { chunkSize: 100 }), source)[Symbol.asyncIterator]();
    expect(await stream.next()).toEqual({ done: false, value: 0 });
    release();
    expect(await stream.next()).toEqual({ done: false, value: 2 });
    expect(await stream.next()).toEqual({ done: false, value: 4 });
    expect((await stream.next()).done).toBe(true);
  });

  it('go out at the end of the turn when no worker is idle and the source is slow', async () => {
    const gates: (() => void)[] = [];
    const backend = new TestBackend((x: number) => new Promise<number>((done) => gates.push(() => done(x))), {
      parallelism: 1,
      chunkSize: 100,
      pipeline: 5,
    });
    let more: () => void = () => {};
    const source = countedAsync(9, (i) => (i === 5 ? new Promise<void>((done) => (more = done)) : undefined));
    const all = runStream('test', backend, source).toArray();
    await settle();
    // The first went alone, the worker was idle; the four behind it were not held back for the 96 that do not come.
    expect(backend.last.chunks).toEqual([1, 4]);
    more();
    await until(() => backend.last.ended, 'the end of the source');
    while (backend.last.settled < 9) {
      for (const gate of gates.splice(0)) gate();
      await turn();
    }
    expect(await all).toEqual(upTo(9));
  });

  it('use up the window when one slow item holds the order and a worker is idle', async () => {
    let open: () => void = () => {};
    const gate = new Promise<void>((done) => (open = done));
    const backend = new TestBackend(async (x: number) => (x === 0 ? gate.then(() => 0) : x), {
      chunkSize: 9,
      pipeline: 9,
    });
    const all = runStream('test', backend, upTo(30), { window: 9 }).toArray();
    await settle();
    expect(backend.last.chunks).toEqual([2, 2, 2, 2, 1]); // 9 = 4 chunks of 2, and 1 left over
    open();
    expect(await all).toEqual(upTo(30));
  });

  it('are filled to whole chunks by an asynchronous source that keeps up', async () => {
    const backend = new TestBackend(double, { parallelism: 2, chunkSize: 50 });
    await runStream('test', backend, countedAsync(5000)).toArray();
    expect(backend.last.chunks.length).toBeLessThan(5000 / 10);
  });
});

describe('an empty source', () => {
  it('gives nothing, and ends the job', async () => {
    for (const source of [[], counted(0), countedAsync(0), countedReadable(0).stream, new Set<number>(), '']) {
      const backend = new TestBackend(String, {});
      const stream = runStream('test', backend, source as Iterable<unknown>);
      expect(await stream.toArray()).toEqual([]);
      await stream.closed;
      expect(backend.last.ended).toBe(true);
    }
  });
});
