import { clearTimeout, performance, setTimeout } from './timers.js';

/** Longest delay of one timer, ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Calls back after `timeout` ms: never earlier, also when that is longer than one timer lasts;
 * `Infinity`: never. Keeps the event loop alive until then. Returns what takes it back.
 */
export function after(timeout: number, callback: () => void): () => void {
  if (timeout === Number.POSITIVE_INFINITY) return () => {};
  // A timer may fire up to a millisecond early.
  const end = performance.now() + timeout;
  let timer: NodeJS.Timeout;
  const arm = () => {
    const left = end - performance.now();
    if (left <= 0) callback();
    else timer = setTimeout(arm, Math.min(Math.ceil(left), MAX_TIMER_MS));
  };
  timer = setTimeout(arm, Math.min(Math.max(0, Math.ceil(timeout)), MAX_TIMER_MS));
  return () => clearTimeout(timer);
}
