/** `wait` over what is no descriptor: queues, topics, events and results. */
import { Event, JoinableQueue, Pool, Process, Queue, SimpleQueue, StateTopic, Topic } from 'multiprocess';
import { pipe, wait } from 'multiprocess/connection';
import { describe, expect, it } from 'vitest';
import { until } from '../support/until.js';

const nextTurn = (): Promise<void> => new Promise((done) => setImmediate(done));

describe.each([
  ['Queue', () => new Queue<number>()],
  ['JoinableQueue', () => new JoinableQueue<number>()],
  ['SimpleQueue', () => new SimpleQueue<number>()],
])('of a %s', (_, make) => {
  it('ends when it has an item, which stays', async () => {
    const queue = make();
    expect(await wait([queue], { timeout: 0 })).toEqual([]);
    const waiting = wait([queue]);
    await queue.put(7);
    expect(await waiting).toEqual([queue]);
    expect(await wait([queue], { timeout: 0 })).toEqual([queue]);
    expect(await queue.get()).toBe(7);
    expect(await wait([queue], { timeout: 0 })).toEqual([]);
    queue.close();
    await expect(wait([queue])).rejects.toMatchObject({ code: 'MP_CLOSED' });
  });

  it('takes no wake-up from who gets', async () => {
    const queue = make();
    const waits = [wait([queue]), wait([queue])];
    const got = queue.get();
    await queue.put(1);
    expect(await got).toBe(1);
    await queue.put(2);
    expect(await Promise.all(waits)).toEqual([[queue], [queue]]);
    expect(await queue.get()).toBe(2);
    queue.close();
  });

  it('leaves nothing behind when its time is over, or it is aborted', async () => {
    const queue = make();
    expect(await wait([queue], { timeout: 5 })).toEqual([]);
    const abort = new AbortController();
    const aborted = expect(wait([queue], { signal: abort.signal })).rejects.toThrow('enough');
    abort.abort(new Error('enough'));
    await aborted;
    await queue.put(3);
    expect(await queue.get()).toBe(3);
    queue.close();
  });
});

it('of a queue ends when none will come', async () => {
  const queue = new Queue<number>();
  const waiting = wait([queue]);
  queue.complete();
  expect(await waiting).toEqual([queue]);
  queue.close();
});

it.each([
  ['Queue', () => new Queue<number>()],
  ['SimpleQueue', () => new SimpleQueue<number>()],
])('of a %s whose writers ended without a word looks once for each item', async (_, make) => {
  const queue = make();
  const produce = (item: number) => new Process(async () => queue.put(item)).start();
  const producers = [await produce(1)];
  await producers[0]!.join();
  const taken: number[] = [];
  let looks = 0;
  for (; taken.length < 2; looks++) {
    expect(await wait([queue])).toEqual([queue]);
    while (!queue.empty()) taken.push(await queue.get());
    expect(await wait([queue], { timeout: 0 })).toEqual([]);
    if (taken.length < 2) producers.push(await produce(2));
  }
  expect([taken, looks]).toEqual([[1, 2], 2]);
  for (const producer of producers) await producer.join();
  queue.close();
});

it('of a queue that has come to its end is followed by what says so, for each way to take', async () => {
  const completed = new Queue<number>();
  completed.complete();
  const failed = new Queue<number>();
  failed.error(new Error('no more'));
  expect(await wait([completed, failed])).toEqual([completed, failed]);
  expect(() => completed.getNowait()).toThrow(expect.objectContaining({ code: 'MP_QUEUE_COMPLETED' }));
  await expect(completed.get()).rejects.toMatchObject({ code: 'MP_QUEUE_COMPLETED' });
  expect(() => failed.getNowait()).toThrow('no more');
  await expect(failed.get()).rejects.toThrow('no more');
  completed.close();
  failed.close();
});

it('of a queue hears another process', async () => {
  const queue = new Queue<string>();
  const producer = await new Process(async () => queue.put('from there')).start();
  expect(await wait([queue])).toEqual([queue]);
  expect(await queue.get()).toBe('from there');
  await producer.join();
  queue.close();
});

it('of a topic ends with the next item, which subscribers see too', async () => {
  const topic = new Topic<number>();
  const seen: number[] = [];
  const subscription = topic.subscribe((item) => seen.push(item));
  expect(await wait([topic], { timeout: 0 })).toEqual([]);
  const waiting = wait([topic]);
  await topic.publish(5);
  expect(await waiting).toEqual([topic]);
  const over = wait([topic]);
  topic.complete();
  expect(await over).toEqual([topic]);
  await until(() => seen.length === 1, 'the item at the subscriber');
  subscription.unsubscribe();
  topic.close();
  const state = new StateTopic<number>(1);
  expect(await wait([state])).toEqual([state]);
  state.close();
});

it('of an Event ends when it is set', async () => {
  const event = new Event();
  expect(await wait([event], { timeout: 0 })).toEqual([]);
  const waiting = wait([event]);
  event.set();
  expect(await waiting).toEqual([event]);
  expect(await wait([event], { timeout: 0 })).toEqual([event]);
});

it('of results ends when one has settled, either way', async () => {
  await using pool = new Pool({ processes: 2 });
  const go = new Event();
  const slow = pool.applyAsync(() => go.wait());
  const failing = pool.applyAsync(() => {
    throw new Error('no');
  });
  expect(await wait([slow, failing])).toEqual([failing]);
  go.set();
  await slow;
  expect(await wait([slow, failing], { timeout: 0 })).toEqual([slow, failing]);
});

it('takes all of them together, in the order given', async () => {
  const [ours, theirs] = pipe<number>();
  const [queue, event] = [new Queue<number>(), new Event()];
  const waiting = wait([ours, queue, event]);
  await nextTurn();
  event.set();
  expect(await waiting).toEqual([event]);
  await theirs.send(1);
  await queue.put(1);
  expect(await wait([event, queue, ours], { timeout: 0 })).toEqual([event, queue, ours]);
  ours.close();
  theirs.close();
  queue.close();
});
