/**
 * Proxies that are on their way to another process: their objects are held in the server until the
 * receiver has claimed them, nobody can read the message any more (memory/shareable/freight.ts), or
 * the sender has gone.
 *
 * A message that nobody accounts for (`dumps`) stands for {@link TRANSIT_MS} ms; one that was read
 * or lost does so from then on, since the reader may be loading modules.
 */
import { noteKeep, TRANSIT_MS } from '../../memory/index.js';
import { registerAfterFork } from '../../util/after-fork.js';
import { clearTimeout, performance, setTimeout } from '../../util/timers.js';

interface Transit {
  readonly end: () => void;
  until: number;
  /** Messages under way that carry it: no time ends it. */
  messages: number;
}

/** In the order of their ends. */
const transits = new Set<Transit>();
const state: { timer: NodeJS.Timeout | null } = { timer: null };

/** Notes a handle that is being made. @param end takes back what holds its object. */
export function inTransit(end: () => void): void {
  const transit: Transit = { end, until: 0, messages: 0 };
  prolong(transit);
  noteKeep({
    hold: () => {
      transit.messages++;
    },
    letGo: () => {
      if (--transit.messages === 0 && transits.has(transit)) prolong(transit);
    },
  });
}

function prolong(transit: Transit): void {
  transits.delete(transit);
  transit.until = performance.now() + TRANSIT_MS;
  transits.add(transit);
  state.timer ??= setTimeout(look, TRANSIT_MS).unref();
}

function look(): void {
  state.timer = null;
  endBefore(performance.now());
}

function endBefore(now: number): void {
  for (const transit of transits) {
    if (transit.messages > 0) continue;
    if (transit.until > now) {
      state.timer ??= setTimeout(look, transit.until - now).unref();
      return;
    }
    transits.delete(transit);
    transit.end();
  }
}

// What was sent is the parent's to hold.
registerAfterFork(transits, (inherited) => {
  inherited.clear();
  if (state.timer !== null) clearTimeout(state.timer);
  state.timer = null;
});

/** As in memory/regions/transit.ts: for tests, which cannot wait for the time to pass. */
const END_TRANSITS = Symbol.for('multiprocess.endTransits');
const scope = globalThis as { [END_TRANSITS]?: (() => void)[] };
scope[END_TRANSITS] ??= [];
scope[END_TRANSITS].push(() => endBefore(Number.POSITIVE_INFINITY));
