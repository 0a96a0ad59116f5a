/** A value that cannot be sent: the stack begins at the line that sent it, and the message says which call and which argument. */
import { JoinableQueue, Pool, Process, pipe, Queue, SimpleQueue, Topic } from 'multiprocess';
import { dumps, loads } from 'multiprocess/reduction';
import { afterAll, beforeAll, expect, it } from 'vitest';

let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 1 });
});
afterAll(() => pool.terminate());

const bad = { rows: [Promise.resolve(1)] };

interface Refusal extends Error {
  readonly code: string;
  readonly path: string;
}

async function refusal(sendIt: () => unknown): Promise<Refusal> {
  try {
    await sendIt();
  } catch (error) {
    return error as Refusal;
  }
  throw new Error('It was sent.');
}

/** The function that sent it stands first. */
function expectCaller({ stack }: Refusal): void {
  expect(stack!.split('\n')[1]).toMatch(/^ {4}at (async )?(sendIt )?\(?.*caller\.test\.ts:\d+:\d+\)?$/);
}

it('dumps, loads, queues, topics and connections show the line of their caller', async () => {
  const queue = new Queue<unknown>();
  const simple = new SimpleQueue<unknown>();
  const joinable = new JoinableQueue<unknown>();
  const topic = new Topic<unknown>();
  const [left, right] = pipe();
  const ways: Record<string, () => unknown> = {
    dumps: () => dumps(bad),
    loads: () => loads(new Uint8Array([0xc1, 0, 0])),
    'Queue.put': () => queue.put(bad),
    'SimpleQueue.put': () => simple.put(bad),
    'JoinableQueue.put': () => joinable.put(bad),
    'Topic.publish': () => topic.publish(bad),
    'Connection.send': () => left.send(bad),
  };
  for (const [name, way] of Object.entries(ways)) {
    const error = await refusal(way);
    expect(error.name, name).toBe('SerializationError');
    expectCaller(error);
  }
  for (const each of [queue, simple, joinable, topic, left, right]) each.close();
});

it('calls of a pool say which argument, jobs which item', async () => {
  const identity = (...values: unknown[]) => values.length;
  const ways: [string, string, () => unknown][] = [
    ['Pool.apply', 'argument 1', () => pool.apply(identity, [1, bad])],
    ['Pool.applyAsync', 'argument 0', () => pool.applyAsync(identity, [bad]).get()],
    ['Pool.map', 'item 2', () => pool.map(identity, [1, 2, bad, 3])],
    ['Pool.starmap', '[1] <- item 1', () => pool.starmap(identity, [[1], [2, bad]] as [number, unknown][])],
    [
      'Pool.imap',
      'item 3',
      async () => {
        for await (const _ of pool.imap(identity, [1, 2, 3, bad]));
      },
    ],
  ];
  for (const [actor, part, way] of ways) {
    const error = await refusal(way);
    expect(error.message).toBe(
      `${actor}: Cannot send a Promise ([0] <- .rows <- ${part}): it settles in this thread only; await it and send the result.`,
    );
    expect([error.code, error.path]).toEqual(['MP_PROMISE', `[0] <- .rows <- ${part}`]);
    expectCaller(error);
  }
});

it('a call that had to wait for its worker too', async () => {
  const busy = pool.apply(() => {
    for (const until = Date.now() + 200; Date.now() < until; );
  });
  const waiting = Array.from({ length: 50 }, (_, i) => pool.apply((x: number) => x, [i]));
  const error = await refusal(() => pool.apply((x: unknown) => x, [bad]));
  expect(error.path).toBe('[0] <- .rows <- argument 0');
  expectCaller(error);
  await Promise.all([busy, ...waiting]);
});

it('what a task captures, initArgs and a result', async () => {
  expectCaller(await refusal(() => pool.apply(() => bad)));
  const failing = await refusal(async () => {
    const prepared = new Pool({ processes: 1, initializer: (_: unknown) => undefined, initArgs: [bad] });
    try {
      await prepared.apply(() => 1);
    } finally {
      await prepared.terminate();
    }
  });
  expect(failing.message).toContain('Pool: Cannot send a Promise ([0] <- .rows <- initArgs[0])');
  expectCaller(failing);
  const result = await refusal(() => pool.apply(() => ({ rows: [Promise.resolve(1)] })));
  expect(result.message).toMatch(/^The result of the task: Cannot send a Promise \(\[0\] <- \.rows\)/);
  const [, separator, caller] = result.stack!.split('\n');
  expect([separator, caller]).toEqual(['    --- called from ---', expect.stringContaining('caller.test.ts')]);
});

it('Process.start says which argument, and shows the line of its caller', async () => {
  const error = await refusal(() => new Process((..._: unknown[]) => undefined, { args: [1, bad] }).start());
  expect(error.message).toContain('Process.start: Cannot send a Promise ([0] <- .rows <- argument 1)');
  expectCaller(error);
  const target = await refusal(() => new Process(() => bad).start());
  expect(target.path).toMatch(/captured `bad` <- an anonymous function .* <- the target$/);
  expectCaller(target);
});
