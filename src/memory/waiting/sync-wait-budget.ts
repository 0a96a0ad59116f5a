/**
 * How many waits may block their caller for some microseconds before the event loop turns.
 *
 * Who is answered within such a wait needs no turn of the loop and no wake-up. A loop that awaits nothing else would keep the event
 * loop from turning, so the budget is one for the thread: of {@link MOST} waits without a turn the next one takes one.
 */
import { registerAfterFork } from '../../util/after-fork.js';
import { setImmediate } from '../../util/timers.js';

const MOST = 32;

let brief = 0;
const onTurned = () => {
  brief = 0;
};

// Nothing that the parent's loop had to do comes in a fork.
registerAfterFork(onTurned, onTurned);

/** Whether a wait may be brief; if not, the loop must turn first. */
export function mayBeBrief(): boolean {
  if (brief === 0) setImmediate(onTurned);
  return ++brief <= MOST;
}
