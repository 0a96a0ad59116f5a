/**
 * Closed shared objects, of every class that there is: what was closed here cannot be sent, an object that is received again
 * is open, and each use of a closed one is an error that names what was called.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  pipe,
  Queue,
  RawArray,
  RawValue,
  RLock,
  RwLock,
  Semaphore,
  ShareableList,
  SharedArray,
  SharedMap,
  SharedMemory,
  SimpleQueue,
  StateTopic,
  share,
  Topic,
  Value,
} from 'multiprocess';
import { manager } from 'multiprocess/managers';
import { DupFd, dumps, loads } from 'multiprocess/reduction';
import { firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';

interface Kind {
  make(): any;
  /** Default: `close()`. */
  close?(object: any): void;
  /** Uses one that is open. */
  use(object: any): unknown;
  /** What is left when the test is over, beside what was received. */
  end?(object: any): unknown;
  /** Arguments of methods that need some. */
  args?: Record<string, unknown[]>;
  /** Members that work when it is closed. */
  free?: string[];
}

const lockUse = (lock: any): void => {
  expect(lock.tryAcquire()).toBe(true);
  lock.release();
};
const lockArgs = { runExclusive: [() => 1] };
const queueUse = async (queue: any): Promise<void> => {
  await queue.put(1);
  expect(await queue.get()).toBe(1);
};
const stillLeaves = ['close', 'toString', 'joinThread', 'cancelJoinThread', 'core', 'handle'];
const observable = ['forEach', 'lift', 'pipe', 'subscribe', '_subscribe', '_trySubscribe', 'toPromise', '@@observable'];
const queueArgs = { ack: [1], nack: [1], put: [1], putNowait: [1], putSync: [1], next: [1], error: [new Error('e')] };
/** They make something that says so when it is used. */
const streams = ['consume', 'stream', 'gaps', 'onQueueFeederError'];

const kinds: Record<string, Kind> = {
  Lock: { make: () => new Lock(), use: lockUse, args: lockArgs },
  RLock: { make: () => new RLock(), use: lockUse, args: lockArgs },
  Semaphore: { make: () => new Semaphore(), use: lockUse, args: lockArgs },
  BoundedSemaphore: { make: () => new BoundedSemaphore(), use: lockUse, args: lockArgs },
  Condition: {
    make: () => new Condition(),
    use: (condition) => condition.runExclusive(() => condition.notify()),
    args: { ...lockArgs, waitFor: [() => true], waitForSync: [() => true] },
    // Its lock, which stays open.
    free: ['acquire', 'tryAcquire', 'acquireSync', 'release', 'locked', 'hold', 'runExclusive', 'ownerDied', 'recover'],
  },
  Event: { make: () => new Event(), use: (event) => event.set() },
  Barrier: { make: () => new Barrier(1), use: async (barrier) => expect(await barrier.wait()).toBe(0) },
  RwLock: {
    make: () => new RwLock(),
    use: (lock) => expect(lock.runWrite(() => 7)).resolves.toBe(7),
    args: { runRead: [() => 1], runWrite: [() => 1] },
  },
  SharedMap: {
    make: () => new SharedMap({ capacity: 4 }),
    use: (map) => expect([...map.set('a', 1)]).toEqual([['a', 1]]),
    args: { get: ['a'], has: ['a'], set: ['a', 1], delete: ['a'], update: ['a', () => 1] },
    free: ['capacity', 'bytes'],
  },
  RawValue: { make: () => new RawValue('i', 7), use: (value) => expect(value.value).toBe(7) },
  RawArray: {
    make: () => new RawArray('i', 2),
    use: (array) => array.set(0, 1),
    args: { get: [0], set: [0, 1] },
    free: ['value'],
  },
  Value: {
    make: () => new Value('i', 7),
    use: (value) => expect(value.value).toBe(7),
    args: { update: [() => 1], updateSync: [() => 1] },
    // Its lock, which stays open.
    free: [
      'type',
      'getObj',
      'getLock',
      'acquire',
      'tryAcquire',
      'acquireSync',
      'release',
      'locked',
      'hold',
      'runExclusive',
      'ownerDied',
      'recover',
    ],
  },
  SharedArray: {
    make: () => new SharedArray('c', 4),
    use: (array) => expect(array.get(0)).toBe('\0'),
    args: { get: [0], set: [0, 'a'], runExclusive: [() => 1] },
    free: [
      'type',
      'length',
      'getObj',
      'getLock',
      'acquire',
      'tryAcquire',
      'acquireSync',
      'release',
      'locked',
      'hold',
      'runExclusive',
      'ownerDied',
      'recover',
    ],
  },
  Queue: {
    make: () => new Queue(),
    use: queueUse,
    args: queueArgs,
    // As in Python, one that this process has never used is empty.
    free: [...streams, 'empty', 'full'],
  },
  JoinableQueue: {
    make: () => new JoinableQueue(),
    use: queueUse,
    args: queueArgs,
    free: [...streams, 'empty', 'full', 'join', 'joinSync'],
  },
  SimpleQueue: { make: () => new SimpleQueue(), use: queueUse, args: queueArgs },
  Topic: {
    make: () => new Topic(),
    use: (topic) => topic.publish(1),
    args: { ...queueArgs, publish: [1], tryPublish: [1] },
    free: streams,
  },
  StateTopic: {
    make: () => new StateTopic(1),
    use: (topic) => expect(topic.getValue()).toBe(1),
    args: { ...queueArgs, publish: [1], tryPublish: [1] },
    free: [...streams, 'value'],
  },
  connection: {
    make: () => pipe()[0],
    use: (connection) => expect(connection.closed).toBe(false),
    args: { recvBytesInto: [new Uint8Array(8)], sendBytes: [new Uint8Array(8)] },
    free: ['closed', 'readable', 'writable', 'asObservable'],
  },
  'dup-fd': { make: () => new DupFd(1), use: (fd) => expect(String(fd)).toMatch(/<DupFd \d/) },
  'shared-memory': {
    make: () => SharedMemory.create(8),
    use: (memory) => memory.buf.fill(1),
    end: (memory) => memory.unlink(),
    free: ['name', 'size', 'unlink'],
  },
  'shareable-list': {
    make: () => new ShareableList([1, 2]),
    close: (list) => list.shm.close(),
    use: (list) => expect(list.at(0)).toBe(1),
    args: { get: [0], set: [0, 1], at: [0] },
    free: ['length'],
    end: (list) => list.shm.unlink(),
  },
  Shared: {
    make: () => share({ a: 1 }),
    use: (shared) => expect(shared.value).toEqual({ a: 1 }),
    free: ['closed', 'size'],
  },
};
/** They have no end of their own, or one that is tested where they are. */
const others: Record<string, string> = {
  AsyncLocalStorage: 'a store is never closed',
  heap: 'memory of a heap is freed by it',
  'manager-proxy': 'below',
};

function registered(): string[] {
  const found: string[] = [];
  for (const file of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    for (const [, name] of readFileSync(join('src', file), 'utf8').matchAll(
      /^registerShareable(?:<[^(]*>)?\('([^']+)'/gm,
    ))
      found.push(name!);
  }
  return found;
}

it('every class that can be shared is here', () => {
  expect(registered().sort()).toEqual([...Object.keys(kinds), ...Object.keys(others)].sort());
});

describe.each(Object.entries(kinds))('%s', (_, kind) => {
  const { make, use, end, args = {}, free = [] } = kind;
  const close = kind.close ?? ((object: any) => object.close());

  it('that was closed here cannot be sent, and is open when it is received again', async () => {
    const object = make();
    const bytes = dumps(object);
    close(object);
    const named = expect.stringMatching(new RegExp(`^${object.constructor.name}: it is closed .* send it before`));
    expect(() => dumps(object)).toThrow(expect.objectContaining({ code: 'MP_CLOSED', message: named }));
    const received = loads<any>(bytes);
    expect(received === object).toBe(false);
    await use(received);
    expect(loads<any>(dumps(received)) === received).toBe(true);
    close(object);
    await use(received);
    close(received);
    await end?.(received);
  });

  it('that is closed says what was called', async () => {
    const object = make();
    close(object);
    const unnamed: string[] = [];
    const passed: string[] = [];
    const names = new Set<string>();
    for (let at = Object.getPrototypeOf(object); at !== Object.prototype; at = Object.getPrototypeOf(at))
      for (const name of Object.getOwnPropertyNames(at)) names.add(name);
    for (const name of [...stillLeaves, ...observable, 'constructor', ...free]) names.delete(name);
    const internal = ['suspend', 'resume', 'resumeSync', 'owned', 'action', 'most', 'initial', 'shown'];
    for (const name of internal) names.delete(name);
    for (const name of names) {
      try {
        let result = object[name];
        if (typeof result === 'function') result = result.apply(object, args[name] ?? []);
        if (typeof result?.next === 'function' && typeof result[Symbol.iterator] === 'function') result = [...result];
        if (typeof result?.subscribe === 'function' && result !== object)
          result = new Promise((resolve, reject) => result.subscribe({ complete: resolve, error: reject }));
        await result;
        passed.push(name);
      } catch (error) {
        const { code, message } = error as { code: string; message: string };
        const actor = new RegExp(`^${object.constructor.name}(\\.${name})?:|^SharedMemory "|^\\w+\\.${name}:`);
        if (code !== 'MP_CLOSED' || !actor.test(message)) unnamed.push(`${name}: ${String(error)}`);
      }
    }
    expect(unnamed).toEqual([]);
    expect(passed).toEqual([]);
    await end?.(object);
  });
});

it('a proxy that was disposed of cannot be sent, and is open when it is received again', async () => {
  await using server = await manager();
  const dict = await server.dict({ a: 1 });
  using kept = loads<any>(dumps(dict));
  expect(kept).toBe(dict);
  const again = await server.dict({ dict });
  dict[Symbol.dispose]();
  expect(() => dumps(dict)).toThrow(expect.objectContaining({ code: 'MP_CLOSED' }));
  const received: any = await again.get('dict');
  expect(await received.get('a')).toBe(1);
});

describe('a queue that is closed while items wait for room', () => {
  it('is received again as the same writer: no item is lost, and their order stays', async () => {
    const queue = new Queue<number>({ maxSize: 2 });
    const bytes = dumps(queue);
    const puts = [1, 2, 3, 4].map((item) => queue.put(item));
    queue.close();
    const again = loads<Queue<number>>(bytes);
    puts.push(again.put(5));
    // The one before it has ended.
    queue.close();
    const taken: number[] = [];
    for (let i = 0; i < 5; i++) taken.push(await again.get());
    expect(taken).toEqual([1, 2, 3, 4, 5]);
    await Promise.all(puts);
    expect(again.empty()).toBe(true);
    again.complete();
    for await (const _ of again) expect.fail('nothing is left');
    again.close();
    await again.joinThread();
  });

  it('keeps what its items refer to while it is open here again', async () => {
    const queue = new Queue<Lock>();
    const bytes = dumps(queue);
    await queue.put(new Lock());
    queue.close();
    const again = loads<Queue<Lock>>(bytes);
    const lock = await again.get();
    expect(lock.tryAcquire()).toBe(true);
    lock.release();
    again.close();
  });
});

describe.each([
  ['queue', () => new Queue<number>(), /^Queue\.(consume|subscribe): the queue is closed/],
  ['topic', () => new Topic<number>(), /^Topic\.subscribe: the topic is closed/],
])('a closed %s', (_, make, message) => {
  const named = expect.objectContaining({ code: 'MP_CLOSED', message: expect.stringMatching(message) });

  it('ends what subscribes, iterates or collects with an error that says so', async () => {
    const closed = make();
    closed.close();
    await expect(firstValueFrom(closed)).rejects.toEqual(named);
    const iterate = async () => {
      for await (const _ of closed) expect.fail('nothing comes');
    };
    await expect(iterate()).rejects.toEqual(named);
    const stream = closed instanceof Queue ? closed.consume() : closed.stream();
    await expect(stream.toArray()).rejects.toEqual(named);
    await stream.closed;
  });
});
