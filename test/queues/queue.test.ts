import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ClosedError, Lock, Pool, ProducerLostError, Queue } from 'multiprocess';
import { dumps } from 'multiprocess/reduction';
import { toArray } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { expectBytes } from '../support/bytes.js';
import { codeOf } from '../support/code-of.js';
import { type FixtureProcess, startFixture } from '../support/fixture-process.js';
import { itNeeds } from '../support/needs.js';
import { pass } from '../support/pass.js';
import { until } from '../support/until.js';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const made: { close(): void }[] = [];
afterEach(() => {
  for (const queue of made.splice(0)) queue.close();
});
function open<T = unknown>(options?: ConstructorParameters<typeof Queue<T>>[0]): Queue<T> {
  const queue = new Queue<T>(options);
  made.push(queue);
  return queue;
}

/** Starts a process that does `what` with the queue; `given` is what it needs for that. */
function act(what: string, queue: unknown, given: object = {}): FixtureProcess {
  return startFixture('queues/actor.mjs', { args: [pass({ queue, ...given }), what] });
}
const said = async (one: FixtureProcess): Promise<unknown> => JSON.parse((await one.line()) ?? 'null');
async function kill(one: FixtureProcess): Promise<void> {
  one.child.kill('SIGKILL');
  await one.ended;
}

describe('items', () => {
  it('are encoded by put: what happens to them afterwards does not change what arrives', async () => {
    const queue = open<{ n: number }>();
    const item = { n: 1 };
    const put = queue.put(item);
    item.n = 2;
    await put;
    expect(await queue.get()).toEqual({ n: 1 });
  });

  it('that wait for room are encoded too, and arrive in order, whatever form they were put in', async () => {
    const queue = open<{ n: number }>({ maxSize: 1 });
    const items = [0, 1, 2].map((n) => ({ n }));
    const puts = items.map((item) => queue.put(item));
    for (const item of items) item.n = 9;
    expect(codeOf(() => queue.putNowait({ n: 3 }))).toBe('MP_QUEUE_FULL');
    const had = [];
    for (const _ of items) had.push((await queue.get({ timeout: 20_000 })).n);
    expect(had).toEqual([0, 1, 2]);
    await Promise.all(puts);
  });

  it('that wait for room have memory of their own, and of none that was delivered', async () => {
    const queue = open<Uint8Array>({ capacity: 1 << 20 });
    const source = new Uint8Array(300_000);
    const taken: Uint8Array[] = [];
    for (let round = 0; round < 5; round++) {
      const puts = upTo(6).map((i) => {
        source.fill(6 * round + i);
        return queue.put(source);
      });
      source.fill(255);
      for (let i = 0; i < 6; i++) taken.push(await queue.get());
      await Promise.all(puts);
    }
    expect(taken.map((item) => [item.length, item[0], item.every((byte) => byte === item[0])])).toEqual(
      upTo(30).map((n) => [300_000, n, true]),
    );
  });

  it('that found no room in time leave none of it behind', async () => {
    const queue = open<Uint8Array>({ capacity: 1 << 20 });
    const item = (n: number) => new Uint8Array(300_000).fill(n);
    for (let i = 0; i < 3; i++) queue.putNowait(item(1));
    const there = queue.qsize();
    expect(() => queue.putSync(item(2), { timeout: 20 })).toThrow(/20 ms/);
    await expect(queue.put(item(3), { timeout: 20 })).rejects.toMatchObject({ code: 'MP_QUEUE_FULL' });
    const last = queue.put(item(4));
    const got: number[] = [];
    for (let i = 0; i <= there; i++) got.push((await queue.get())[299_999]!);
    await last;
    expect(got).toEqual([...upTo(there).map(() => 1), 4]);
  });

  it('may be larger than all of the ring, many at a time, and outlive their producer', async () => {
    const queue = open<Uint8Array>({ capacity: 4096 });
    const sizes = [3_000, 100_000, 5, 1_000_000, 4_096, 2_048];
    const producer = act('putSizes', queue, { sizes });
    expect(await said(producer)).toBe('put');
    expect(await producer.ended).toBe(0);
    for (const [i, size] of sizes.entries())
      expectBytes(await queue.get({ timeout: 20_000 }), new Uint8Array(size).fill(i));
  });

  it('that are large wait for each other when more than 64 are there', async () => {
    const queue = open<Uint8Array>({ capacity: 1 << 16 });
    const puts = upTo(80).map((i) => queue.put(new Uint8Array(40_000).fill(i)));
    for (let i = 0; i < 80; i++) expect((await queue.get({ timeout: 20_000 }))[39_999]).toBe(i);
    await Promise.all(puts);
  });

  it('may be shared objects, and the queue itself travels as argument, capture and item', async () => {
    const [queue, other] = [open<Queue<unknown>>(), open<Lock>()];
    using lock = new Lock();
    const pool = new Pool({ processes: 1 });
    await queue.put(other as Queue<unknown>);
    await other.put(lock);
    const received = async (given: Queue<Lock>) => {
      if (((await queue.get()) as unknown) !== given) throw new Error('two objects for one queue');
      const item = await given.get();
      item.acquireSync();
      await given.put(item);
    };
    await pool.apply(received, [other], { timeout: 20_000 });
    expect(await other.get()).toBe(lock);
    expect(lock.locked()).toBe(true);
    lock.release();
    pool.close();
    await pool.join();
  });
});

it('keeps the order of each producer, in whatever form it waits for room', async () => {
  const queue = open<[number, number]>({ maxSize: 3, writers: 3 });
  const producers = [0, 1, 2].map((number) => act('putMixed', queue, { number, count: 300 }));
  const last = [-1, -1, -1];
  for await (const [number, seq] of queue) {
    expect(seq).toBe(last[number]! + 1);
    last[number] = seq;
  }
  expect(last).toEqual([299, 299, 299]);
  for (const producer of producers) expect(await producer.ended).toBe(0);
});

describe('waiting', () => {
  it('ends with the reason of a signal, and then puts and takes nothing', async () => {
    const queue = open<number>({ maxSize: 1 });
    const reason = new Error('enough');
    const gone = new AbortController();
    const get = queue.get({ signal: gone.signal });
    gone.abort(reason);
    await expect(get).rejects.toBe(reason);
    await queue.put(1);
    const late = new AbortController();
    const put = queue.put(2, { signal: late.signal });
    late.abort(reason);
    await expect(put).rejects.toBe(reason);
    expect([await queue.get(), queue.qsize()]).toEqual([1, 0]);
  });

  it('refuses unknown options with the name that was meant', async () => {
    expect(() => new Queue({ maxsize: 3 } as object)).toThrow('did you mean `maxSize`');
    await expect(open().get({ timeuot: 3 } as object)).rejects.toThrow('did you mean `timeout`');
    expect(() => new Queue({ capacity: -1 })).toThrow('`capacity`');
    expect(() => new Queue({ onWriterLost: 'ignore' as 'error' })).toThrow("'error' or 'complete'");
  });
});

describe('a queue as a stream', () => {
  it('completes when it is empty and every writer has completed or ended in good order', async () => {
    const queue = open<number>({ writers: 2 });
    const writers = [act('putAndComplete', queue, { items: [1, 2] }), act('put', queue, { items: [3] })];
    const items: number[] = [];
    for await (const item of queue) items.push(item);
    expect(items.sort()).toEqual([1, 2, 3]);
    for (const writer of writers) expect(await writer.ended).toBe(0);
    await expect(queue.get()).rejects.toMatchObject({ code: 'MP_QUEUE_COMPLETED' });
  });

  it.each([
    ['a killed process', 'putAndStay'],
    ['a process that fails', 'putAndFail'],
  ])('%s is a lost producer, whose items arrive before the error', async (_, what) => {
    const queue = open<number>();
    const producer = act(what, queue, { items: upTo(20) });
    expect(await said(producer)).toBe('put');
    if (what === 'putAndStay') producer.child.kill('SIGKILL');
    await producer.ended;
    const items: number[] = [];
    const reading = queue.consume().forEachAsync((item) => void items.push(item));
    await expect(reading).rejects.toThrow(ProducerLostError);
    expect(items).toEqual(upTo(20));
  });

  it('ends without an error for a lost writer where the options say so', async () => {
    const queue = open<number>({ onWriterLost: 'complete' });
    const producer = act('putAndStay', queue, { items: [1] });
    expect(await said(producer)).toBe('put');
    await kill(producer);
    expect(await queue.consume().toArray()).toEqual([1]);
  });

  it('error() reaches every consumer in every process after the items before it, and stays', async () => {
    const queue = open<number>();
    const failing = act('fail', queue);
    expect(await said(failing)).toBe('failed');
    const other = act('collect', queue);
    expect(await said(other)).toEqual({ items: [], end: 'RangeError' });
    for (let i = 0; i < 2; i++) await expect(queue.consume().toArray()).rejects.toThrow('out of paper');
    await expect(queue.get()).rejects.toThrow(RangeError);
  });

  it('shows every item that this thread takes to all its subscribers', async () => {
    const queue = open<number>();
    for (let i = 0; i < 100; i++) queue.next(i);
    queue.complete();
    const [one, two] = [1, 2].map(
      () => new Promise<number[]>((done, fail) => queue.pipe(toArray()).subscribe({ next: done, error: fail })),
    );
    expect(await one).toEqual(upTo(100));
    expect(await two).toEqual(upTo(100));
  });

  it('competes with the consumers of other processes: each item arrives once', async () => {
    const queue = open<number>({ maxSize: 50 });
    const others = [act('collect', queue), act('collect', queue)];
    const own: number[] = [];
    const reading = queue.consume({ prefetch: 2 }).forEachAsync((item) => void own.push(item));
    for (let i = 0; i < 2_000; i++) await queue.put(i);
    queue.complete();
    await reading;
    const all = [...own];
    for (const other of others) all.push(...((await said(other)) as { items: number[] }).items);
    expect(all.sort((a, b) => a - b)).toEqual(upTo(2_000));
  });

  it('starves no consumer, stream or get, while there is enough for all', async () => {
    const [queue, back] = [open<number>({ maxSize: 200 }), open<string>()];
    const consumers = ['countStream', 'countStream', 'countGets', 'countGets'].map((what) =>
      act(what, queue, { back, enough: 500 }),
    );
    for (const _ of consumers) expect(await back.get({ timeout: 20_000 })).toBe('ready');
    let put = 0;
    // The test's time runs out if one of them never gets enough.
    for (let left = consumers.length; left > 0; await queue.put(put++)) {
      for (; !back.empty(); left--) expect(back.getNowait()).toBe('enough');
    }
    queue.complete();
    const counts = (await Promise.all(consumers.map(said))) as number[];
    expect(counts.reduce((a, b) => a + b)).toBe(put);
  });

  it('gives back what a stream had claimed when it is left', async () => {
    const queue = open<number>();
    for (let i = 0; i < 100; i++) queue.putNowait(i);
    for await (const item of queue.consume({ prefetch: 16 })) if (item === 2) break;
    expect(queue.qsize()).toBe(97);
    queue.complete();
    expect(await queue.consume().toArray()).toEqual(upTo(100).slice(3));
  });

  it('lets the event loop turn while it never runs dry', async () => {
    const queue = open<number>();
    let stop = false;
    setTimeout(() => {
      stop = true;
    }, 20);
    for (let i = 0; i < 10; i++) queue.putNowait(i);
    for await (const item of queue) {
      if (stop) break;
      queue.putNowait(item);
    }
    expect(stop).toBe(true);
  });

  it('is pulled by a pool, which takes no more than its window', async () => {
    const queue = open<number>();
    for (let i = 0; i < 500; i++) queue.putNowait(i);
    const pool = new Pool({ processes: 1 });
    let seen = 0;
    for await (const _ of pool.imap((n: number) => n + 1, queue, { window: 4 })) if (++seen === 10) break;
    expect(queue.qsize()).toBeGreaterThan(400);
    pool.close();
    await pool.join();
  });

  it('ends with ClosedError when it is closed here', async () => {
    const queue = open<number>();
    const reading = queue.consume().toArray();
    queue.close();
    await expect(reading).rejects.toThrow(ClosedError);
  });
});

describe('acknowledgement', () => {
  it('gives back what a dead consumer had not acknowledged, each item once', async () => {
    const queue = open<number>();
    for (let i = 0; i < 6; i++) queue.putNowait(i);
    const consumer = act('holdManually', queue, { prefetch: 5, hold: 3, ack: true });
    expect(await said(consumer)).toEqual([0, 1, 2]);
    expect(queue.qsize()).toBe(3);
    await kill(consumer);
    const had: number[] = [];
    for (let i = 0; i < 5; i++) had.push(await queue.get({ timeout: 20_000 }));
    expect(had.sort()).toEqual([1, 2, 3, 4, 5]);
    expect(queue.empty()).toBe(true);
  });

  it('gives back what a dead consumer had claimed and not delivered', async () => {
    const queue = open<number>();
    for (let i = 0; i < 40; i++) queue.putNowait(i);
    const consumer = act('prefetch', queue);
    expect(await said(consumer)).toBe(0);
    expect(queue.qsize()).toBe(32);
    await kill(consumer);
    const had: number[] = [];
    for (let i = 0; i < 39; i++) had.push(await queue.get({ timeout: 20_000 }));
    expect(had.sort((a, b) => a - b)).toEqual(upTo(40).slice(1));
  });

  it.each(['get', 'getSync', 'getNowait', 'for await', 'error'])(
    'gives back what a dead consumer had, also where nothing else will come: %s',
    async (how) => {
      const queue = open<number>();
      for (let i = 0; i < 3; i++) queue.putNowait(i);
      const consumer = act('holdManually', queue, { prefetch: 5, hold: 3, ack: false });
      expect(await said(consumer)).toEqual([0, 1, 2]);
      if (how === 'error') queue.error(new Error('no more'));
      else queue.complete();
      await kill(consumer);
      const had: number[] = [];
      const ended = { get: () => queue.get(), getSync: () => queue.getSync(), getNowait: () => queue.getNowait() };
      if (how in ended) {
        for (let i = 0; i < 3; i++) had.push(await ended[how as keyof typeof ended]());
        const next = (async () => ended[how as keyof typeof ended]())();
        expect(await next.catch((error: ClosedError) => error.code)).toBe('MP_QUEUE_COMPLETED');
      } else {
        const reading = (async () => {
          for await (const item of queue) had.push(item);
        })();
        expect(await reading.catch((error: Error) => error.message)).toBe(how === 'error' ? 'no more' : undefined);
      }
      expect(had).toEqual([0, 1, 2]);
    },
  );

  it('holds no more than prefetch items, and goes on as they are acknowledged or given back', async () => {
    const queue = open<string>();
    for (const item of ['a', 'b', 'c']) queue.putNowait(item);
    const seen: string[] = [];
    const subscription = queue.consume({ ack: 'manual', prefetch: 1 }).subscribe((item) => seen.push(item));
    await until(() => seen.length === 1, 'the first item');
    queue.nack('a');
    await until(() => seen.length === 2, 'the same again');
    queue.ack('a');
    await until(() => seen.length === 3, 'the second item');
    queue.ack();
    await until(() => seen.length === 4, 'the third item');
    expect(seen).toEqual(['a', 'a', 'b', 'c']);
    expect(codeOf(() => queue.ack('b'))).toBe('MP_NOT_HELD');
    queue.ack('c');
    subscription.unsubscribe();
  });
});

describe('next on a full queue', () => {
  const overflowing = (overflow: object): [Queue<number>, number[]] => {
    const dropped: number[] = [];
    const queue = open<number>({
      maxSize: 2,
      overflow: { ...overflow, onDrop: (item: number) => dropped.push(item) } as never,
    });
    for (const item of [1, 2, 3]) queue.next(item);
    return [queue, dropped];
  };
  const rest = (queue: Queue<number>): number[] => [queue.getNowait(), ...(queue.empty() ? [] : [queue.getNowait()])];

  it('drops what the policy says', () => {
    const cases = [
      ['drop-newest', [1, 2], [3]],
      ['drop-oldest', [2, 3], [1]],
      ['latest', [3], [1, 2]],
    ] as const;
    for (const [policy, left, lost] of cases) {
      const [queue, dropped] = overflowing({ policy });
      expect([policy, rest(queue), dropped]).toEqual([policy, left, lost]);
    }
  });

  it('lets as many wait as the buffer policy says', async () => {
    const queue = open<number>({ maxSize: 1, overflow: { policy: 'buffer', capacity: 2 } });
    for (const item of [1, 2, 3]) queue.next(item);
    expect(codeOf(() => queue.next(4))).toBe('MP_QUEUE_FULL');
    for (const item of [1, 2, 3]) expect(await queue.get({ timeout: 20_000 })).toBe(item);
  });
});

describe('the end of a process', () => {
  it.each(['putMoreThanFits', 'putMoreThanFitsAndExit'])('waits for what found no room (%s)', async (what) => {
    const queue = open<number>({ maxSize: 2 });
    const producer = act(what, queue, { items: upTo(10) });
    expect(await said(producer)).toBe('put');
    for (let i = 0; i < 10; i++) expect(await queue.get({ timeout: 20_000 })).toBe(i);
    expect(await producer.ended).toBe(0);
  });

  // The children of a thread end with it.
  itNeeds('processes')('waits too for a child that was sent the queue and has not got it yet', async () => {
    const parent = startFixture('queues/exit-at-once.mjs');
    expect(await said(parent)).toBe(10);
    expect(await parent.ended).toBe(0);
  });

  it('does not wait for it after cancelJoinThread', async () => {
    const queue = open<number>({ maxSize: 2 });
    const producer = act('putMoreThanFitsCancelled', queue, { items: upTo(10) });
    expect(await producer.ended).toBe(0);
    expect(queue.qsize()).toBe(2);
  });

  it('is not held up by a queue that nobody else has or was sent', async () => {
    const code = `import { Queue } from 'multiprocess'; const q = new Queue({ maxSize: 1 }); void q.put(1); void q.put(2); process.exit(0);`;
    const worker = new Worker(
      new URL(
        `data:text/javascript,${encodeURIComponent(code.replace("'multiprocess'", JSON.stringify(import.meta.resolve('multiprocess'))))}`,
      ),
    );
    expect((await once(worker, 'exit'))[0]).toBe(0);
  });
});

it('joinThread resolves when what was put has found room', async () => {
  const queue = open<number>({ maxSize: 1 });
  const puts = [1, 2, 3].map((item) => queue.put(item));
  let joined = false;
  const joining = queue.joinThread().then(() => {
    joined = true;
  });
  expect(await queue.get()).toBe(1);
  expect(joined).toBe(false);
  await queue.get({ timeout: 20_000 });
  await joining;
  await Promise.all(puts);
});

it('works between worker threads and processes at once', async () => {
  const [queue, back] = [open<number>(), open<number>()];
  const code = `
    import { workerData } from 'node:worker_threads';
    import { loadsAsync } from ${JSON.stringify(import.meta.resolve('multiprocess/reduction'))};
    const [queue, back] = await loadsAsync(workerData);
    for await (const item of queue) await back.put(item);
    queue.close();
    back.close();`;
  const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
    workerData: dumps([queue, back]),
  });
  const exit = once(thread, 'exit');
  const child = act('echo', queue, { back });
  for (let i = 0; i < 1_000; i++) await queue.put(i);
  queue.complete();
  const had: number[] = [];
  while (had.length < 1_000) had.push(await back.get({ timeout: 20_000 }));
  expect(had.sort((a, b) => a - b)).toEqual(upTo(1_000));
  expect((await exit)[0]).toBe(0);
  expect(await child.ended).toBe(0);
});

it('error() sends what can be sent of an error, and the beginning of one that is too large', async () => {
  const [socket, large] = [open(), open()];
  socket.error(Object.assign(new RangeError('cut off'), { wait: Promise.resolve() }));
  await expect(socket.get()).rejects.toThrow(RangeError);
  large.error(new Error('x'.repeat(100_000)));
  await expect(large.get()).rejects.toThrow('xxxx');
  const [bodies, cause] = [open(), open()];
  bodies.error(
    Object.assign(new TypeError('refused'), { code: 'E_REFUSED', body: 'y'.repeat(10_000), rows: Array(5000).fill(1) }),
  );
  const arrived = await bodies.get().catch((error: unknown) => error);
  expect(arrived).toBeInstanceOf(TypeError);
  expect(arrived).toMatchObject({ message: 'refused', code: 'E_REFUSED' });
  expect((arrived as Error).stack).toContain('queue.test.ts');
  cause.error(new RangeError('outer', { cause: Object.assign(new TypeError('z'.repeat(9000)), { code: 'E_INNER' }) }));
  await expect(cause.get()).rejects.toMatchObject({ message: 'outer', cause: { code: 'E_INNER' } });
});
