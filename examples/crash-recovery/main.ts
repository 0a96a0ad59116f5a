/**
 * Crash recovery, seen live: workers are killed while they work, one item kills each worker that takes it,
 * and every other item has its result.
 *
 *   node .build/examples/crash-recovery/main.js [LIMIT]
 */
import { Pool, WorkerCrashError } from 'multiprocess';
import { Screen } from '../board/screen.js';
import { type Chain, longestChain } from './collatz.js';
import { told, view } from './view.js';

const LIMIT = Number(process.argv[2] ?? 3_000_000);
/** Chains of an item. */
const SPAN = Math.ceil(LIMIT / 300);
const ITEMS = Math.ceil(LIMIT / SPAN);
/** The item that no worker survives. */
const POISON = 13;
/** Whenever so many items are settled, a worker that works is killed. */
const KILL_EACH = Math.floor(ITEMS / 8);

// Threads cannot be killed one by one: this needs processes, whatever the default is here.
await using pool = new Pool({ processes: 4, context: 'spawn' });
const screen = new Screen(process.stdout);
const events: string[] = [];
const note = (line: string): void => {
  events.push(line);
  if (!process.stdout.isTTY) console.log(line);
};
const watching = pool.events.subscribe((event) => {
  const line = told(event);
  if (line !== null) note(line);
});

const search = (item: number): Chain => {
  if (item === POISON) process.kill(process.pid, 'SIGKILL');
  return longestChain(item * SPAN, Math.min((item + 1) * SPAN, LIMIT));
};
const results = pool.imapUnordered(search, Array(ITEMS).keys(), { errors: 'settle', retries: 3, chunkSize: 1 });

let longest: Chain = { start: 0, length: 0 };
let settled = 0;
let kills = 0;
const givenUp: unknown[] = [];
for await (const result of results) {
  settled++;
  if (result.status === 'rejected') givenUp.push(result.reason);
  else if (result.value.length > longest.length) longest = result.value;
  if (settled % KILL_EACH === 0 && killOne()) kills++;
  screen.show(view(pool.stats(), settled, ITEMS, events));
}
watching.unsubscribe();

for (const reason of givenUp) {
  if (!(reason instanceof WorkerCrashError)) throw reason;
  console.log(`item ${reason.itemIndex} was given up: ${reason.message}`);
}
console.log(`${settled} items settled, ${givenUp.length} given up, ${kills} workers killed from outside`);
console.log(`the longest chain below ${LIMIT} starts at ${longest.start} and has ${longest.length} numbers`);

/** Kills a worker in the middle of an item. Returns whether there was one. */
function killOne(): boolean {
  const victim = pool.stats().workers.find(({ state, items }) => state === 'ready' && items > 0);
  if (victim === undefined) return false;
  process.kill(victim.pid!, 'SIGKILL');
  return true;
}
