import { lastValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { collect } from '../../src/streams/index.js';
import { until } from '../support/until.js';
import { TestBackend } from './backends.js';
import { counted, countedAsync, settle, turn, upTo } from './sources.js';

describe('collect', () => {
  it('gives the results in the order of the source, whatever its kind and however the backend finishes', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const backend = new TestBackend((x: number) => x * 3, { seed, parallelism: 3, chunkSize: seed });
      expect(await collect('test', upTo(1000), backend).promise).toEqual(upTo(1000).map((x) => x * 3));
      expect(await collect('test', countedAsync(300), backend).promise).toEqual(upTo(300).map((x) => x * 3));
      expect(backend.last.violations).toEqual([]);
      expect(backend.last.ended).toBe(true);
    }
  });

  it('gives [] for nothing', async () => {
    const backend = new TestBackend(String);
    for (const source of [[], counted(0), countedAsync(0)]) {
      const collection = collect('test', source as Iterable<number>, backend, { chunkSize: 20 });
      expect(await collection.promise).toEqual([]);
      await collection.closed;
    }
  });

  it('reads inputs no further ahead than its window', async () => {
    const source = counted(200);
    let most = 0;
    let settled = 0;
    const work = async (x: number): Promise<number> => {
      await turn();
      most = Math.max(most, source.pulled - settled);
      settled++;
      return x;
    };
    await collect('test', source, new TestBackend(work, { chunkSize: 3 }), { window: 12 }).promise;
    // An item settles here a moment before the core hears of it.
    expect(most).toBeLessThanOrEqual(12);
    expect(most).toBeGreaterThan(3);
  });

  it('lets all items settle before it raises the error that came first', async () => {
    const done: number[] = [];
    const work = async (x: number): Promise<number> => {
      if (x === 7) throw new RangeError('seven');
      if (x === 2) {
        await settle(5);
        throw new RangeError('two');
      }
      done.push(x);
      return x;
    };
    const backend = new TestBackend(work, { parallelism: 10, chunkSize: 1 });
    await expect(collect('test', upTo(100), backend).promise).rejects.toThrow('seven');
    expect(done.length).toBe(98);
    expect(backend.last.settled).toBe(100);
    expect(backend.last.cancelled).toBe(0);
  });

  it('rejects with the error of a source that throws, cancels the items under way, and the backend stays usable', async () => {
    const iterables = {
      'at once': {
        [Symbol.iterator](): Iterator<number> {
          throw new SyntaxError('input');
        },
      },
      'in the middle': (function* () {
        yield* upTo(10);
        throw new SyntaxError('input');
      })(),
      'while claiming a length': {
        length: 3,
        *[Symbol.iterator](): Generator<number> {
          yield 1;
          throw new SyntaxError('input');
        },
      },
    };
    for (const [when, source] of Object.entries(iterables)) {
      const backend = new TestBackend((x: number) => x);
      const collection = collect('test', source as Iterable<number>, backend);
      await expect(collection.promise, when).rejects.toThrow('input');
      await collection.closed;
      expect(backend.last.running).toBe(0);
      expect(backend.last.cancelled).toBe(1);
      expect(await collect('test', upTo(9), backend).promise).toEqual(upTo(9));
    }
  });

  it('rejects at once when cancelled or aborted, returns the source and closes when the items have ended', async () => {
    for (const how of ['cancel', 'abort', 'default']) {
      let open: () => void = () => {};
      const gate = new Promise<void>((done) => (open = done));
      const source = counted();
      const backend = new TestBackend((x: number) => gate.then(() => x));
      const controller = new AbortController();
      const collection = collect('test', source, backend, { signal: controller.signal });
      await settle();
      if (how === 'cancel') collection.cancel(new Error('enough'));
      else if (how === 'abort') controller.abort(new Error('enough'));
      else collection.cancel();
      if (how === 'default') await expect(collection.promise).rejects.toMatchObject({ name: 'AbortError' });
      else await expect(collection.promise).rejects.toThrow('enough');
      let closed = false;
      void collection.closed.then(() => (closed = true));
      await settle();
      expect(closed).toBe(false);
      expect(source.returned).toBe(1);
      open();
      await until(() => closed, 'closed');
      collection.cancel();
    }
    const never = new TestBackend((x: number) => x);
    await expect(
      collect('test', [1], never, { signal: AbortSignal.abort(new Error('early')) }).promise,
    ).rejects.toThrow('early');
    expect(never.jobs.length).toBe(0);
  });

  it('tells its progress', async () => {
    const backend = new TestBackend((x: number) => x, { seed: 1 });
    const collection = collect('test', upTo(200), backend);
    const last = lastValueFrom(collection.progress);
    await collection.promise;
    expect(await last).toMatchObject({ pulled: 200, running: 0, buffered: 0, delivered: 200, failed: 0, total: 200 });
  });

  it('refuses what is no source at once', () => {
    expect(() => collect('Pool.map', Promise.resolve([1]) as never, new TestBackend(String))).toThrow(
      /Pool\.map: .*Await the promise/,
    );
  });
});
