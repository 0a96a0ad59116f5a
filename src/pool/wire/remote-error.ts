/**
 * Errors from workers: their stack shows the frames of the task, in the files as the user wrote
 * them, then those of the call.
 *
 *   Error: no such user
 *       at find (file:///app/src/users.ts:12:11)
 *       --- called from ---
 *       at main (file:///app/src/main.ts:30:20)
 */
import { atEarlierCall, inCall, isError, isLibraryFrame, mapStack } from '../../reduction/index.js';
import type { CallSite } from '../scheduling/call-site.js';

const SEPARATOR = '    --- called from ---';
/** Errors that are looked at. */
const MAX_ERRORS = 64;

/**
 * Completes the stack of an error that a worker, or a manager's server, sent. Anything else is
 * returned as it is.
 */
export function fromWorker(error: unknown, site: CallSite | null): unknown {
  if (!isError(error)) return error;
  complete(error, site);
  const found = new Set<Error>([error]);
  for (const { cause, errors } of found as Set<Error & { readonly errors?: unknown }>) {
    for (const inner of [cause, ...(Array.isArray(errors) ? (errors as unknown[]) : [])]) {
      if (!isError(inner) || found.has(inner) || found.size === MAX_ERRORS) continue;
      found.add(inner);
      complete(inner, null);
    }
  }
  return error;
}

/**
 * Completes the refusal of something to be sent: who refused, what it is to them, where they were
 * called from.
 */
export function inPoolCall(
  error: unknown,
  actor: string,
  site: CallSite | null,
  rename: (path: string) => string,
): unknown {
  inCall(error, actor, rename);
  if (site !== null) atEarlierCall(error, callerFrames(site));
  return error;
}

function complete(error: Error, site: CallSite | null): void {
  const { stack } = error;
  if (typeof stack !== 'string') return;
  const task = mapStack(withoutLoop(stack.split('\n')).join('\n'));
  const call = site === null ? '' : callerFrames(site);
  const text = call === '' ? task : `${task}\n${SEPARATOR}\n${call}`;
  if (text !== stack)
    Reflect.defineProperty(error, 'stack', { value: text, writable: true, enumerable: false, configurable: true });
}

/**
 * Returns the lines of a stack up to the loop that ran the task. A stack of the library's own
 * frames only stays whole.
 */
function withoutLoop(lines: readonly string[]): readonly string[] {
  let end = lines.length;
  for (let i = lines.length - 1; i > 0; i--) {
    const line = lines[i]!;
    if (isLibraryFrame(line)) end = i;
    else if (!/^\s+at .*\bnode:/.test(line)) break;
  }
  return lines.slice(0, end).some((line) => /^\s+at /.test(line)) ? lines.slice(0, end) : lines;
}

function callerFrames({ stack }: CallSite): string {
  // Hosts may set Error.prepareStackTrace to anything.
  if (typeof stack !== 'string') return '';
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  while (frames.length > 0 && (isLibraryFrame(frames[0]!) || frames[0]!.includes('at new Promise'))) frames.shift();
  while (frames.length > 0 && frames.at(-1)!.includes('node:internal/')) frames.pop();
  return mapStack(frames.join('\n'));
}
