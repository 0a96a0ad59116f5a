/**
 * A source whose next() never settles is returned at once when its stream is left, however that happens: what it holds would be
 * held for ever otherwise. `events.on` stands for all hand-written iterators; it keeps listeners until it is returned.
 */
import { EventEmitter, on } from 'node:events';
import { Pool } from 'multiprocess';
import {
  batchPull,
  concatMapPull,
  filterPull,
  mapPull,
  mergeMapPull,
  poolMap,
  remote,
  takePull,
  throughQueue,
  toQueue,
} from 'multiprocess/operators';
import { Queue } from 'multiprocess/queues';
import { firstValueFrom, lastValueFrom, type Observable, type OperatorFunction } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/until.js';

let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 1 });
});
afterAll(() => pool.terminate());

const echo = (x: unknown[]) => x[0];

/** A source with one item, which then waits for ever; and whether anybody still listens. */
function waiting(first: unknown = 1): { source: AsyncIterable<unknown[]>; emitter: EventEmitter } {
  const emitter = new EventEmitter();
  const source = {
    [Symbol.asyncIterator]() {
      const iterator = on(emitter, 'x');
      emitter.emit('x', first);
      return iterator as AsyncIterator<unknown[]>;
    },
  };
  return { source, emitter };
}

const listeners = (emitter: EventEmitter) => emitter.listenerCount('x') + emitter.listenerCount('error');

const streams: Record<string, (source: AsyncIterable<unknown[]>) => AsyncIterable<unknown> & Observable<unknown>> = {
  imap: (source) => pool.imap(echo, source, { chunkSize: 1 }),
  imapUnordered: (source) => pool.imapUnordered(echo, source, { chunkSize: 1 }),
  enumerate: (source) => pool.imap(echo, source, { chunkSize: 1 }).enumerate(),
  mapPull: (source) => piped(source, mapPull(echo)),
  filterPull: (source) =>
    piped(
      source,
      filterPull(() => true),
    ),
  takePull: (source) => piped(source, takePull(5)),
  batchPull: (source) => piped(source, batchPull(1)),
  concatMapPull: (source) =>
    piped(
      source,
      concatMapPull((x) => [x]),
    ),
  'mergeMapPull, inner': (source) =>
    piped(
      ['a'],
      mergeMapPull(() => source),
    ),
  poolMap: (source) => piped(source, poolMap(pool, echo, { chunkSize: 1 })),
};

function piped<T, R>(
  source: Iterable<T> | AsyncIterable<T>,
  operator: OperatorFunction<T, R>,
): AsyncIterable<R> & Observable<R> {
  return operator(source as never) as never;
}

describe.each(Object.entries(streams))('%s returns a source that waits', (_, make) => {
  it('when the loop is left', async () => {
    const { source, emitter } = waiting();
    for await (const _ of make(source)) break;
    expect(listeners(emitter)).toBe(0);
  });

  it('when a next() of the stream is pending', { timeout: 5_000 }, async () => {
    const { source, emitter } = waiting();
    const iterator = make(source)[Symbol.asyncIterator]();
    await iterator.next();
    const pending = iterator.next();
    await iterator.return?.();
    expect(listeners(emitter)).toBe(0);
    expect(await pending).toMatchObject({ done: true });
  });

  it('when the subscriber leaves', async () => {
    const { source, emitter } = waiting();
    await firstValueFrom(make(source));
    expect(listeners(emitter)).toBe(0);
  });
});

describe('a source that waits is returned', () => {
  it('by a map that is aborted', async () => {
    const { source, emitter } = waiting();
    const controller = new AbortController();
    const result = pool.map(echo, source, { signal: controller.signal });
    await until(() => listeners(emitter) > 0, 'the reading of the source');
    await pool.apply(() => 1);
    controller.abort(new Error('enough'));
    await expect(result).rejects.toThrow('enough');
    expect(listeners(emitter)).toBe(0);
  });

  it.each(['imap', 'imapUnordered'] as const)('by %s when an item fails', async (name) => {
    const { source, emitter } = waiting();
    const stream = pool[name](
      () => {
        throw new Error('on purpose');
      },
      source,
      { chunkSize: 1 },
    );
    await expect(lastValueFrom(stream)).rejects.toThrow('on purpose');
    expect(listeners(emitter)).toBe(0);
  });

  it('by mapPull when its function fails', async () => {
    const { source, emitter } = waiting();
    const failing = mapPull(() => Promise.reject(new Error('on purpose')));
    await expect(lastValueFrom(piped(source, failing))).rejects.toThrow('on purpose');
    expect(listeners(emitter)).toBe(0);
  });

  it('by an inner source that fails', async () => {
    const { source, emitter } = waiting();
    const inner = async function* () {
      await new Promise((done) => setImmediate(done));
      yield Promise.reject(new Error('on purpose'));
    };
    await expect(
      lastValueFrom(
        piped(
          ['a', 'b'],
          mergeMapPull((x) => (x === 'a' ? source : inner())),
        ),
      ),
    ).rejects.toThrow('on purpose');
    expect(listeners(emitter)).toBe(0);
  });

  it('by an aborted stream, and by one that is disposed of', async () => {
    const one = waiting();
    const controller = new AbortController();
    const aborted = pool.imap(echo, one.source, { chunkSize: 1, signal: controller.signal });
    const iterator = aborted[Symbol.asyncIterator]();
    await iterator.next();
    controller.abort(new Error('enough'));
    expect(listeners(one.emitter)).toBe(0);
    const other = waiting();
    const disposed = pool.imap(echo, other.source, { chunkSize: 1 });
    await disposed[Symbol.asyncIterator]().next();
    await disposed[Symbol.asyncDispose]();
    expect(listeners(other.emitter)).toBe(0);
  });

  it.each([
    ['toQueue', toQueue],
    ['throughQueue', throughQueue],
  ] as const)('by %s when the subscriber leaves', async (_, operator) => {
    const { source, emitter } = waiting();
    const queue = new Queue<unknown>();
    const subscription = (operator as typeof toQueue<unknown>)(queue)(source as never).subscribe();
    await until(() => listeners(emitter) > 0 && subscription.closed === false, 'the reading of the source');
    subscription.unsubscribe();
    expect(listeners(emitter)).toBe(0);
    queue.close();
  });

  it('by toReadable and toReadableStream', async () => {
    const one = waiting();
    const readable = pool.imap(echo, one.source, { chunkSize: 1 }).toReadable();
    for await (const _ of readable) break;
    expect(listeners(one.emitter)).toBe(0);
    const other = waiting();
    const reader = pool.imap(echo, other.source, { chunkSize: 1 }).toReadableStream().getReader();
    await reader.read();
    await reader.cancel();
    expect(listeners(other.emitter)).toBe(0);
  });

  it('by forEachAsync when its function fails', async () => {
    const { source, emitter } = waiting();
    const failing = pool
      .imap(echo, source, { chunkSize: 1 })
      .forEachAsync(() => Promise.reject(new Error('on purpose')));
    await expect(failing).rejects.toThrow('on purpose');
    expect(listeners(emitter)).toBe(0);
  });

  it('in the worker of a remote source', async () => {
    const target = () => {
      const scope = globalThis as { returned?: number };
      scope.returned = 0;
      let i = 0;
      return {
        [Symbol.asyncIterator]: () => ({
          next: () => (i++ === 0 ? Promise.resolve({ done: false, value: 1 }) : new Promise<never>(() => {})),
          return: () => {
            scope.returned!++;
            return Promise.resolve({ done: true, value: undefined });
          },
        }),
      } as AsyncIterable<number>;
    };
    for await (const _ of remote(pool, target, [])) break;
    expect(await pool.apply(() => (globalThis as { returned?: number }).returned)).toBe(1);
  });
});
