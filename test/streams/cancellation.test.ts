import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import type { Subscription } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { ClosedError } from '../../src/errors/index.js';
import { collect, runStream } from '../../src/streams/index.js';
import { TestBackend } from './backends.js';
import { counted, countedAsync, countedReadable, settle, turn } from './sources.js';

type Kind = 'sync' | 'async' | 'slow' | 'readable' | 'generator';

function make(kind: Kind) {
  if (kind === 'sync') return { watch: counted(), source: undefined };
  if (kind === 'async') return { watch: countedAsync(), source: undefined };
  if (kind === 'slow') return { watch: countedAsync(undefined, turn), source: undefined };
  if (kind === 'readable') {
    const watch = countedReadable();
    return { watch, source: watch.stream };
  }
  const watch = { pulled: 0, returned: 0 };
  async function* generate(): AsyncGenerator<number> {
    try {
      for (;;) {
        if (watch.pulled % 3 === 0) await turn();
        yield watch.pulled++;
      }
    } finally {
      watch.returned++;
    }
  }
  return { watch, source: generate() };
}

describe('leaving a stream early', () => {
  it('returns the source exactly once, cancels the job, delivers nothing afterwards and closes, wherever and however it happens', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<Kind>('sync', 'async', 'slow', 'readable', 'generator'),
        fc.constantFrom('break', 'return', 'unsubscribe', 'abort', 'dispose'),
        fc.record({
          take: fc.integer({ min: 1, max: 60 }),
          seed: fc.integer({ min: 1, max: 1000 }),
          window: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
          chunkSize: fc.integer({ min: 1, max: 9 }),
          ordered: fc.boolean(),
          delay: fc.integer({ min: 0, max: 3 }),
        }),
        async (kind, how, { take, seed, window, chunkSize, ordered, delay }) => {
          const { watch, source = watch } = make(kind);
          const backend = new TestBackend((x: number) => x, { seed, chunkSize });
          const controller = new AbortController();
          const options = { ordered, signal: controller.signal, ...(window === undefined ? {} : { window }) };
          const stream = runStream('test', backend, source as unknown as Iterable<number>, options);
          let seen = 0;
          let after = 0;
          let gone = false;
          let error: unknown;
          const count = (): boolean => {
            if (gone) after++;
            return ++seen === take;
          };
          if (how === 'unsubscribe') {
            await new Promise<void>((done) => {
              const subscription: Subscription = stream.subscribe(() => {
                if (!count()) return;
                gone = true;
                subscription.unsubscribe();
                done();
              });
            });
          } else if (how === 'return') {
            const iterator = stream[Symbol.asyncIterator]();
            const pending: Promise<IteratorResult<number, undefined>>[] = [];
            for (let i = 0; i < take; i++) pending.push(iterator.next());
            for (let i = 0; i < delay; i++) await turn();
            const returned = iterator.return?.();
            gone = true;
            await returned;
            const results = await Promise.all(pending);
            const first = results.findIndex((result) => result.done);
            if (first >= 0) expect(results.slice(first).every((result) => result.done)).toBe(true);
            expect(await iterator.next()).toEqual({ done: true, value: undefined });
          } else {
            try {
              for await (const _ of stream) {
                const enough = count();
                if (!enough) continue;
                gone = true;
                if (how === 'break') break;
                if (how === 'abort') controller.abort(new Error('enough'));
                else void stream[Symbol.asyncDispose]();
              }
            } catch (caught) {
              error = caught;
            }
          }
          if (how === 'abort') expect(error).toEqual(new Error('enough'));
          else if (how === 'dispose') expect(error).toBeInstanceOf(ClosedError);
          else expect(error).toBe(undefined);
          await stream.closed;
          await settle(8);
          const { pulled } = watch;
          await settle(4);
          expect(watch.pulled).toBe(pulled);
          expect(after).toBe(0);
          expect(watch.returned).toBe(1);
          expect(backend.last.cancelled).toBe(1);
          expect(backend.last.running).toBe(0);
          expect(backend.last.violations).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('does not wait for a next() of the source that never settles', async () => {
    const source = countedAsync(undefined, (i) => (i === 2 ? new Promise(() => {}) : undefined));
    const stream = runStream('test', new TestBackend((x: number) => x), source);
    for await (const value of stream) if (value === 1) break;
    await stream.closed;
    expect(source.returned).toBe(1);
  });

  it('has run the `finally` of a generator that does not wait when the loop is over', async () => {
    for (let i = 0; i < 50; i++) {
      let ended = 0;
      async function* source(): AsyncGenerator<number> {
        try {
          for (let i = 0; ; i++) yield i;
        } finally {
          ended++;
        }
      }
      for await (const value of runStream('test', new TestBackend((x: number) => x), source())) if (value === i) break;
      expect(ended).toBe(1);
    }
  });

  it('returns the source at once, once, while its next() is pending, and drops that item', async () => {
    let release: () => void = () => {};
    const source = countedAsync(undefined, (i) =>
      i === 2 ? new Promise<void>((done) => (release = done)) : undefined,
    );
    const seen: number[] = [];
    const stream = runStream('test', new TestBackend((x: number) => seen.push(x)), source);
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.next();
    const left = iterator.return?.();
    expect(source.returned).toBe(1);
    await left;
    await stream.closed;
    release();
    await settle();
    expect(source.returned).toBe(1);
    expect(seen).toEqual([0, 1]);
  });

  it('lets the error of the source’s own return() reach whoever awaits return()', async () => {
    function* source(): Generator<number> {
      try {
        for (;;) yield 1;
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: that is what is tested
        throw new Error('cannot clean up');
      }
    }
    const stream = runStream('test', new TestBackend((x: number) => x), source());
    await expect(
      (async () => {
        for await (const _ of stream) break;
      })(),
    ).rejects.toThrow('cannot clean up');
    await stream.closed;
    const subscription = runStream('test', new TestBackend((x: number) => x), source()).subscribe();
    subscription.unsubscribe();
    await settle();
  });

  it('works from within the source, which is not returned while its next() is on the stack', async () => {
    const controller = new AbortController();
    let returned = 0;
    function* source(): Generator<number> {
      try {
        for (let i = 0; ; i++) {
          if (i === 10) controller.abort(new Error('by myself'));
          yield i;
        }
      } finally {
        returned++;
      }
    }
    const stream = runStream('test', new TestBackend((x: number) => x), source(), { signal: controller.signal });
    await expect(stream.toArray()).rejects.toThrow('by myself');
    await stream.closed;
    expect(returned).toBe(1);
  });

  it('with a signal that is aborted already touches neither source nor backend', async () => {
    const source = counted();
    const backend = new TestBackend((x: number) => x);
    const stream = runStream('test', backend, source, { signal: AbortSignal.abort(new Error('early')) });
    await expect(stream.toArray()).rejects.toThrow('early');
    await stream.closed;
    expect(source.pulled + source.returned + backend.jobs.length).toBe(0);
  });

  it('leaves no listener on the signal, however the execution ended', async () => {
    const { signal } = new AbortController();
    const run = () => runStream('test', new TestBackend((x: number) => x), counted(50), { signal });
    await run().toArray();
    for await (const _ of run()) break;
    await run()
      .forEachAsync(() => Promise.reject(new Error('no')))
      .catch(() => {});
    await collect('test', counted(50), new TestBackend((x: number) => x), { signal }).promise;
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    const stream = run();
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    expect(getEventListeners(signal, 'abort').length).toBe(1);
    await iterator.return?.();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('before the first next() starts nothing', async () => {
    const source = counted();
    const backend = new TestBackend((x: number) => x);
    const iterator = runStream('test', backend, source)[Symbol.asyncIterator]();
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(backend.jobs.length).toBe(0);
    expect(source.pulled).toBe(0);
  });
});

describe('closed', () => {
  it('resolves only when the cancelled items have ended', async () => {
    let finish: () => void = () => {};
    let running = false;
    const work = (): Promise<void> =>
      new Promise((done) => {
        running = true;
        finish = () => {
          running = false;
          done();
        };
      });
    const stream = runStream('test', new TestBackend(work, { parallelism: 1, chunkSize: 1 }), counted());
    const iterator = stream[Symbol.asyncIterator]();
    const pending = iterator.next();
    await settle();
    expect(running).toBe(true);
    await iterator.return?.();
    expect((await pending).done).toBe(true);
    let closed = false;
    const closing = stream.closed.then(() => (closed = true));
    await settle();
    expect(closed).toBe(false);
    finish();
    await closing;
    expect(running).toBe(false);
  });

  it('waits for every execution', async () => {
    const backend = new TestBackend((x: number) => x);
    const stream = runStream('test', backend, counted(40));
    const a = stream[Symbol.asyncIterator]();
    const b = stream[Symbol.asyncIterator]();
    await Promise.all([a.next(), b.next()]);
    let closed = false;
    const closing = stream.closed.then(() => (closed = true));
    await a.return?.();
    await settle();
    expect(closed).toBe(false);
    await b.return?.();
    await closing;
  });

  it('waits for the executions of what enumerate made of it, and disposing of it ends them', async () => {
    const backend = new TestBackend((x: number) => x);
    const [first, second] = [runStream('test', backend, counted(3)), runStream('test', backend, counted(40))];
    let closed = false;
    const closing = first.closed.then(() => (closed = true));
    await settle();
    expect(closed).toBe(false);
    expect(await first.enumerate().enumerate().toArray()).toHaveLength(3);
    await closing;

    const iterator = second.enumerate()[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toEqual([0, 0]);
    const disposing = second[Symbol.asyncDispose]();
    await expect(
      (async () => {
        while ((await iterator.next()).done !== true);
      })(),
    ).rejects.toMatchObject({ code: 'MP_CLOSED' });
    await disposing;
  });

  it('resolves after the last result was taken, though nobody asks for the end', async () => {
    const stream = runStream('test', new TestBackend((x: number) => x), [1, 2, 3]);
    const iterator = stream[Symbol.asyncIterator]();
    for (let i = 0; i < 3; i++) await iterator.next();
    await stream.closed;
  });

  it('follows disposal of a stream that never ran, and later executions get a ClosedError', async () => {
    const stream = runStream('test', new TestBackend((x: number) => x), [1, 2, 3]);
    await stream[Symbol.asyncDispose]();
    await stream.closed;
    await expect(stream.toArray()).rejects.toBeInstanceOf(ClosedError);
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'MP_CLOSED' });
    await new Promise<void>((done) => stream.subscribe({ error: () => done() }));
    await stream.closed;
  });
});
