/**
 * The source of the script that a function belongs to, as V8 keeps it. The Debugger domain has it
 * too, but its first use takes V8's hash of every script there is: 15 to 40 ms.
 *
 * V8's own functions (`%FunctionGetScriptSource`) are no part of its interface: where they are
 * missing or differ, nothing is returned and the caller asks the Debugger domain.
 *
 * Invariant: code with such a function is compiled and run between the two changes of the flag.
 * What V8 has forgotten of it by then it could not compile again.
 */
// Not the global, which is a copy inside a test runner's vm.
import process from 'node:process';
import { Script } from 'node:vm';
import { isFromSnapshot } from '../../util/from-snapshot.js';

/** The source of a script, and where in it a function starts as V8 sees it: at its parameters. */
export interface ScriptSource {
  readonly source: string;
  readonly position: number;
}

type Read = (fn: Function) => readonly [source: unknown, position: unknown];

const READER = '(function (fn) { return [%FunctionGetScriptSource(fn), %FunctionGetScriptSourcePosition(fn)] })';
const ALLOW = '--allow-natives-syntax';

/**
 * Returns the source of a function's script; `null` where V8 does not give it.
 *
 * @param fn One that has a location: anything else, such as a bound function, V8 takes for one that
 * has, and ends the process.
 */
export function scriptSourceOf(fn: Function): ScriptSource | null {
  const [source, position] = attempt(fn) ?? attemptAllowed(fn) ?? [];
  return typeof source === 'string' && typeof position === 'number' ? { source, position } : null;
}

/** `null` where the flag is not set. */
function attempt(fn: Function): ReturnType<Read> | null {
  try {
    return (new Script(READER).runInThisContext() as Read)(fn);
  } catch {
    return null;
  }
}

/**
 * The flag is one of the process. A program that has set it keeps it, since {@link attempt} comes
 * first. A thread that asks at the same time may find it gone, and gets `null`.
 */
function attemptAllowed(fn: Function): ReturnType<Read> | null {
  if (isFromSnapshot()) return null;
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  setFlagsFromString(ALLOW);
  try {
    return attempt(fn);
  } finally {
    setFlagsFromString(`--no-${ALLOW.slice(2)}`);
  }
}
