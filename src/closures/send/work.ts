/**
 * What one message may cost its sender. To read a function, V8 copies all variables of the scopes
 * around it, used or not. So the functions of a package that is bundled in, which stand in one
 * scope, cost the square of their number, and nothing can interrupt that.
 *
 * Units: variables that V8 copied. Time is none, since the same program would be refused on one
 * machine and not on another.
 */
import type { Mirror } from '../inspect/inspector.js';
import { tooManyFunctions } from '../messages.js';

/** Functions of one message that are not counted. */
const MAX_FREE_FUNCTIONS = 200;
/** A few seconds of a core. */
const MAX_COPIED_VARIABLES = 1_000_000;

let functions = 0;
let copied = 0;

/** A message begins. */
export function beginWork(): void {
  functions = 0;
  copied = 0;
}

/** Functions that were read for the latest message. */
export function functionsRead(): number {
  return functions;
}

/** Counts one function that was read. @throws SerializationError `MP_TOO_MANY_FUNCTIONS`. */
export function countWork({ scopes }: Mirror, actor: () => string): void {
  if (++functions <= MAX_FREE_FUNCTIONS) return;
  for (const { type, object } of scopes) if (type !== 'Global') copied += Object.keys(object).length;
  if (copied > MAX_COPIED_VARIABLES) throw tooManyFunctions(actor(), functions);
}
