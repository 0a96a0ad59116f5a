import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ClosedError, type Gap, ProducerLostError, Queue, StateTopic, StreamOverflowError, Topic, type TopicOptions } from 'multiprocess';
import { dumps } from 'multiprocess/reduction';
import { afterEach, describe, expect, it } from 'vitest';
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
  const subscription = topic.subscribe({ next: (item) => items.push(item), error: finish, complete: () => finish('complete') });
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
    expect(one.items).toEqual(sizes.map((size, i) => new Uint8Array(size).fill(i)));
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
    const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData: dumps([topic, back]) });
    const exit = once(thread, 'exit');
    await until(() => topic.subscribers === 1, 'the subscription');
    for (let i = 0; i < 100; i++) topic.next(i);
    topic.complete();
    for (let i = 0; i < 100; i++) expect(await back.get({ timeout: 20_000 })).toBe(i);
    expect((await exit)[0]).toBe(0);
  });
});

describe('a subscriber that is slow', () => {
  it('makes publishing wait with lag block', async () => {
    const topic = open<number>({ maxSize: 2 });
    const iterator = topic[Symbol.asyncIterator]();
    const first = iterator.next();
    expect([topic.tryPublish(0), topic.tryPublish(1), topic.tryPublish(2)]).toEqual([true, true, false]);
    expect(codeOf(() => topic.next(2))).toBe('MP_QUEUE_FULL');
    await expect(topic.publish(2, { timeout: 20 })).rejects.toMatchObject({ code: 'MP_QUEUE_FULL' });
    const publishing = [topic.publish(2), topic.publish(3)];
    const seen = [(await first).value];
    for (let i = 0; i < 3; i++) seen.push((await iterator.next()).value);
    await Promise.all(publishing);
    expect(seen).toEqual([0, 1, 2, 3]);
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
  expect(() => new Topic({ lag: 'drop' } as never)).toThrow("one of 'block'");
});
