/** Objects of the library say what they are in template strings and logs, open and closed. */
import { inspect } from 'node:util';
import * as multiprocess from 'multiprocess';
import * as heap from 'multiprocess/heap';
import { BufferWrapper, Heap } from 'multiprocess/heap';
import * as managers from 'multiprocess/managers';
import { DupFd } from 'multiprocess/reduction';
import { expect, it } from 'vitest';

type Class = abstract new (...args: never[]) => object;

const isClass = (value: unknown): value is Class =>
  typeof value === 'function' && Function.prototype.toString.call(value).startsWith('class');

it('every class that is exported has a text of its own', () => {
  const classes = [
    ...[multiprocess, heap, managers].flatMap((module) => Object.entries(module)),
    ['DupFd', DupFd] as const,
  ].filter(([, value]) => isClass(value));
  expect(classes.length).toBeGreaterThan(40);
  const without = classes
    .filter(([, type]) => (type as Class).prototype.toString === Object.prototype.toString)
    .map(([name]) => name);
  expect(without).toEqual([]);
});

it('objects are printed alike by console.log and in template strings, closed ones too', async () => {
  const {
    AsyncResult,
    Listener,
    Pool,
    Process,
    pipe,
    Queue,
    RawArray,
    RawValue,
    SharedArray,
    SharedMemory,
    StateTopic,
    Topic,
    Value,
  } = multiprocess;
  const pool = new Pool({ processes: 1 });
  const [left, right] = pipe();
  const listener = await Listener.listen();
  const block = SharedMemory.create(8);
  const list = new multiprocess.ShareableList([1, 'a']);
  const result = pool.applyAsync(() => 1);
  expect(result).toBeInstanceOf(AsyncResult);
  const objects: object[] = [
    pool,
    left,
    right,
    listener,
    block,
    result,
    pool.imap((x: number) => x, [1]),
    new Process(() => {}),
    new Queue(),
    new Topic(),
    new StateTopic({ initial: 1 }),
    new multiprocess.Lock(),
    new multiprocess.Barrier(1),
    new RawArray('i', 2),
    new RawValue('i', 5),
    new SharedArray('f64', [1, 2]),
    new multiprocess.SharedMap({ capacity: 3 }),
    new Value('i', 7),
    new Heap(),
    new BufferWrapper(9),
    multiprocess.getContext('spawn'),
    multiprocess.currentProcess(),
    new managers.SyncManager(),
    list,
  ];
  const check = (object: object) => {
    const text = `${object}`;
    expect(text).not.toMatch(/\[object /);
    expect(text).toBe(inspect(object));
  };
  for (const object of objects) {
    check(object);
    expect(`${object}`).toMatch(
      new RegExp(
        object === left
          ? 'Connection'
          : object.constructor.name.replace(/^Current$/, 'Process').replace(/^\w*Context$/, 'ontext'),
      ),
    );
  }
  await result.get();
  await pool.terminate();
  await listener.close();
  block.unlink();
  list.shm.close();
  list.shm.unlink();
  for (const object of objects as Partial<{ close(): unknown }>[])
    if (object !== pool && object !== listener) object.close?.();
  objects.forEach(check);
  expect(`${pool}`).toMatch(/ended/);
});
