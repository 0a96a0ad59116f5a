/**
 * Blocks in transit: what was sent must still be there when it arrives, also if the sender drops or
 * closes it at once.
 *
 * A handle takes a lease of its own and keeps the arena open for {@link TRANSIT_MS} ms. As long as
 * the handle's message is held (freight.ts) no time ends it: until the message was read, or nobody
 * can read it any more. Nobody knows who reads bytes that a user keeps (`dumps`), so there the time
 * is all there is.
 */
import { registerAfterFork } from '../../util/after-fork.js';
import { clearTimeout, performance, setTimeout } from '../../util/timers.js';
import { lookAtHolds, noteKeep } from '../shareable/freight.js';
import { Arena, type BlockHandle } from './arena.js';
import { Lease } from './lease.js';

/**
 * Milliseconds that a handle keeps its block after it was made, or after nobody holds its message
 * any more.
 */
export const TRANSIT_MS = 30_000;

interface Transit {
  readonly lease: Lease;
  until: number;
  /** Messages under way that refer to it: no time ends it. */
  messages: number;
}

const transits = new Map<string, Transit>();
let timer: NodeJS.Timeout | null = null;

// What the parent made stays the parent's, before any lease of it ends here: only then is nothing
// given out again.
registerAfterFork(transits, () => {
  Arena.disown();
  // What the parent has sent is on its way from the parent.
  if (timer !== null) clearTimeout(timer);
  timer = null;
  endTransits(Number.POSITIVE_INFINITY, true);
});

/**
 * Keeps a block for {@link TRANSIT_MS} ms, and for as long as the message that its handle goes into
 * is held.
 */
export function keepInTransit(arena: Arena, offset: number, size: number): void {
  const key = blockIdentity(arena.handle(offset, size));
  let transit = transits.get(key);
  if (transit === undefined) {
    arena.refer(offset);
    transit = { lease: new Lease(arena, offset, size), until: 0, messages: 0 };
  }
  prolong(key, transit);
  const keep = transit;
  noteKeep({
    hold: () => {
      keep.messages++;
    },
    letGo: () => {
      if (--keep.messages === 0 && transits.get(key) === keep) prolong(key, keep);
    },
  });
}

/** It stands for {@link TRANSIT_MS} ms from now. */
function prolong(key: string, transit: Transit): void {
  // The map's order is that of the ends.
  transits.delete(key);
  transit.until = performance.now() + TRANSIT_MS;
  transits.set(key, transit);
  arm(TRANSIT_MS);
}

function arm(delay: number): void {
  if (timer !== null) return;
  timer = setTimeout(() => {
    timer = null;
    endTransits(performance.now());
  }, delay).unref();
}

/** @param all Also those whose messages are under way: they are another process's. */
function endTransits(now: number, all = false): void {
  for (const [key, { lease, until, messages }] of transits) {
    if (messages > 0 && !all) continue;
    if (until > now) {
      arm(until - now);
      return;
    }
    transits.delete(key);
    lease.end();
  }
}

/**
 * Functions that end all transits at once whose messages are not under way, one for each copy of
 * this package in this thread: for the leak check of tests, which cannot wait for the time to pass.
 */
const ENDERS = Symbol.for('multiprocess.endTransits');
const scope = globalThis as { [ENDERS]?: (() => void)[] };
scope[ENDERS] ??= [];
scope[ENDERS].push(() => {
  lookAtHolds();
  endTransits(Number.POSITIVE_INFINITY);
});

/** What tells a block from all others, whoever made the handle. */
export function blockIdentity({ ino, offset, generation }: BlockHandle): string {
  return `${ino}:${offset}:${generation}`;
}
