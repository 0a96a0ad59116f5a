/**
 * Callbacks run in the AsyncLocalStorage context of whoever subscribed or called, though one pool, queue or connection serves all:
 * the request that used it first must not be seen by the others.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Client, type Connection, Listener, pipe } from 'multiprocess/connection';
import { batchPull, concatMapPull, filterPull, mapPull, mergeMapPull, poolMap, toQueue } from 'multiprocess/operators';
import { currentTask, Pool } from 'multiprocess/pool';
import { Queue, StateTopic, Topic } from 'multiprocess/queues';
import { Event, RLock } from 'multiprocess/synchronize';
import { concatMap, from, interval, lastValueFrom, map, type Observable, take, timer } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const requests = new AsyncLocalStorage<string>();
let pool: Pool;

beforeAll(async () => {
  pool = requests.run('first', () => new Pool({ processes: 1 }));
  await requests.run('first', () => lastValueFrom(pool.imap((x: number) => x, [1, 2, 3])));
});
afterAll(() => pool.terminate());

/** What the stores were in which `see` was called. */
function seen(): { see: <T>(value?: T) => T; stores: Set<string | undefined>; count: () => number } {
  const stores = new Set<string | undefined>();
  let count = 0;
  const see = <T>(value?: T): T => {
    stores.add(requests.getStore());
    count++;
    return value as T;
  };
  return { see, stores, count: () => count };
}

const slow = (x: number) => new Promise<number>((done) => setTimeout(() => done(x), 2));

/** Runs `body` as the second request, with the first one under way all the time. */
async function second(body: () => Promise<unknown>): Promise<void> {
  const busy = requests.run('first', () =>
    pool.imap(slow, interval(1).pipe(take(10)), { overflow: { policy: 'latest' } }).subscribe(),
  );
  await requests.run('second', body);
  busy.unsubscribe();
}

function over(stream: Observable<unknown>, see: () => void): Promise<void> {
  return new Promise((resolve) =>
    stream.subscribe({ next: see, error: () => resolve(see()), complete: () => resolve(see()) }),
  );
}

async function* generated(see: () => void): AsyncGenerator<number> {
  try {
    for (let i = 0; i < 40; i++) {
      see();
      yield i;
    }
  } finally {
    see();
  }
}

function* counted(see: () => void): Generator<number> {
  try {
    for (let i = 0; i < 40; i++) {
      see();
      yield i;
    }
  } finally {
    see();
  }
}

const written = (see: () => void, end = 40): AsyncIterable<number> => ({
  [Symbol.asyncIterator]: () => {
    let i = 0;
    return {
      next: async () => {
        see();
        return i < end ? { done: false, value: i++ } : { done: true, value: undefined };
      },
      return: async () => {
        see();
        return { done: true, value: undefined };
      },
    };
  },
});

const cases: Record<string, (see: <T>(value?: T) => T) => Promise<unknown>> = {
  'subscribe: next and complete': (see) => over(pool.imap(slow, [1, 2, 3], { chunkSize: 1 }), see),
  'subscribe: error': (see) =>
    over(
      pool.imap(() => Promise.reject(new Error('on purpose')), [1], { chunkSize: 1 }),
      see,
    ),
  'operators behind a stream': (see) => over(pool.imapUnordered(slow, [1, 2, 3], { chunkSize: 1 }).pipe(map(see)), see),
  forEachAsync: (see) => pool.imap(slow, [1, 2, 3], { chunkSize: 1 }).forEachAsync(see),
  'forEachAsync, several at a time': (see) =>
    pool
      .imap(slow, [1, 2, 3, 4, 5], { chunkSize: 1 })
      .forEachAsync(async (x) => see(await slow(see(x))), { concurrency: 3 }),
  'a projection behind poolMap': (see) =>
    over(
      from([1, 2, 3]).pipe(
        poolMap(pool, slow, { chunkSize: 1 }),
        concatMap((x) => timer(1).pipe(map(() => see(x)))),
      ),
      see,
    ),
  'an asynchronous generator as source': (see) =>
    pool.imap(slow, generated(see), { window: 2, chunkSize: 1 }).toArray(),
  'a synchronous generator as source': (see) => pool.imap(slow, counted(see), { window: 2, chunkSize: 1 }).toArray(),
  'a hand-written iterator as source': (see) => pool.imap(slow, written(see), { window: 2, chunkSize: 1 }).toArray(),
  'the source of map': (see) => pool.map(slow, generated(see), { chunkSize: 1 }),
  'the end of a source that is left': async (see) => {
    for (const source of [generated(see), counted(see), written(see)]) {
      for await (const x of pool.imap(slow, source, { window: 2, chunkSize: 1 })) if (x === 3) break;
      const controller = new AbortController();
      const stream = pool.imap(slow, written(see, 1e9), { window: 2, chunkSize: 1, signal: controller.signal });
      const done = over(stream, see);
      await slow(1);
      requests.run('another', () => controller.abort());
      await done;
    }
  },
  'progress of a stream': async (see) => {
    const stream = pool.imap(
      slow,
      generated(() => {}),
      { window: 2, chunkSize: 1 },
    );
    const watched = over(stream.progress, see);
    await stream.toArray();
    await watched;
  },
  'progress of a call, and its callback': async (see) => {
    const result = pool.applyAsync(
      async () => {
        currentTask()!.report(1);
        await new Promise((done) => setTimeout(done, 5));
      },
      [],
      { callback: () => void see() },
    );
    const watched = over(result.progress, see);
    await result.finally(() => see());
    await watched;
  },
  'the callback of an error': async (see) => {
    await pool
      .applyAsync(() => Promise.reject(new Error('on purpose')), [], { errorCallback: () => void see() })
      .catch(() => see());
  },
  'an AsyncResult as a source': (see) => over(from(pool.applyAsync(slow, [1])), see),
  'events of a pool': async (see) => {
    const own = requests.run('first', () => new Pool({ processes: 1 }));
    const ready = new Promise<void>((resolve) => {
      own.events.subscribe((event) => {
        see();
        if (event.type === 'worker-exit') resolve();
      });
    });
    await requests.run('first', () => own.apply(() => 1));
    await requests.run('first', () => own.terminate());
    await ready;
  },
  'pull operators behind a pool': async (see) => {
    const operators = [
      mapPull((x: number) => slow(see(x))),
      filterPull((x: number) => see(x) >= 0),
      concatMapPull((x: number) => see([x])),
      mergeMapPull((x: number) => see([x, x]), { concurrency: 2 }),
    ];
    for (const operator of operators) {
      const stream = pool.imap(slow, [1, 2, 3], { chunkSize: 1 }).pipe(operator, batchPull(1)) as Observable<unknown>;
      await over(stream, see);
      for await (const _ of stream as unknown as AsyncIterable<unknown>);
    }
  },
  'another pool behind a pool': (see) =>
    over(pool.imap(slow, pool.imap(slow, generated(see), { window: 2, chunkSize: 1 }), { chunkSize: 1 }), see),
  'a Readable and a ReadableStream': async (see) => {
    const readable = pool.imap(slow, [1, 2, 3], { chunkSize: 1 }).toReadable();
    await new Promise((end) => readable.on('data', see).on('end', end));
    for await (const _ of pool
      .imap(slow, generated(see), { window: 2, chunkSize: 1 })
      .toReadableStream() as unknown as AsyncIterable<number>);
  },
  'the second subscriber of a queue': async (see) => {
    const queue = new Queue<number>();
    const first = requests.run('first', () => lastValueFrom(queue.pipe(take(2)), { defaultValue: 0 }));
    const watched = over(queue, see);
    await requests.run('third', async () => {
      for (let i = 0; i < 5; i++) await queue.put(i);
      queue.complete();
    });
    await Promise.all([first, watched]);
    queue.close();
  },
  'streams of a queue, and into one': async (see) => {
    const queue = new Queue<number>({ maxSize: 2 });
    const poured = lastValueFrom(from(written(see) as never).pipe(toQueue(queue) as never), { defaultValue: 0 });
    await requests.run('first', () => queue.get());
    await queue.consume().forEachAsync(see);
    await poured;
    queue.close();
  },
  'a topic and its gaps': async (see) => {
    const topic = new Topic<number>();
    const first = requests.run('first', () => topic.subscribe());
    const watched = over(topic, see);
    await requests.run('third', async () => {
      for (let i = 0; i < 5; i++) await topic.publish(i);
      topic.complete();
    });
    await watched;
    first.unsubscribe();
    topic.close();
  },
  'a state': async (see) => {
    const state = new StateTopic(0);
    const first = requests.run('first', () => state.subscribe());
    const watched = over(state.pipe(take(2)), see);
    await slow(1);
    requests.run('third', () => state.next(1));
    await watched;
    first.unsubscribe();
    state.close();
  },
  'an event': async (see) => {
    const event = new Event();
    const first = requests.run('first', () => event.asObservable().subscribe());
    const watched = over(event.asObservable().pipe(take(2)), see);
    requests.run('third', () => event.set());
    await watched;
    first.unsubscribe();
  },
  'a connection': async (see) => {
    const [a, b] = pipe<number>();
    const first = requests.run('first', () => b.recv());
    const watched = over(b.asObservable(), see);
    for (let i = 0; i < 5; i++) await requests.run('third', () => a.send(i));
    a.close();
    await Promise.all([first, watched]);
    b.close();
  },
  'connections of a listener': async (see) => {
    const listener = await requests.run('first', () => Listener.listen());
    const first = requests.run('first', () => listener.accept());
    const accepted: Connection[] = [];
    const watched = over(listener.connections.pipe(map((one) => void accepted.push(see(one)))), see);
    const clients = await requests.run('third', () => Promise.all([1, 2, 3].map(() => Client(listener.address))));
    accepted.push(await first);
    await slow(5);
    requests.run('third', () => listener.close());
    await watched;
    for (const one of [...accepted, ...clients]) one.close();
  },
};

describe('in the context of whoever subscribed or called', () => {
  it.each(Object.entries(cases))('%s', async (_, body) => {
    const { see, stores, count } = seen();
    await second(() => body(see));
    expect([...stores]).toEqual(['second']);
    expect(count()).toBeGreaterThan(0);
  });
});

it('a recursive lock is entered again in what a stream calls', { timeout: 5_000 }, async () => {
  const lock = new RLock();
  const calls: number[] = [];
  await lock.runExclusive(() =>
    pool.imap((x: number) => x, [1]).forEachAsync((x) => lock.runExclusive(() => void calls.push(x))),
  );
  await lock.runExclusive(() =>
    lastValueFrom(
      pool
        .imap((x: number) => x, [2])
        .pipe(
          map((x) => {
            if (!lock.tryAcquire()) return;
            lock.release();
            calls.push(x);
          }),
        ),
    ),
  );
  expect(calls).toEqual([1, 2]);
});
