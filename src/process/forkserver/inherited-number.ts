/** The numbers at which a forked child finds the descriptors that it is given. */
import { openFileLimit } from '../../platform/proc-linux.js';
import { MAX_DESCRIPTORS } from './protocol.js';

/** Number of the first one, where the limit of open files leaves room for all behind it. */
const FIRST_DESCRIPTOR = 512;

let first: number | undefined;

/** Returns the number in a child of the `index`-th descriptor that it is given. */
export function inheritedNumber(index: number): number {
  first ??= firstDescriptor();
  return first + index;
}

/** Below are Node's own. */
function firstDescriptor(): number {
  const allowed = openFileLimit();
  return allowed >= FIRST_DESCRIPTOR + MAX_DESCRIPTORS ? FIRST_DESCRIPTOR : Math.floor(allowed / 2);
}
