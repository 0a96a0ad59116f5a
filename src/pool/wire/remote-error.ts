/**
 * Errors from workers: their stack shows the frames of the task, in the files as the user wrote them, then those of the call.
 *
 *   Error: no such user
 *       at find (file:///app/src/users.ts:12:11)
 *       --- called from ---
 *       at main (file:///app/src/main.ts:30:20)
 */
import { atEarlierCall, inCall, isError, mapStack } from '../../reduction/index.js';
import type { CallSite } from '../scheduling/call-site.js';

const SEPARATOR = '    --- called from ---';
/** Frames of the worker's own loop, which end those of the task; in a bundle of the library its methods are known by their names. */
const LOOP =
  /^\s+at (.*[/\\](pool[/\\](worker-loop|worker)|managers[/\\](session|server|current-call))\.[jt]s|(\S*#item|\S*#initialize|\S*#call|run|runCall|makeObject) \(.*[/\\]bundle[/\\]\w+\.cjs):\d+:\d+\)?$/;
/** Frames of the pool, which begin those of the call. */
const POOL = /^\s+at .*[/\\](dist|src)[/\\]((pool|managers|streams|util)[/\\]([\w-]+[/\\])*[\w-]+\.[jt]s|bundle[/\\]\w+\.cjs):\d+:\d+\)?$/;
/** Errors that are looked at. */
const MAX_CALL_FRAMES = 64;

/** Completes the stack of an error that a worker, or a manager's server, sent. Anything else is returned as it is. */
export function fromWorker(error: unknown, site: CallSite | null): unknown {
  if (!isError(error)) return error;
  complete(error, site);
  const found = new Set<Error>([error]);
  for (const { cause, errors } of found as Set<Error & { readonly errors?: unknown }>) {
    for (const inner of [cause, ...(Array.isArray(errors) ? (errors as unknown[]) : [])]) {
      if (!isError(inner) || found.has(inner) || found.size === MAX_CALL_FRAMES) continue;
      found.add(inner);
      complete(inner, null);
    }
  }
  return error;
}

/** Completes the refusal of something to be sent: who refused, what it is to them, where they were called from. */
export function inPoolCall(error: unknown, actor: string, site: CallSite | null, rename: (path: string) => string): unknown {
  inCall(error, actor, rename);
  if (site !== null) atEarlierCall(error, callerFrames(site));
  return error;
}

function complete(error: Error, site: CallSite | null): void {
  const { stack } = error;
  if (typeof stack !== 'string') return;
  const lines = stack.split('\n');
  const end = lines.findIndex((line) => LOOP.test(line));
  const task = mapStack((end < 0 ? lines : lines.slice(0, end)).join('\n'));
  const call = site === null ? '' : callerFrames(site);
  const text = call === '' ? task : `${task}\n${SEPARATOR}\n${call}`;
  if (text !== stack) Reflect.defineProperty(error, 'stack', { value: text, writable: true, enumerable: false, configurable: true });
}

function callerFrames({ stack }: CallSite): string {
  // Hosts may set Error.prepareStackTrace to anything.
  if (typeof stack !== 'string') return '';
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  while (frames.length > 0 && (POOL.test(frames[0]!) || frames[0]!.includes('at new Promise'))) frames.shift();
  while (frames.length > 0 && frames.at(-1)!.includes('node:internal/')) frames.pop();
  return mapStack(frames.join('\n'));
}
