/**
 * In a copy of a running program: nothing goes on that the program had begun. The event loop was
 * quiesced already (native/fork-loop-linux.cc).
 */
import { randomFillSync } from 'node:crypto';
import { forgetReadiness } from '../../native/index.js';
import { isKeptByForks } from '../../util/at-exit.js';
import { clearImmediate, clearTimeout } from '../../util/timers.js';
import type { Linked, NodeInternals } from './node-internals.js';

/**
 * Events of `process` whose listeners are the parent's affair. Signals are not among them: a fork
 * handles them as its parent did.
 */
const PARENT_EVENTS = [
  'beforeExit',
  'exit',
  'uncaughtException',
  'uncaughtExceptionMonitor',
  'unhandledRejection',
  'rejectionHandled',
  'multipleResolves',
  'message',
  'disconnect',
  'worker',
];

/**
 * Timers that Node sets for its own bookkeeping: the Date header of http, the coarse clock of
 * fetch. They keep nothing alive.
 */
const NODE_TIMERS = new Set(['resetCache', 'onTick']);

/**
 * Removes timers, immediates and listeners of the parent, and makes random bytes in caches anew.
 */
export function quiesce({ timers, immediates, randomCaches: caches }: NodeInternals): void {
  for (const list of Object.values(timers)) {
    for (const timer of members(list, list)) if (!isNodes(timer as never)) clearTimeout(timer as never);
  }
  for (const immediate of members(immediates.head, null)) clearImmediate(immediate as never);
  for (const event of PARENT_EVENTS) {
    for (const listener of process.rawListeners(event)) {
      if (!isKeptByForks(listener)) process.removeListener(event, listener as never);
    }
  }
  if (process.hasUncaughtExceptionCaptureCallback()) process.setUncaughtExceptionCaptureCallback(null);
  process.exitCode = undefined;
  for (const cache of caches) randomFillSync(cache);
  forgetReadiness();
  forgetIdleSockets();
}

/**
 * Returns a list as it is now, from `first` (or behind it, where it is the head of a circle) to
 * `end`.
 */
function members(first: Linked | null, end: Linked | null): Linked[] {
  const found: Linked[] = [];
  for (let one = first === end ? (first?._idleNext ?? null) : first; one !== end && one !== null; one = one._idleNext)
    found.push(one);
  return found;
}

function isNodes({ _onTimeout, hasRef }: { _onTimeout?: { name?: string } | null; hasRef?(): boolean }): boolean {
  return NODE_TIMERS.has(_onTimeout?.name ?? '') && hasRef !== undefined;
}

/**
 * Where fetch has its dispatchers: an Agent, and in newer Nodes one behind a wrapper for older
 * versions of its interface.
 */
const FETCH_DISPATCHERS = [2, 1].map((version) => Symbol.for(`undici.globalDispatcher.${version}`));

type DispatcherClass = new (inner?: unknown) => object;

/**
 * Connections that fetch and http keep for the next request are the parent's: two processes on one
 * would mix their requests.
 */
function forgetIdleSockets(): void {
  const scope = globalThis as { [at: symbol]: object | undefined };
  let agent: object | undefined;
  for (const at of FETCH_DISPATCHERS) {
    const type = scope[at]?.constructor as DispatcherClass | undefined;
    // One that the program has set itself stays.
    if (type?.name === 'Agent') agent = scope[at] = new type();
    else if (type?.name === 'Dispatcher1Wrapper' && agent !== undefined) scope[at] = new type(agent);
  }
  for (const name of ['http', 'https'] as const) {
    if ((process as { moduleLoadList?: readonly string[] }).moduleLoadList?.includes(`NativeModule ${name}`) !== true)
      continue;
    const { freeSockets } = process.getBuiltinModule(name).globalAgent as { freeSockets: Record<string, unknown> };
    for (const host of Object.keys(freeSockets)) delete freeSockets[host];
  }
}
