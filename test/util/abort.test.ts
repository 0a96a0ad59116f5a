import { getEventListeners } from 'node:events';
import {
  Barrier,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  pipe,
  Queue,
  RwLock,
  Semaphore,
  SimpleQueue,
  Topic,
  wait,
} from 'multiprocess';
import { afterEach, describe, expect, it } from 'vitest';
import { onAbort } from '../../src/util/abort.js';

const warnings: Error[] = [];
const onWarning = (warning: Error) => warnings.push(warning);
process.on('warning', onWarning);
afterEach(() => {
  expect(warnings.splice(0).map(String)).toEqual([]);
});

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;
/** Warnings are printed on a later tick. */
const turn = () => new Promise((done) => setImmediate(done));

/** Each starts a wait that only the signal ends, and closes what it made when that has settled. */
type Wait = (signal: AbortSignal) => Promise<unknown>;
const waits: Readonly<Record<string, Wait>> = {
  'Lock.acquire': async (signal) => {
    const lock = new Lock();
    lock.tryAcquire();
    await lock.acquire({ signal });
  },
  'RwLock.read': async (signal) => {
    const lock = new RwLock();
    lock.tryWrite();
    await lock.read({ signal });
  },
  'RwLock.write': async (signal) => {
    const lock = new RwLock();
    lock.tryRead();
    await lock.write({ signal });
  },
  'Semaphore.acquire': (signal) => new Semaphore(0).acquire({ signal }),
  'Condition.wait': async (signal) => {
    const condition = new Condition();
    await condition.acquire();
    await condition.wait({ signal });
  },
  'Event.wait': (signal) => new Event().wait({ signal }),
  'Barrier.wait': (signal) => new Barrier(2).wait({ signal }),
  'Queue.get': (signal) => new Queue().get({ signal }),
  'Queue.put': async (signal) => {
    const queue = new Queue({ maxSize: 1 });
    queue.cancelJoinThread();
    await queue.put(1);
    await queue.put(2, { signal });
  },
  'SimpleQueue.get': (signal) => new SimpleQueue().get({ signal }),
  'JoinableQueue.join': async (signal) => {
    const queue = new JoinableQueue();
    await queue.put(1);
    await queue.join({ signal });
  },
  'Topic.publish': async (signal) => {
    const topic = new Topic({ maxSize: 1 });
    const iterator = topic[Symbol.asyncIterator]();
    const taken = iterator.next();
    topic.next(1);
    await taken;
    topic.next(2);
    await topic.publish(3, { signal }).finally(() => topic.close());
  },
  'Connection.recv': async (signal) => {
    const [a, b] = pipe();
    await a.recv({ signal }).finally(() => [a, b].map((one) => one.close()));
  },
  'Connection.poll': async (signal) => {
    const [a, b] = pipe();
    await a.poll({ timeout: 1e9, signal }).finally(() => [a, b].map((one) => one.close()));
  },
  wait: async (signal) => {
    const [a, b] = pipe();
    await wait([a], { signal }).finally(() => [a, b].map((one) => one.close()));
  },
};

describe('a signal that many waits share', () => {
  it('is listened to once, and not at all when they have settled', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const kinds = Object.entries(waits);
    const started = Array.from({ length: 100 }, (_, i) => kinds[i % kinds.length]!).map(([name, start]) =>
      start(signal).then(
        () => `${name} ended`,
        (error: unknown) => (error === signal.reason ? 'aborted' : `${name}: ${String(error)}`),
      ),
    );
    await turn();
    await turn();
    expect(listeners(signal)).toBe(1);
    controller.abort(new Error('enough'));
    expect([...new Set(await Promise.all(started))]).toEqual(['aborted']);
    expect(listeners(signal)).toBe(0);
  });

  it('keeps no listener when all of them ended by themselves', async () => {
    const { signal } = new AbortController();
    const queue = new Queue<number>();
    const gets = Array.from({ length: 100 }, () => queue.get({ signal }));
    await turn();
    expect(listeners(signal)).toBe(1);
    for (let i = 0; i < 100; i++) await queue.put(i);
    expect((await Promise.all(gets)).length).toBe(100);
    expect(listeners(signal)).toBe(0);
    queue.close();
  });

  it('tells each of them once, in the order in which they began, save those that left', () => {
    const controller = new AbortController();
    const told: number[] = [];
    const leave = Array.from({ length: 4 }, (_, i) => onAbort(controller.signal, () => told.push(i)));
    leave[1]!();
    controller.abort();
    leave[2]!();
    expect(told).toEqual([0, 2, 3]);
    expect(listeners(controller.signal)).toBe(0);
  });
});
