/**
 * The children of this process that have not ended, and what becomes of them when it ends.
 *
 * A running child does not keep the event loop alive by itself. When the loop runs empty,
 * finalizers go first, then the children are joined, whom a daemon may serve, then daemons are
 * ended: by SIGTERM, and when their grace is over by SIGKILL; see util/at-exit.ts.
 */

import { registerAfterFork } from '../util/after-fork.js';
import { atExit, type Ending, writeOn } from '../util/at-exit.js';
import { debug } from '../util/logger.js';
import { performance } from '../util/timers.js';
import { settles } from '../util/wait-options.js';
import type { Popen } from './popen/popen.js';

/** A child as the registry needs it. */
export interface Child {
  readonly popen: Popen;
  readonly daemon: boolean;
}

/** How daemons are ended, and how long each step may take, milliseconds. */
const DAEMON_SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGKILL'];
const GRACE_MS = 2_000;
/** Between two attempts to write on, milliseconds. */
const WRITE_POLL_MS = 20;

const children = new Map<object, Child>();
let installed = false;

/** Adds a child until it has ended. `owner` is what {@link activeOwners} lists. */
export function addChild(owner: object, child: Child): void {
  if (!installed) {
    installed = true;
    atExit('children', end);
    // They are its parent's, not its own.
    registerAfterFork(children, (inherited) => {
      inherited.clear();
      installed = false;
    });
  }
  children.set(owner, child);
  child.popen.onExit(() => children.delete(owner));
}

/** Returns the owners of the children that run, in the order of their start. */
export function activeOwners(): object[] {
  return [...children].filter(([, { popen }]) => popen.poll() === null).map(([owner]) => owner);
}

function end(ending: Ending): void | Promise<void> {
  return ending === 'now' ? endNow() : endNaturally();
}

/** No loop runs any more: this thread waits for each of them, as Python does. */
function endNow(): void {
  for (const { popen } of running(false)) {
    while (writeOn() && popen.method !== 'thread' && !popen.waitSync(WRITE_POLL_MS));
    popen.waitSync(Number.POSITIVE_INFINITY);
  }
  const daemons = running(true);
  for (const signal of DAEMON_SIGNALS) {
    const deadline = performance.now() + GRACE_MS;
    for (const { popen } of daemons) send(popen, signal);
    for (const { popen } of daemons) popen.waitSync(Math.max(0, deadline - performance.now()));
  }
}

async function endNaturally(): Promise<void> {
  // One that ends may have another one started.
  for (let ordinary = running(false); ordinary.length > 0; ordinary = running(false))
    await Promise.all(ordinary.map(ended));
  const daemons = running(true);
  for (const signal of DAEMON_SIGNALS) {
    for (const { popen } of daemons) send(popen, signal);
    await settles(Promise.all(daemons.map(ended)), { timeout: GRACE_MS });
  }
}

function running(daemon: boolean): Child[] {
  return [...children.values()].filter((child) => child.daemon === daemon && child.popen.poll() === null);
}

/**
 * One that this process may not signal: a child of the forkserver ends with it all the same, by its
 * lifeline; a spawned one whose user is another goes on.
 */
function send(popen: Popen, signal: NodeJS.Signals): void {
  if (popen.poll() !== null) return;
  try {
    popen.signal(signal);
  } catch (error) {
    debug('cannot end a daemon at exit: %s', (error as Error).message);
  }
}

/** Keeps the event loop alive until then. */
function ended({ popen }: Child): Promise<void> {
  popen.ref();
  return new Promise((resolve) => popen.onExit(() => resolve()));
}
