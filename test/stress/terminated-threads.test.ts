/**
 * Threads that end at any moment and in any way: within a lock, with items that they have claimed, in the middle of a message.
 * MULTIPROCESS_STORM_THREADS says how many, MULTIPROCESS_SEED how and when each of them ends.
 */
import { readdirSync } from 'node:fs';
import { Lock, Process, Queue, type RawArray, SharedArray, ThreadPool } from 'multiprocess';
import { expect, it } from 'vitest';
import { seeded } from '../support/seeded.js';
import { until } from '../support/until.js';

const THREADS = Number(process.env['MULTIPROCESS_STORM_THREADS'] ?? 32);
const AT_ONCE = 3;
/** So many items have no answer yet, while threads are ended. */
const OPEN_ITEMS = 40;
/** Most milliseconds between two ends. */
const LONGEST_MS = 40;
/** A thread without the memory for more ends soon, and so does the storm. */
const SMALL = { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 3 };

/** How threads end: by others, by an error that nobody catches, by `process.exit`, and for want of memory. */
const WAYS = ['terminate', 'terminate', 'terminate', 'throw', 'exit', 'memory'] as const;
type Way = (typeof WAYS)[number];
/** Where one ends that does so by itself: with an item and nothing else, between two words under the lock, in a message. */
const PLACES = ['claim', 'lock', 'record'] as const;

interface End {
  readonly way: Way;
  readonly place: (typeof PLACES)[number];
  /** With which of its items. */
  readonly at: number;
}

interface Answer {
  readonly item: number;
  readonly text: string;
}

/** Takes items, notes each under the lock in two places that must agree, puts an answer, and says that it is done. */
async function work(
  items: Queue<number>,
  answers: Queue<Answer>,
  lock: Lock,
  counts: RawArray<'i32'>,
  end: End,
): Promise<void> {
  const finish = (): never => {
    if (end.way === 'exit') process.exit(3);
    if (end.way === 'memory') {
      // Small objects: on Node 26 a thread that fills its memory with arrays hangs in the garbage collector.
      for (const all: unknown[] = []; ; ) all.push({ all: all.length, text: `${all.length}` });
    }
    throw new Error('meant to end this thread');
  };
  const { array } = counts;
  let left = end.at;
  for await (const item of items.consume({ ack: 'manual', prefetch: 2 })) {
    const here = left-- === 0 && end.way !== 'terminate' ? end.place : null;
    if (here === 'claim') finish();
    lock.acquireSync();
    if (lock.ownerDied) {
      array[1] = array[0]!;
      lock.recover();
    }
    array[0] = array[0]! + 1;
    if (here === 'lock') finish();
    array[1] = array[1]! + 1;
    lock.release();
    const put = answers.put({ item, text: `item ${item} `.repeat(item % 5 === 0 ? 30_000 : 200) });
    if (here === 'record') finish();
    await put;
    items.ack(item);
  }
}

const isWhole = ({ item, text }: Answer): boolean => text === `item ${item} `.repeat(item % 5 === 0 ? 30_000 : 200);
const systemThreads = (): number => readdirSync('/proc/self/task').length;

it(`${THREADS} threads end at any moment, in any way: no item is lost, no lock is stuck, no answer torn, nothing kept alive`, {
  timeout: 120_000 + 2_000 * THREADS,
}, async () => {
  const { random } = seeded();
  const items = new Queue<number>();
  const answers = new Queue<Answer>({ onWriterLost: 'complete' });
  const lock = new Lock();
  const counts = new SharedArray('i32', 2, { lock: false });
  let given = 0;

  const answered = new Set<number>();
  const problems: string[] = [];
  const take = async (timeout: number): Promise<boolean> => {
    let answer: Answer;
    try {
      answer = await answers.get({ timeout });
    } catch (error) {
      if ((error as { code: string }).code === 'MP_QUEUE_EMPTY') return false;
      throw error;
    }
    if (!isWhole(answer)) problems.push(`answer ${answer.item} is torn`);
    answered.add(answer.item);
    return true;
  };

  /** Takes what came, and gives new items for it. */
  const feed = async (): Promise<void> => {
    while (await take(0));
    while (given - answered.size < OPEN_ITEMS) await items.put(given++);
  };
  /** Feeds until something has happened. */
  const feeding = async (end: Promise<unknown>): Promise<void> => {
    let over = false;
    const done = end.then(() => (over = true));
    while (!over) {
      await feed();
      await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 5))]);
    }
  };

  /** A thread that works; `end` resolves when it has ended, by itself or by that. */
  const start = async (way: Way) => {
    const how: End = { way, place: PLACES[random(PLACES.length)]!, at: random(3) };
    const args = [items, answers, lock, counts, how] as const;
    if (way === 'memory') {
      const pool = new ThreadPool({ processes: 1, resourceLimits: SMALL });
      const done = pool.apply(work, args).then(
        () => problems.push('a thread outlived its memory'),
        () => {}, // WorkerCrashError: the pool has seen its thread end.
      );
      return async () => {
        await feeding(done);
        pool.terminate();
        await pool.join();
      };
    }
    const thread = new Process(work as never, { args: args as never, context: 'thread' });
    await thread.start();
    return async () => {
      if (way === 'terminate') thread.kill();
      await feeding(thread.join());
    };
  };

  // The kernel's thread starts with the first one.
  await (await start('terminate'))();
  const threads = systemThreads();
  const ways = new Map<Way, number>();
  let running = await Promise.all(Array.from({ length: AT_ONCE }, () => start('terminate')));
  for (let ended = 0; ended < THREADS; ended++) {
    await new Promise((done) => setTimeout(done, random(LONGEST_MS)));
    await feed();
    const at = random(running.length);
    await running[at]!();
    const way = WAYS[random(WAYS.length)]!;
    ways.set(way, (ways.get(way) ?? 0) + 1);
    running = running.with(at, await start(way));
  }
  for (const end of running) await end();
  // One that nobody ends does the rest, whatever the others had claimed.
  const last = new Process(work as never, {
    args: [items, answers, lock, counts, { way: 'terminate', place: 'claim', at: 0 }] as never,
    context: 'thread',
  });
  await last.start();
  while (answered.size < given && problems.length === 0)
    if (!(await take(20_000))) problems.push(`no answer for 20 s; ${answered.size} of ${given} came`);
  last.kill();
  await last.join();
  console.log(`${given} items; ended: ${[...ways].map(([way, count]) => `${count} by ${way}`).join(', ')}`);
  expect(await lock.acquire({ timeout: 20_000 })).toBe(true);
  const [first, second] = counts.array;
  if (lock.ownerDied) lock.recover();
  else expect(first).toBe(second);
  lock.release();
  expect(problems).toEqual([]);
  for (const one of [items, answers, lock, counts]) one.close();
  // What the kernel keeps is counted after the file (support/leaks.ts).
  await until(() => systemThreads() <= threads, 'no more threads than after the first one');
});
