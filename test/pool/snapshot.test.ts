/** What is passed counts as it is at the call, and what a source gives as it is when it is read, however long it waits. */
import { Pool, Process, pipe, Queue, Topic, Value, WorkerCrashError } from 'multiprocess';
import { remote } from 'multiprocess/operators';
import { Subject } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Ledger } from '../support/ledger.js';

let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 2, gracePeriod: 200 });
});
afterAll(() => pool.terminate());

const COUNT = 1000;
const numbers = Array.from({ length: COUNT }, (_, i) => i);
type Row = { id: number; deep: { list: number[] } };
const read = (row: Row): number => (row.id === row.deep.list[0] ? row.id : -1);
const first = (buffer: Uint32Array): number => buffer[0]!;
const write = (row: Row, i: number): Row => {
  row.id = i;
  row.deep.list[0] = i;
  return row;
};
const fresh = (): Row => ({ id: -1, deep: { list: [-1] } });

function* rows(count = COUNT): Generator<Row> {
  const row = fresh();
  for (let i = 0; i < count; i++) yield write(row, i);
  write(row, -2);
}
function* buffers(): Generator<Uint32Array> {
  const buffer = new Uint32Array(4);
  for (let i = 0; i < COUNT; i++) {
    buffer[0] = i;
    yield buffer;
  }
  buffer[0] = 99_999;
}
async function* rowsLater(): AsyncGenerator<Row> {
  const row = fresh();
  for (let i = 0; i < COUNT; i++) {
    if (i % 100 === 0) await new Promise((done) => setImmediate(done));
    yield write(row, i);
  }
}

describe('a source that uses its row or buffer again', () => {
  it('is read right by imap, imapUnordered, map and starmap', async () => {
    expect(await pool.imap(read, rows()).toArray()).toEqual(numbers);
    expect((await pool.imapUnordered(read, rows()).toArray()).sort((a, b) => a - b)).toEqual(numbers);
    expect(await pool.map(read, rows())).toEqual(numbers);
    const lists = function* (): Generator<[Row]> {
      const list: [Row] = [fresh()];
      for (let i = 0; i < COUNT; i++) {
        write(list[0], i);
        yield list;
      }
    };
    expect(await pool.starmap(read, lists())).toEqual(numbers);
  });

  it('whatever the chunk and the window', async () => {
    for (const options of [{ chunkSize: 1 }, { chunkSize: 50 }, { window: 7 }, { chunkSize: 7, window: 500 }])
      expect(await pool.imap(read, rows(), options).toArray()).toEqual(numbers);
  });

  it('of typed arrays, of asynchronous rows, of a web stream', async () => {
    expect(await pool.imap(first, buffers()).toArray()).toEqual(numbers);
    expect(await pool.imap(read, rowsLater()).toArray()).toEqual(numbers);
    const row = fresh();
    let i = 0;
    const pull = (controller: ReadableStreamDefaultController<Row>): void => {
      if (i === COUNT) controller.close();
      else controller.enqueue(write(row, i++));
    };
    // With the default of 1 the stream itself asks for the next before anybody has read this one.
    const stream = new ReadableStream<Row>({ pull }, { highWaterMark: 0 });
    expect(await pool.imap(read, stream).toArray()).toEqual(numbers);
  });

  it('of an Observable that is ahead', async () => {
    const subject = new Subject<Row>();
    const lost: number[] = [];
    const overflow = { policy: 'buffer', capacity: 'unbounded' } as const;
    const results = pool.imap(read, subject, { overflow }).toArray();
    const row = fresh();
    for (let i = 0; i < COUNT; i++) subject.next(write(row, i));
    write(row, -7);
    subject.complete();
    expect(await results).toEqual(numbers);
    const dropping = new Subject<Row>();
    const kept = pool
      .imap(read, dropping, {
        window: 2,
        overflow: { policy: 'drop-oldest', capacity: 2, onDrop: (item) => lost.push(item.id) },
      })
      .toArray();
    const items = Array.from({ length: 20 }, (_, k) => write(fresh(), k));
    for (const item of items) dropping.next(item);
    dropping.complete();
    expect([...(await kept), ...lost].sort((a, b) => a - b)).toEqual(items.map(({ id }) => id));
  });

  it('with items that cannot be sent among them', async () => {
    const mixed = function* (): Generator<unknown> {
      const row = fresh();
      for (let i = 0; i < 20; i++) yield i % 5 === 3 ? new WeakMap() : i % 5 === 4 ? i : write(row, i);
    };
    const outcomes = (await pool
      .imap((x: unknown) => (typeof x === 'number' ? x : (x as Row).id), mixed(), {
        errors: 'settle',
        chunkSize: 10,
        window: 40,
      })
      .toArray()) as PromiseSettledResult<number>[];
    expect(outcomes.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.itemIndex))).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );
    expect(outcomes.filter(({ status }) => status === 'rejected').length).toBe(4);
  });

  it('also when workers die and items are run again', async () => {
    using ledger = new Ledger();
    await using local = new Pool({ processes: 2 });
    const fragile = (row: Row, path: string): number => {
      const { existsSync, writeFileSync } = process.getBuiltinModule('node:fs');
      const mark = `${path}.${row.id}`;
      if (row.id % 30 === 7 && !existsSync(mark)) {
        writeFileSync(mark, '');
        process.exit(1);
      }
      return row.id === row.deep.list[0] ? row.id : -1;
    };
    const { path } = ledger;
    const pairs = function* (): Generator<[Row, string]> {
      for (const row of rows(100)) yield [row, path];
    };
    expect(await local.starmap(fragile, pairs(), { chunkSize: 10, retries: 1 })).toEqual(numbers.slice(0, 100));
    // An array is read a chunk at a time; what is changed then does not count, also for the rest of a chunk whose worker died.
    const array = Array.from({ length: 40 }, (_, i) => [write(fresh(), i + 1000), path] as [Row, string]);
    const results = local.starmap(fragile, array, { chunkSize: 40, retries: 1 });
    for (const [row] of array) write(row, -3);
    expect(await results).toEqual(array.map((_, i) => i + 1000));
    expect(local.stats().crashed).toBeGreaterThan(3);
  });
});

describe('arguments of apply', () => {
  it('count as they were at the call also when a worker gives the call back before it begins', async () => {
    await using one = new Pool({ processes: 1 });
    const gate = new Value('i', 0);
    const wait = (go: Value<'i'>): void => {
      while (go.value === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    };
    const blocked = one.apply(wait, [gate]);
    const list = [1, 'x'] as [number, string];
    const low = one.apply((n: number, text: string) => `${n}${text}`, list);
    const row = fresh();
    const lowRow = one.apply(read, [write(row, 5)]);
    list[0] = 2;
    write(row, 6);
    // Takes the room of the two.
    const high = Array.from({ length: 100 }, (_, i) => one.apply((n: number) => n, [i], { priority: 1 }));
    gate.value = 1;
    await blocked;
    expect(await low).toBe('1x');
    expect(await lowRow).toBe(5);
    expect(await Promise.all(high)).toEqual(numbers.slice(0, 100));
  });

  it('count as they are at the call, also while all workers are busy', async () => {
    const row = fresh();
    const calls = numbers.map((i) => pool.apply(read, [write(row, i)]));
    write(row, -4);
    expect(await Promise.all(calls)).toEqual(numbers);
    const args: [number, string] = [0, 'x'];
    const plain = numbers.map((i) => {
      args[0] = i;
      return pool.apply((n: number, text: string) => `${n}${text}`, args);
    });
    args[1] = 'y';
    expect(await Promise.all(plain)).toEqual(numbers.map((i) => `${i}x`));
  });

  it('of every size, and when the call is taken from one worker by another', async () => {
    await using local = new Pool({ processes: 2 });
    for (const length of [10, 100_000, 1_000_000, 3_000_000]) {
      const buffer = new Uint8Array(length);
      const long = local.apply(() => new Promise((done) => setTimeout(done, 30)));
      const calls = Array.from({ length: 6 }, (_, i) => {
        buffer.fill(i);
        return local.apply((bytes: Uint8Array) => (bytes.every((byte) => byte === bytes[0]) ? bytes[0] : -1), [buffer]);
      });
      buffer.fill(77);
      expect(await Promise.all(calls)).toEqual([0, 1, 2, 3, 4, 5]);
      await long;
    }
  });

  it('count when a retry runs them again', async () => {
    using ledger = new Ledger();
    await using local = new Pool({ processes: 1 });
    const once = (path: string, row: Row): number => {
      const { existsSync, writeFileSync } = process.getBuiltinModule('node:fs');
      const mark = `${path}.${row.id}`;
      if (existsSync(mark)) return row.id;
      writeFileSync(mark, '');
      return process.exit(1);
    };
    const row = fresh();
    const calls = [1, 2, 3].map((i) => local.apply(once, [ledger.path, write(row, i)], { retries: 1 }));
    write(row, -5);
    expect(await Promise.all(calls)).toEqual([1, 2, 3]);
    const large = { id: 9, bytes: new Uint8Array(3_000_000).fill(9) };
    const again = local.apply(once as never, [ledger.path, large] as never, { retries: 1 });
    large.id = 10;
    expect(await again).toBe(9);
  });

  it('may be closed at once, also while the pool is busy', async () => {
    await using local = new Pool({ processes: 1 });
    const busy = Array.from({ length: 3 }, () => local.apply(() => new Promise((done) => setTimeout(done, 50))));
    const answers = Array.from({ length: 5 }, async (_, i) => {
      const [ours, theirs] = pipe<number>();
      const done = local.apply(async (end: typeof theirs, n: number) => end.send(n), [theirs, i]);
      theirs.close();
      const got = await ours.recv();
      await done;
      ours.close();
      return got;
    });
    expect(await Promise.all(answers)).toEqual([0, 1, 2, 3, 4]);
    await Promise.all(busy);
  });

  it('that cannot be sent are refused while the pool is busy', async () => {
    await using local = new Pool({ processes: 1 });
    const busy = Array.from({ length: 3 }, () => local.apply(() => new Promise((done) => setTimeout(done, 50))));
    await expect(local.apply((x: unknown) => x, [new WeakMap()])).rejects.toMatchObject({ name: 'SerializationError' });
    await Promise.all(busy);
  });

  it('of an initializer are those of the constructor for every worker', async () => {
    const config = { name: 'before' };
    await using local = new Pool({
      processes: 1,
      maxTasksPerChild: 1,
      initializer: (given: typeof config) => void Object.assign(globalThis, { given: given.name }),
      initArgs: [config],
    });
    config.name = 'after';
    const seen = await local.map(() => (globalThis as { given?: unknown }).given, [1, 2, 3]);
    expect(seen).toEqual(['before', 'before', 'before']);
  });

  it('of remote count as they are when it is begun', async () => {
    const row = fresh();
    async function* target(given: Row): AsyncGenerator<number> {
      yield given.id;
    }
    const streams = [1, 2, 3, 4, 5].map((i) => {
      const results = remote<number>(pool, target as never, [write(row, i)]).toArray();
      return results;
    });
    write(row, -6);
    expect(await Promise.all(streams)).toEqual([[1], [2], [3], [4], [5]]);
  });
});

it('a poisonous item of a generator is lost alone', async () => {
  const items = function* (): Generator<Row> {
    yield* rows(20);
  };
  const dies = (row: Row): number => (row.id === 7 ? process.exit(1) : row.id);
  const outcomes = await pool.imap(dies, items(), { chunkSize: 20, window: 40, errors: 'settle' }).toArray();
  const bad = (outcomes as PromiseSettledResult<number>[]).flatMap((one, i) =>
    one.status === 'rejected' ? [[i, one.reason]] : [],
  );
  expect(bad).toEqual([[7, expect.any(WorkerCrashError)]]);
});

it('a queue, a topic, a connection and a process take what they are given as it is then, too', async () => {
  const row = fresh();
  const each = async (send: (row: Row) => Promise<void>, receive: () => Promise<Row>): Promise<void> => {
    const sent = numbers.map((i) => send(write(row, i)));
    write(row, -8);
    for (const i of numbers) expect((await receive()).deep.list[0]).toBe(i);
    await Promise.all(sent);
  };
  // Small enough that most of it waits for room.
  const queue = new Queue<Row>({ capacity: 4096 });
  await each(
    (item) => queue.put(item),
    () => queue.get(),
  );
  const topic = new Topic<Row>({ capacity: 4096 });
  const subscription = topic[Symbol.asyncIterator]();
  const next = subscription.next();
  await each(
    (item) => topic.publish(item),
    ((first: Promise<IteratorResult<Row>> | null) => async () => {
      const { value } = await (first ?? subscription.next());
      first = null;
      return value as Row;
    })(next),
  );
  await subscription.return?.();
  const [ours, theirs] = pipe<Row>();
  await each(
    (item) => ours.send(item),
    () => theirs.recv(),
  );
  const child = new Process(async (end: typeof ours, given: Row) => end.send(given), { args: [ours, write(row, 5)] });
  const started = child.start();
  write(row, 6);
  ours.close();
  await started;
  expect((await theirs.recv()).id).toBe(5);
  await child.join();
  theirs.close();
  queue.close();
  topic.close();
});
