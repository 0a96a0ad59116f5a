/**
 * How many waits may block their caller for some microseconds before the event loop turns.
 *
 * Who is answered within such a wait needs no turn of the loop and no wake-up. A loop that awaits
 * nothing else would keep the event loop from turning, so the budget is one for the thread: of
 * {@link MAX_SYNC_WAITS_PER_TURN} waits without a turn the next one takes one.
 */
import { registerAfterFork } from '../../util/after-fork.js';
import { setImmediate } from '../../util/timers.js';

const MAX_SYNC_WAITS_PER_TURN = 32;

let syncWaits = 0;
const onTurned = () => {
  syncWaits = 0;
};

// Nothing that the parent's loop had to do comes in a fork.
registerAfterFork(onTurned, onTurned);

/**
 * Takes one brief wait of the budget. Returns whether there was one; if not, the event loop must
 * turn first.
 */
export function takeSyncWait(): boolean {
  if (syncWaits === 0) setImmediate(onTurned);
  return ++syncWaits <= MAX_SYNC_WAITS_PER_TURN;
}
