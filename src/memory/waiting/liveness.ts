/** The beat of this thread: one timer for all that waits, which also keeps the event loop alive meanwhile. */
import { registerAfterFork } from '../../util/after-fork.js';
import { clearInterval, setInterval } from '../../util/timers.js';
import { BEAT, RARE_BEAT } from './wait-protocol.js';

/** What wants to be called once in {@link BEAT} ms. */
export interface Watched {
  /** Returns whether {@link RARE_BEAT} would do. */
  beat(): boolean;
}

const watched = new Set<Watched>();
let timer: NodeJS.Timeout | null = null;
let rare = false;

// What waited in the parent goes on waiting there.
registerAfterFork(watched, () => {
  watched.clear();
  if (timer !== null) clearInterval(timer);
  timer = null;
});

/** Calls `one.beat()` from here on. */
export function watch(one: Watched): void {
  if (timer === null || rare) every(BEAT);
  else if (watched.size === 0) timer.ref();
  watched.add(one);
}

/** No more. The timer stays for a while, since the next wait often comes soon. */
export function unwatch(one: Watched): void {
  if (watched.delete(one) && watched.size === 0) timer?.unref();
}

function beat(): void {
  if (watched.size === 0 && timer !== null) {
    clearInterval(timer);
    timer = null;
    return;
  }
  let calm = true;
  for (const one of watched) calm = one.beat() && calm;
  if (watched.size > 0 && calm !== rare) every(calm ? RARE_BEAT : BEAT);
}

function every(time: number): void {
  if (timer !== null) clearInterval(timer);
  timer = setInterval(beat, time);
  rare = time === RARE_BEAT;
}
