/**
 * What is said when a value stands where the options belong, as Python and other pools have it: each message shows the right form, and
 * that form is run here as it is written.
 */
import {
  ArgumentError,
  Client,
  Event,
  getContext,
  Listener,
  Lock,
  Pool,
  Process,
  pipe,
  Queue,
  SharedMemory,
  ThreadPool,
  Topic,
} from 'multiprocess';
import { concatMapPull, mergeMapPull } from 'multiprocess/operators';
import { afterAll, beforeAll, expect, it } from 'vitest';

let pool: Pool;
let queue: Queue<number>;
let lock: Lock;
let event: Event;
beforeAll(() => {
  pool = new Pool({ processes: 1 });
  queue = new Queue();
  lock = new Lock();
  event = new Event();
});
afterAll(async () => {
  queue.close();
  await pool.terminate();
  // The memory of these two goes with its last user.
  lock = event = undefined as never;
});

const double = (x: number): number => x * 2;
const loose = (made: unknown): any => made;

/** The form in a message: what stands between the first pair of backquotes after the full stop. */
function formOf(message: string): string {
  const [, form] = /\. (?:Pass|Write) `(.*?)`/.exec(message) ?? [];
  expect(form, message).toBeDefined();
  return form!;
}

async function refusal(call: () => unknown): Promise<ArgumentError> {
  try {
    await call();
  } catch (error) {
    expect(error).toBeInstanceOf(ArgumentError);
    return error as ArgumentError;
  }
  throw new Error('It was not refused.');
}

// The form is run as a reader would type it.
const evaluated = (form: string): object => new Function(`return (${form});`)() as object;

it.each<[string, (options: unknown) => unknown, unknown, string]>([
  ['Pool(2)', (o) => new (loose(Pool))(o).terminate(), 2, '{ processes: 2 }'],
  ['ThreadPool(2)', (o) => new (loose(ThreadPool))(o).terminate(), 2, '{ processes: 2 }'],
  ['Pool(2) of a context', (o) => new (loose(getContext('spawn').Pool))(o).terminate(), 2, '{ processes: 2 }'],
  ['Queue(5)', (o) => new (loose(Queue))(o).close(), 5, '{ maxSize: 5 }'],
  ['Topic(5)', (o) => new (loose(Topic))(o).close(), 5, '{ maxSize: 5 }'],
  ['pipe(false)', (o) => loose(pipe)(o).map((end: Disposable) => end[Symbol.dispose]()), false, '{ duplex: false }'],
  ['imap(f, items, 5)', (o) => loose(pool.imap(double, [1], loose(o))).toArray(), 5, '{ chunkSize: 5 }'],
  ['map(f, items, 5)', (o) => pool.map(double, [1], loose(o)), 5, '{ chunkSize: 5 }'],
  ['lock.acquire(10)', async (o) => (await lock.acquire(loose(o))) && lock.release(), 10, '{ timeout: 10 }'],
  ['lock.acquire(false)', async (o) => (await lock.acquire(loose(o))) && lock.release(), false, '{ timeout: 0 }'],
  ['event.wait(1)', (o) => event.wait(loose(o)), 1, '{ timeout: 1 }'],
  ['queue.put(1, 50)', (o) => queue.put(1, loose(o)), 50, '{ timeout: 50 }'],
  ['mergeMapPull(f, 2)', (o) => mergeMapPull(() => [], loose(o)), 2, '{ concurrency: 2 }'],
  [
    'SharedMemory.create(8, name)',
    (o) => SharedMemory.create(8, loose(o)).unlink(),
    `mp_${process.pid}`,
    `{ name: "mp_${process.pid}" }`,
  ],
])('%s is answered with the form that works', async (_title, call, bare, form) => {
  const error = await refusal(() => call(bare));
  expect(formOf(error.message)).toBe(form);
  await call(evaluated(form));
});

it('a Process is shown as it is written, whichever way the target and its arguments came', async () => {
  const target = (_x: number): void => {};
  for (const given of [[{ target, args: [1] }], [null, target, [1]]]) {
    const { message } = await refusal(() => new (loose(Process))(...given));
    expect(message).toContain('Write `new Process(target, { args: [...] })`.');
  }
  expect((await refusal(() => new (loose(Process))(target, [1]))).message).toContain('Pass `{ args }`.');
  const args: [number] = [1];
  const child = await new Process(target, { args }).start();
  await child.join();
  expect(child.exitCode).toBe(0);
});

it('the start method of a bound class cannot be changed by its options', async () => {
  const spawn = getContext('spawn');
  for (const made of [
    () => new (loose(spawn.Pool))({ context: 'thread' }),
    () => new (loose(spawn.Process))(() => {}, { context: 'thread' }),
  ]) {
    expect((await refusal(made)).message).toContain("its start method is 'spawn'");
  }
});

it('a function and its items in the wrong order are told apart, and so is a path from a module', async () => {
  expect((await refusal(() => pool.map(loose([1, 2]), loose(double)))).message).toContain(
    'The function comes first, then the items.',
  );
  expect((await refusal(() => pool.apply(loose('./worker.js')))).message).toContain(
    "new URL('./file.js', import.meta.url)",
  );
  expect((await refusal(() => new (loose(Process))('./worker.js'))).message).toContain(
    "new URL('./file.js', import.meta.url)",
  );
  await expect(pool.map(double, [1, 2])).resolves.toEqual([2, 4]);
});

it('an item of starmap that is no list of arguments is named', async () => {
  const error = await refusal(() => pool.starmap(loose(double), loose([[1], 2])));
  expect(error.message).toContain(
    'Pool.starmap: each item must be an array of arguments, not 2. For one argument each use map().',
  );
  await expect(pool.starmap(double, [[1], [2]])).resolves.toEqual([2, 4]);
});

it('a listener is made by listen()', async () => {
  expect((await refusal(() => new (loose(Listener))('socket'))).message).toContain(
    'use `await Listener.listen({ address })`',
  );
});

it('a key that stands where the options belong is not repeated', async () => {
  const { message } = await refusal(() => Client('/nowhere', loose('secret')));
  expect(message).toContain('Pass `{ authkey }`.');
  expect(message).not.toContain('secret');
});

it('what has no obvious meaning is refused without advice', async () => {
  expect((await refusal(() => new (loose(Pool))(() => 1))).message).toBe(
    'Pool: options must be an object, not a function.',
  );
  expect(concatMapPull(() => [])).toBeTypeOf('function');
});
