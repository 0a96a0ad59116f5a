/** What travels with a call: stores of the pool, the trace of the caller; and tracing channels. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Pool, Process, Queue } from 'multiprocess';
import { afterEach, describe, expect, it } from 'vitest';
import { currentUser, requestStore } from '../fixtures/request-store.js';

const store = new AsyncLocalStorage<number>();
const read = (): number | undefined => store.getStore();

describe.each([1, 3])('stores, %d items at once', (concurrency) => {
  it('have the value of the call in its task, also after it has waited', async () => {
    await using pool = new Pool({ processes: 1, concurrency, stores: [store] });
    const later = async (x: number): Promise<readonly [number, number | undefined]> => {
      await new Promise((done) => setTimeout(done, 5));
      return [x, store.getStore()];
    };
    const calls = [1, 2, 3, 4].map((n) => store.run(n, () => pool.apply(later, [n])));
    expect(await Promise.all(calls)).toEqual([1, 2, 3, 4].map((n) => [n, n]));
    expect(await pool.apply(read)).toBeUndefined();
    expect(await store.run(0, () => pool.apply(read))).toBe(0);
  });

  it('have the value of a map and a stream in all of their items', async () => {
    await using pool = new Pool({ processes: 2, concurrency, stores: [store] });
    const items = Array.from({ length: 50 }, (_, i) => i);
    const [maps, streamed, objects] = await Promise.all([
      store.run(5, () => pool.map(read as (x: number) => number | undefined, items)),
      store
        .run(6, () => pool.imapUnordered(read as (x: number) => number | undefined, items, { chunkSize: 3 }))
        .toArray(),
      // Items that are messages of their own.
      store.run(7, () =>
        pool.map((_: object) => store.getStore(), [{ a: new Map() }, { a: new Set() }], { chunkSize: 2 }),
      ),
    ]);
    expect(new Set(maps)).toEqual(new Set([5]));
    expect(new Set(streamed)).toEqual(new Set([6]));
    expect(objects).toEqual([7, 7]);
  });

  it('are those of the module that exports them', async () => {
    await using pool = new Pool({ processes: 1, concurrency, stores: [store, requestStore] });
    const asks = () =>
      store.run(1, () =>
        requestStore.run({ user: 'ada' }, () =>
          pool.apply(() => [store.getStore(), currentUser(), requestStore.getStore()]),
        ),
      );
    expect(await asks()).toEqual([1, 'ada', { user: 'ada' }]);
    expect(await requestStore.run({ user: 'eve' }, () => pool.apply(currentUser))).toBe('eve');
    expect(await pool.apply(currentUser)).toBe('nobody');
  });

  it('keep their value through retries, and in another worker', async () => {
    await using pool = new Pool({ processes: 1, concurrency, stores: [store], retries: 1 });
    const dies = (first: number): number | undefined => {
      if (process.pid === first) process.kill(process.pid, 'SIGKILL');
      return store.getStore();
    };
    const first = await pool.apply(() => process.pid);
    if (first === process.pid) return;
    expect(await store.run(9, () => pool.apply(dies, [first]))).toBe(9);
  });
});

it('a store goes on to pools and processes that a task starts', async () => {
  const queue = new Queue<number | undefined>();
  await using pool = new Pool({ processes: 1, stores: [store] });
  const nested = async (): Promise<readonly [number | undefined, boolean]> => {
    const inner = new Pool({ processes: 1, stores: [store] });
    const value = await inner.apply(() => store.getStore());
    await inner.terminate();
    return [value, typeof store.getStore === 'function'];
  };
  expect(await store.run(3, () => pool.apply(nested))).toEqual([3, true]);
  const child = await new Process(async () => queue.put(store.run(4, () => store.getStore()))).start();
  expect(await queue.get()).toBe(4);
  await child.join();
  queue.close();
});

it('a value that cannot be sent is refused by its path', async () => {
  const any = new AsyncLocalStorage<unknown>();
  await using pool = new Pool({ processes: 1, stores: [store, any] });
  await expect(any.run({ deep: new WeakRef({}) }, () => pool.apply(() => 1))).rejects.toMatchObject({
    code: 'MP_WEAK',
    message: expect.stringContaining('.deep <- the value of stores[1]'),
  });
  expect(await pool.apply(() => 1)).toBe(1);
});

it('refuses what is no store', () => {
  expect(() => new Pool({ stores: store as never })).toThrow(
    /`stores` must be an array of AsyncLocalStorage, not an instance of/,
  );
  expect(() => new Pool({ stores: [new Map() as never] })).toThrow(/has an instance of Map/);
  class Mine extends AsyncLocalStorage<number> {}
  expect(() => new Pool({ stores: [new Mine()] })).toThrow(/a subclass of AsyncLocalStorage/);
});

describe('the trace of the caller', () => {
  const API = Symbol.for('opentelemetry.js.api.1');
  const scope = globalThis as { [API]?: unknown };
  afterEach(() => void delete scope[API]);

  /** Registers a tracer as OpenTelemetry's API has it, with W3C's propagator; returns how to run in a trace. */
  const register = (): ((parent: string, fn: () => unknown) => unknown) => {
    const { AsyncLocalStorage: Storage } = process.getBuiltinModule('node:async_hooks');
    const active = new Storage<string>();
    (globalThis as Record<symbol, unknown>)[Symbol.for('opentelemetry.js.api.1')] = {
      version: '1.9.0',
      context: {
        active: () => active.getStore() ?? '',
        with: (context: string, fn: () => unknown) => active.run(context, fn),
      },
      propagation: {
        inject(context: string, carrier: object, setter: { set(carrier: object, key: string, value: string): void }) {
          if (context !== '') setter.set(carrier, 'traceparent', context);
        },
        extract: (
          context: string,
          carrier: object,
          getter: { get(carrier: object, key: string): string | undefined },
        ) => getter.get(carrier, 'traceparent') ?? context,
      },
    };
    return (parent, fn) => active.run(parent, fn);
  };
  const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const activeTrace = (): unknown =>
    (globalThis as unknown as Record<symbol, { context: { active(): unknown } }>)[
      Symbol.for('opentelemetry.js.api.1')
    ]?.context.active() ?? null;

  it('is that of its tasks, where workers have a tracer', async () => {
    const within = register();
    await using pool = new Pool({ processes: 1, initializer: register });
    expect(await (within(PARENT, () => pool.apply(activeTrace)) as Promise<unknown>)).toBe(PARENT);
    expect(await (within(PARENT, () => pool.map(activeTrace, [1, 2, 3])) as Promise<unknown>)).toEqual([
      PARENT,
      PARENT,
      PARENT,
    ]);
    expect(await pool.apply(activeTrace)).toBe('');
  });

  it('harms nobody where there is none', async () => {
    const within = register();
    await using pool = new Pool({ processes: 1 });
    expect(await (within(PARENT, () => pool.apply(() => 'ran')) as Promise<unknown>)).toBe('ran');
  });

  it('is told to subscribers of the tracing channel, with the beginning and the end of each task', async () => {
    const within = register();
    await using pool = new Pool({
      processes: 1,
      initializer: () => {
        const log: unknown[] = [];
        const { tracingChannel } = process.getBuiltinModule('node:diagnostics_channel');
        const note = (name: string) => (message: object) => {
          const { error, ...rest } = message as { error?: Error };
          log.push([name, rest, ...(error === undefined ? [] : [error.message])]);
        };
        tracingChannel('multiprocess:task').subscribe({
          start: note('start'),
          end: note('end'),
          asyncStart: note('asyncStart'),
          asyncEnd: note('asyncEnd'),
          error: note('error'),
        });
        (globalThis as { traced?: unknown[] }).traced = log;
      },
    });
    const log = () => (globalThis as unknown as { traced: unknown[] }).traced.splice(0);
    await (within(PARENT, () => pool.apply(() => 1)) as Promise<unknown>);
    const told = { attempt: 0, worker: 0, trace: { traceparent: PARENT } };
    expect((await pool.apply(log)).slice(0, 2)).toEqual([
      ['start', told],
      ['end', told],
    ]);
    await pool
      .apply(async () => {
        await null;
        throw new Error('later');
      })
      .catch(() => {});
    const untraced = { ...told, trace: null };
    const events = (await pool.apply(log)) as unknown[][];
    // The first is the end of the look before.
    expect(events.slice(1, 6).map(([name]) => name)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
    expect(events[3]).toEqual(['error', untraced, 'later']);
  });
});
