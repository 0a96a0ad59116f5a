/** What constructors say of arguments they cannot use, and how objects are printed. */
import { inspect } from 'node:util';
import {
  ArgumentError,
  Barrier,
  BoundedSemaphore,
  Condition,
  Connection,
  Event,
  JoinableQueue,
  Lock,
  Pool,
  Process,
  Queue,
  RawArray,
  RawValue,
  RLock,
  Semaphore,
  SharedArray,
  SharedMemory,
  SimpleQueue,
  StateTopic,
  struct,
  Topic,
  Value,
} from 'multiprocess';
import { BufferWrapper } from 'multiprocess/heap';
import { expect, it } from 'vitest';
import { toShared } from '../../dist/memory/index.js';

type Constructor = new (...args: unknown[]) => unknown;

/** What a class says of an argument; what it must not say is how it is made inside. */
function refusal(made: unknown, argument: unknown): unknown {
  try {
    new (made as Constructor)(argument);
  } catch (error) {
    return error;
  }
  return undefined;
}

it.each([Lock, RLock, Event, SimpleQueue])('$name takes no arguments, and says so', (made) => {
  for (const argument of [{ x: 1 }, null, 5, 'a', [], { block: 1 }]) {
    const error = refusal(made, argument);
    expect(error).toBeInstanceOf(ArgumentError);
    expect((error as Error).message).toMatch(`${made.name}: takes no arguments, not `);
  }
});

/** How an object travels. */
function handleOf(object: { close(): void }): unknown {
  const { handle } = toShared(object)!.data;
  object.close();
  expect(handle).toHaveProperty('block');
  return handle;
}

it.each([Lock, RLock, Event, Semaphore, BoundedSemaphore, Queue, JoinableQueue, SimpleQueue, Topic])(
  '$name is not made of what travels in its place',
  (made) => {
    const object = new (made as new () => { close(): void })();
    expect(refusal(made, handleOf(object))).toBeInstanceOf(ArgumentError);
  },
);

it('Condition, Barrier and StateTopic are not made of what travels in their place', () => {
  using lock = new RLock();
  const handles = [new Condition(lock), new Barrier(2), new StateTopic(1)].map(handleOf) as never[];
  expect(() => new (Condition as Constructor)(lock, handles[0])).toThrow(ArgumentError);
  expect(() => new (Barrier as Constructor)(2, {}, handles[1])).toThrow(ArgumentError);
  expect(() => new (StateTopic as Constructor)(1, handles[2])).toThrow(ArgumentError);
});

it('Value, SharedArray and Connection are not made of what they are made of inside', () => {
  using value = new RawValue('i');
  using array = new RawArray('i', 2);
  expect(refusal(Value, value)).toBeInstanceOf(ArgumentError);
  expect(refusal(SharedArray, array)).toBeInstanceOf(ArgumentError);
  expect(refusal(Connection, () => {})).toBeInstanceOf(ArgumentError);
});

it.each<[{ readonly name: string }, unknown]>([
  [Semaphore, { x: 1 }],
  [Semaphore, null],
  [BoundedSemaphore, 'a'],
  [Condition, { x: 1 }],
  [Barrier, { x: 1 }],
  [Queue, { x: 1 }],
  [Topic, 5],
  [Process, { x: 1 }],
  [Pool, 2],
  [Value, { x: 1 }],
  [SharedArray, { x: 1 }],
  [SharedMemory, { create: true, size: 10 }],
])('$0.name refuses $1 by its own name', (made, argument) => {
  const error = refusal(made, argument);
  expect(error).toBeInstanceOf(ArgumentError);
  expect((error as Error).message).toMatch(new RegExp(`^${made.name}: `));
});

it('what is alive is printed as what it is now', async () => {
  const point = new Value(struct({ x: 'f64', y: 'i32' }), { x: 1.5, y: 2 });
  expect(inspect(point)).toBe('Value({ x: 1.5, y: 2 })');
  expect(inspect(point.value)).toBe('{ x: 1.5, y: 2 }');
  expect(point.value).toEqual({ x: 1.5, y: 2 });
  expect(Reflect.ownKeys({ ...point.value })).toEqual(['x', 'y']);
  point.close();
  const wrapper = new BufferWrapper(16);
  expect(inspect(wrapper)).toBe('BufferWrapper(16)');
  wrapper[Symbol.dispose]();
  expect(inspect(wrapper)).toBe('BufferWrapper (disposed)');
  const block = SharedMemory.create(16);
  expect(inspect(block)).toContain(block.name);
  block.close();
  block.unlink();
});

it('streams and results of a pool tell how far they are', async () => {
  await using pool = new Pool({ processes: 1 });
  const stream = pool.imap((x: number) => x, [1, 2]);
  expect(inspect(stream)).toBe('TaskStream (not begun)');
  for await (const _ of stream) expect(inspect(stream)).toMatch(/^TaskStream \{\s+pulled: 2,\s/);
  expect(inspect(stream)).toBe('TaskStream (over)');
  const result = pool.applyAsync(() => 1);
  expect(inspect(result)).toBe('<AsyncResult pending>');
  await result;
  expect(inspect(result)).toBe('<AsyncResult fulfilled>');
});
