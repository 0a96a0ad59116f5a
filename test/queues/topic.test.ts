import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import {
  ClosedError,
  type Gap,
  type Lag,
  ProducerLostError,
  Queue,
  StateTopic,
  StreamOverflowError,
  Topic,
  type TopicOptions,
} from 'multiprocess';
import { dumps } from 'multiprocess/reduction';
import { afterEach, describe, expect, it } from 'vitest';
import { expectBytes } from '../support/bytes.js';
import { codeOf } from '../support/code-of.js';
import { type FixtureProcess, startFixture } from '../support/fixture-process.js';
import { pass } from '../support/pass.js';
import { until } from '../support/until.js';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const made: { close(): void }[] = [];
afterEach(() => {
  for (const one of made.splice(0)) one.close();
});
function open<T = unknown>(options?: TopicOptions): Topic<T> {
  const topic = new Topic<T>(options);
  made.push(topic);
  return topic;
}
/** Starts a process that does `what`; `given` is what it needs for that. */
function act(what: string, given: object): FixtureProcess {
  return startFixture('queues/actor.mjs', { args: [pass(given), what] });
}
const said = async (one: FixtureProcess): Promise<unknown> => JSON.parse((await one.line()) ?? 'null');
/** What a subscription sees, and how it ended. */
function watch<T>(topic: Topic<T>): { readonly items: T[]; readonly end: Promise<unknown>; unsubscribe(): void } {
  const items: T[] = [];
  let finish!: (how: unknown) => void;
  const end = new Promise((done) => {
    finish = done;
  });
  const subscription = topic.subscribe({
    next: (item) => items.push(item),
    error: finish,
    complete: () => finish('complete'),
  });
  return { items, end, unsubscribe: () => subscription.unsubscribe() };
}

describe('a topic', () => {
  it('shows every item to every subscriber in every process', async () => {
    const topic = open<number>();
    const back = new Queue<{ items: number[]; end: string }>();
    made.push(back);
    const others = [0, 1].map(() => act('collect', { queue: topic }));
    const own = [watch(topic), watch(topic)];
    await until(() => topic.subscribers === 4, 'all four subscriptions');
    for (let i = 0; i < 500; i++) await topic.publish(i);
    topic.complete();
    for (const one of own) {
      expect(await one.end).toBe('complete');
      expect(one.items).toEqual(upTo(500));
    }
    for (const other of others) expect(await said(other)).toEqual({ items: upTo(500), end: 'complete' });
    expect(topic.subscribers).toBe(0);
  });

  it('shows nothing that was published before, but the last items that replay asks for', async () => {
    const [plain, replaying] = [open<number>(), open<number>({ replay: 3 })];
    for (const topic of [plain, replaying]) {
      for (let i = 0; i < 10; i++) topic.next(i);
      const late = watch(topic);
      topic.next(10);
      topic.complete();
      await late.end;
      expect(late.items).toEqual(topic === plain ? [10] : [7, 8, 9, 10]);
    }
  });

  it('keeps what is published after a subscription began, also in the same turn', async () => {
    const topic = open<string>();
    const one = watch(topic);
    expect(topic.tryPublish('now')).toBe(true);
    await until(() => one.items.length === 1, 'the item');
    one.unsubscribe();
    topic.next('later');
    topic.complete();
    expect(one.items).toEqual(['now']);
  });

  it('carries items that are larger than its ring', async () => {
    const topic = open<Uint8Array>({ capacity: 4096 });
    const one = watch(topic);
    const sizes = [1_000, 100_000, 3, 30_000];
    for (const [i, size] of sizes.entries()) await topic.publish(new Uint8Array(size).fill(i));
    topic.complete();
    expect(await one.end).toBe('complete');
    expect(one.items).toHaveLength(sizes.length);
    for (const [i, size] of sizes.entries()) expectBytes(one.items[i], new Uint8Array(size).fill(i));
  });

  it('error() reaches all subscriptions, also later ones, after the items before it', async () => {
    const topic = open<number>({ replay: 1 });
    const one = watch(topic);
    topic.next(1);
    topic.error(new RangeError('no more'));
    expect(await one.end).toBeInstanceOf(RangeError);
    expect(one.items).toEqual([1]);
    const other = act('collect', { queue: topic });
    expect(await said(other)).toEqual({ items: [1], end: 'RangeError' });
  });

  it('ends with ProducerLostError when its publisher was killed, and with ClosedError when it is closed', async () => {
    const topic = open<number>({ replay: 5 });
    const publisher = act('publishAndStay', { topic, items: [1, 2] });
    expect(await said(publisher)).toBe('published');
    publisher.child.kill('SIGKILL');
    await publisher.ended;
    const one = watch(topic);
    expect(await one.end).toBeInstanceOf(ProducerLostError);
    expect(one.items).toEqual([1, 2]);
    const other = open<number>();
    const waiting = watch(other);
    other.close();
    expect(await waiting.end).toBeInstanceOf(ClosedError);
    expect(codeOf(() => other.next(1))).toBe('MP_CLOSED');
  });

  it('may be completed and closed at once while it is read here', async () => {
    for (const one of [open<number>(), new Queue<number>()]) {
      made.push(one);
      const reading = one[Symbol.asyncIterator]().next();
      await new Promise((done) => setTimeout(done, 20));
      one.complete();
      one.close();
      await expect(reading).rejects.toBeInstanceOf(ClosedError);
    }
  });

  it('reaches worker threads', async () => {
    const topic = open<number>();
    const back = new Queue<number>();
    made.push(back);
    const code = `
      import { workerData } from 'node:worker_threads';
      import { loadsAsync } from ${JSON.stringify(import.meta.resolve('multiprocess/reduction'))};
      const [topic, back] = await loadsAsync(workerData);
      for await (const item of topic) await back.put(item);
      topic.close();
      back.close();`;
    const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
      workerData: dumps([topic, back]),
    });
    const exit = once(thread, 'exit');
    await until(() => topic.subscribers === 1, 'the subscription');
    for (let i = 0; i < 100; i++) topic.next(i);
    topic.complete();
    for (let i = 0; i < 100; i++) expect(await back.get({ timeout: 20_000 })).toBe(i);
    expect((await exit)[0]).toBe(0);
  });
});

describe('what waits for room in a topic', () => {
  const items = upTo(20);
  /** Opens an iteration here, which keeps a topic of two items full until it is read. */
  function slowReader(): { topic: Topic<number>; rest(): Promise<number[]> } {
    const topic = open<number>({ maxSize: 2, onWriterLost: 'complete' });
    const iterator = topic[Symbol.asyncIterator]();
    const first = iterator.next();
    return {
      topic,
      async rest() {
        const seen: number[] = [];
        for (let result = await first; result.done !== true; result = await iterator.next()) {
          seen.push(result.value);
          if (seen.length === items.length) break;
        }
        await iterator.return?.();
        return seen;
      },
    };
  }

  it.each(['publishMoreThanFits', 'publishMoreThanFitsAndExit'])(
    'is published before its process ends (%s)',
    async (what) => {
      const { topic, rest } = slowReader();
      const publisher = act(what, { topic, items });
      expect(await said(publisher)).toBe('published');
      expect(await rest()).toEqual(items);
      expect(await publisher.ended).toBe(0);
    },
  );

  it('is given up after cancelJoinThread', async () => {
    const { topic, rest } = slowReader();
    const publisher = act('publishMoreThanFitsCancelled', { topic, items });
    expect(await said(publisher)).toBe('published');
    expect(await publisher.ended).toBe(0);
    expect((await rest()).length).toBeLessThan(items.length);
  });

  it('does not wait for subscriptions of the thread that ends', async () => {
    const topic = open<number>({ maxSize: 2, replay: 2 });
    const publisher = act('publishToItself', { topic, items });
    expect(await said(publisher)).toBe('published');
    expect(await publisher.ended).toBe(0);
    const late = watch(topic);
    await until(() => late.items.length === 2, 'the last items');
    expect(late.items).toEqual([18, 19]);
  });

  it('does not wait for a subscriber that dies meanwhile', async () => {
    const topic = open<number>({ maxSize: 1 });
    const subscriber = act('subscribeAndStay', { topic });
    await until(() => topic.subscribers === 1, 'the subscription');
    const publisher = act('publishMoreThanFitsAndExit', { topic, items });
    expect(await said(publisher)).toBe('published');
    expect(await said(subscriber)).toBe(0);
    subscriber.child.kill('SIGKILL');
    expect(await publisher.ended).toBe(0);
  });

  it('is not refused for long because of a subscriber that died', async () => {
    const topic = open<number>({ maxSize: 1 });
    const subscriber = act('subscribeAndStay', { topic });
    await until(() => topic.subscribers === 1, 'the subscription');
    await topic.publish(0);
    expect(await said(subscriber)).toBe(0);
    await topic.publish(1); // which is not taken
    expect(topic.tryPublish(2)).toBe(false);
    subscriber.child.kill('SIGKILL');
    await subscriber.ended;
    // `topic.subscribers` would look after it too.
    await until(() => topic.tryPublish(2), 'room');
  });

  it('is published before the completion, and joinThread tells when', async () => {
    const { topic, rest } = slowReader();
    for (const item of items) void topic.publish(item);
    topic.complete();
    expect(codeOf(() => topic.next(99))).toBe('MP_QUEUE_COMPLETED');
    const joined = topic.joinThread();
    expect(await rest()).toEqual(items);
    await joined;
    const late = watch(topic);
    expect(await late.end).toBe('complete');
  });
});

describe('what a subscriber was handed keeps no publisher waiting', () => {
  it('so that it publishes for each item of a full topic', async () => {
    const topic = open<number>({ maxSize: 8, replay: 8 });
    for (let i = 0; i < 8; i++) await topic.publish(i);
    const seen: number[] = [];
    for await (const item of topic) {
      seen.push(item);
      await topic.publish(item + 100);
      if (seen.length === 20) break;
    }
    expect(seen).toEqual([...upTo(8), ...upTo(8).map((i) => i + 100), ...upTo(4).map((i) => i + 200)]);
  });

  it('so that it publishes from within its callback', async () => {
    const topic = open<number>({ maxSize: 1 });
    const seen: number[] = [];
    const subscription = topic.subscribe((item) => {
      seen.push(item);
      topic.next(item + 1);
    });
    topic.next(0);
    await until(() => seen.length >= 100, 'a hundred items');
    subscription.unsubscribe();
    expect(seen.slice(0, 100)).toEqual(upTo(100));
  });

  it('before it asks for the next one', async () => {
    const topic = open<number>({ maxSize: 1 });
    const iterator = topic[Symbol.asyncIterator]();
    const first = iterator.next();
    await topic.publish(0);
    const second = topic.publish(1);
    expect((await first).value).toBe(0);
    await second;
    expect(topic.tryPublish(2)).toBe(false);
    await iterator.return?.();
  });

  it('when it publishes in another process', async () => {
    const topic = open<number>({ maxSize: 8, replay: 8, onWriterLost: 'complete' });
    for (let i = 0; i < 8; i++) await topic.publish(i);
    const other = act('takeAndPublish', { topic, count: 20 });
    expect(await said(other)).toEqual([...upTo(8), ...upTo(8).map((i) => i + 100), ...upTo(4).map((i) => i + 200)]);
    expect(await other.ended).toBe(0);
  });

  it('in another process, and what it was not handed does', async () => {
    const topic = open<number>({ maxSize: 3 });
    const subscriber = act('subscribeAndStay', { topic });
    await until(() => topic.subscribers === 1, 'the subscription');
    for (let i = 0; i < 3; i++) topic.next(i);
    expect(await said(subscriber)).toBe(0);
    await topic.publish(3);
    expect(topic.tryPublish(4)).toBe(false);
    subscriber.child.kill('SIGKILL');
  });

  it('that sleeps in another process', async () => {
    const topic = open<number>({ maxSize: 2, onWriterLost: 'complete' });
    const iterator = topic[Symbol.asyncIterator]();
    const first = iterator.next();
    const publisher = act('publishAndStay', { topic, items: upTo(3) });
    expect((await first).value).toBe(0);
    expect(await said(publisher)).toBe('published');
    publisher.child.kill('SIGKILL');
    await iterator.return?.();
  });
});

describe('large items of a topic', () => {
  const large = (i: number): Uint8Array => new Uint8Array(5_000).fill(i);

  it.each<Lag>(['block', 'drop-oldest', 'latest'])('may be more than it has slots for (lag: %s)', async (lag) => {
    const topic = open<Uint8Array>({ capacity: 4096, lag });
    const one = watch(topic);
    for (let i = 0; i < 200; i++) await topic.publish(large(i), { timeout: 20_000 });
    topic.complete();
    expect(await one.end).toBe('complete');
    expectBytes(one.items.at(-1), large(199));
    if (lag !== 'block') return;
    expect(one.items).toHaveLength(200);
    for (const [i, item] of one.items.entries()) expectBytes(item, large(i));
  });

  it('are dropped for a subscriber that lags, and wait for one that must not', async () => {
    const [dropping, blocking] = [
      open<Uint8Array>({ lag: 'drop-oldest', capacity: 4096 }),
      open<Uint8Array>({ capacity: 1 << 16 }),
    ];
    const gaps: Gap[] = [];
    dropping.gaps.subscribe((gap) => gaps.push(gap));
    const iterator = dropping[Symbol.asyncIterator]();
    const first = iterator.next();
    for (let i = 0; i < 100; i++) dropping.next(large(i));
    await first;
    expect(gaps).toHaveLength(1);
    expect(gaps[0]!.from).toBe(0);
    expectBytes((await first).value, large(gaps[0]!.count));
    await iterator.return?.();

    const larger = (i: number) => new Uint8Array(20_000).fill(i);
    const reader = blocking[Symbol.asyncIterator]();
    const item = reader.next();
    let published = 0;
    while (blocking.tryPublish(larger(published))) published++;
    expect(published).toBe(64);
    const waiting = blocking.publish(larger(published));
    for (let i = 0; i <= published; i++) expectBytes((i === 0 ? await item : await reader.next()).value, larger(i));
    await waiting;
    await reader.return?.();
  });

  it('are the value of a state topic as often as one likes', () => {
    const state = new StateTopic(large(0), { capacity: 4096 });
    made.push(state);
    for (let i = 1; i < 200; i++) state.next(large(i));
    expectBytes(state.value, large(199));
  });
});

describe('a subscriber that is slow', () => {
  it('makes publishing wait with lag block', async () => {
    const topic = open<number>({ maxSize: 2 });
    const iterator = topic[Symbol.asyncIterator]();
    const first = iterator.next();
    expect([topic.tryPublish(0), topic.tryPublish(1), topic.tryPublish(2)]).toEqual([true, true, false]);
    expect(codeOf(() => topic.next(2))).toBe('MP_QUEUE_FULL');
    const seen = [(await first).value];
    await topic.publish(2);
    await expect(topic.publish(3, { timeout: 20 })).rejects.toMatchObject({ code: 'MP_QUEUE_FULL' });
    const publishing = [topic.publish(3), topic.publish(4)];
    for (let i = 0; i < 4; i++) seen.push((await iterator.next()).value);
    await Promise.all(publishing);
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    await iterator.return?.();
  });

  it('is forgotten when it dies, and publishing goes on', async () => {
    const topic = open<number>({ maxSize: 1 });
    const subscriber = act('subscribeAndStay', { topic });
    await until(() => topic.subscribers === 1, 'the subscription');
    const publishing = (async () => {
      for (let i = 0; i < 10; i++) await topic.publish(i);
    })();
    expect(await said(subscriber)).toBe(0);
    subscriber.child.kill('SIGKILL');
    await publishing;
  });

  it('loses the oldest items with lag drop-oldest, and gaps tell which', async () => {
    const topic = open<number>({ maxSize: 3, lag: 'drop-oldest' });
    const gaps: Gap[] = [];
    topic.gaps.subscribe((gap) => gaps.push(gap));
    const one = watch(topic);
    for (let i = 0; i < 10; i++) topic.next(i);
    topic.complete();
    expect(await one.end).toBe('complete');
    expect(one.items).toEqual([7, 8, 9]);
    expect(gaps).toEqual([{ from: 0, count: 7 }]);
  });

  it('ends with an error with lag error', async () => {
    const topic = open<number>({ maxSize: 3, lag: 'error' });
    const one = watch(topic);
    for (let i = 0; i < 4; i++) topic.next(i);
    const error = await one.end;
    expect(error).toBeInstanceOf(StreamOverflowError);
    expect((error as StreamOverflowError).code).toBe('MP_TOPIC_LAG');
  });

  it('ends a wait that is under way with an error with lag error', async () => {
    const topic = open<number>({ maxSize: 3, lag: 'error' });
    const iterator = topic[Symbol.asyncIterator]();
    const next = iterator.next();
    await new Promise(setImmediate);
    for (let i = 0; i < 4; i++) topic.next(i);
    await expect(next).rejects.toMatchObject({ code: 'MP_TOPIC_LAG' });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it('gets the newest item next with lag latest', async () => {
    const topic = open<number>({ lag: 'latest' });
    const iterator = topic[Symbol.asyncIterator]();
    const first = iterator.next();
    topic.next(0);
    expect((await first).value).toBe(0);
    for (let i = 1; i < 1_000; i++) topic.next(i);
    expect((await iterator.next()).value).toBe(999);
    await iterator.return?.();
  });
});

describe('a state topic', () => {
  it('has a value, which every subscriber gets first, and then the newest', async () => {
    const state = new StateTopic({ n: 0 });
    made.push(state);
    const one = watch<{ n: number }>(state);
    expect(state.value).toEqual({ n: 0 });
    await until(() => one.items.length === 1, 'the first value');
    for (let n = 1; n <= 100; n++) state.next({ n });
    expect(state.getValue()).toEqual({ n: 100 });
    const child = act('readState', { topic: state });
    expect(await said(child)).toEqual([{ n: 100 }, { n: 101 }]);
    expect(await child.ended).toBe(0);
    await until(() => one.items.at(-1)!.n === 101, 'the value that the child set');
    expect(one.items.map(({ n }) => n)).toEqual([...one.items.map(({ n }) => n)].sort((a, b) => a - b));
  });
});

it('refuses unknown options', () => {
  expect(() => new Topic({ replays: 1 } as TopicOptions)).toThrow('did you mean `replay`');
  expect(() => new StateTopic(1, { replay: 3 } as never)).toThrow('unknown option `replay`');
  expect(() => new Topic({ lag: 'drop' } as never)).toThrow("one of 'block'");
});
