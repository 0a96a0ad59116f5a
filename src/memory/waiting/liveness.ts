/**
 * The liveness check of this thread: one timer for all that waits, which also keeps the event loop
 * alive meanwhile.
 */
import { registerAfterFork } from '../../util/after-fork.js';
import { clearInterval, setInterval } from '../../util/timers.js';
import { IDLE_LIVENESS_CHECK_MS, LIVENESS_CHECK_MS } from './wait-protocol.js';

/** What wants to be called once in {@link LIVENESS_CHECK_MS} ms. */
export interface LivenessCheck {
  /** Returns whether {@link IDLE_LIVENESS_CHECK_MS} would do. */
  checkLiveness(): boolean;
}

const watched = new Set<LivenessCheck>();
let timer: NodeJS.Timeout | null = null;
let rare = false;

// What waited in the parent goes on waiting there.
registerAfterFork(watched, () => {
  watched.clear();
  if (timer !== null) clearInterval(timer);
  timer = null;
});

/** Calls `one.checkLiveness()` from here on. */
export function watchLiveness(one: LivenessCheck): void {
  if (timer === null || rare) every(LIVENESS_CHECK_MS);
  else if (watched.size === 0) timer.ref();
  watched.add(one);
}

/** No more. The timer stays for a while, since the next wait often comes soon. */
export function unwatchLiveness(one: LivenessCheck): void {
  if (watched.delete(one) && watched.size === 0) timer?.unref();
}

function checkAll(): void {
  if (watched.size === 0 && timer !== null) {
    clearInterval(timer);
    timer = null;
    return;
  }
  let calm = true;
  for (const one of watched) calm = one.checkLiveness() && calm;
  if (watched.size > 0 && calm !== rare) every(calm ? IDLE_LIVENESS_CHECK_MS : LIVENESS_CHECK_MS);
}

function every(time: number): void {
  if (timer !== null) clearInterval(timer);
  timer = setInterval(checkAll, time);
  rare = time === IDLE_LIVENESS_CHECK_MS;
}
