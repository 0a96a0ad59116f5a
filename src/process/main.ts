/** The program's main file and its arguments, as its children are told them. */
import { programFile } from '../util/program-files.js';
import { identity } from './identity.js';

/**
 * Path of the program's main file; `null` for `-e`, stdin and the REPL. A child has that of its
 * family.
 */
export function mainPath(): string | null {
  const own = identity();
  if (own.main === undefined) own.main = hasScript() ? programFile(process.argv[1]!) : null;
  return own.main;
}

/** Returns the program's arguments, without Node and the script. */
export function programArguments(): string[] {
  return process.argv.slice(hasScript() ? 2 : 1);
}

/** In `node -e code a b` and in the REPL the second word is an argument. */
function hasScript(): boolean {
  return process.argv[1] !== undefined && (process as { _eval?: unknown })._eval === undefined;
}
