/** The beat of this thread: one timer for all that waits, which also keeps the event loop alive meanwhile. */
import { registerAfterFork } from '../util/after-fork.js';
import { BEAT } from './gate.js';

/** What wants to be called once in {@link BEAT} ms. */
export interface Watched {
  beat(): void;
}

const watched = new Set<Watched>();
let timer: NodeJS.Timeout | null = null;

// What waited in the parent goes on waiting there.
registerAfterFork(watched, () => {
  watched.clear();
  if (timer !== null) clearInterval(timer);
  timer = null;
});

/** Calls `one.beat()` from here on. */
export function watch(one: Watched): void {
  if (watched.size === 0) {
    if (timer === null) timer = setInterval(beat, BEAT);
    else timer.ref();
  }
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
  }
  for (const one of watched) one.beat();
}
