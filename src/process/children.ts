/**
 * The children of this process that have not ended, and what becomes of them when it ends.
 *
 * A running child does not keep the event loop alive by itself. When the loop runs empty, finalizers go first, then daemons
 * get SIGTERM, then all children are waited for; see util/at-exit.ts.
 */
import { registerAfterFork } from '../util/after-fork.js';
import { atExit, type Ending } from '../util/at-exit.js';
import type { Popen } from './popen/popen.js';

/** A child as the registry needs it. */
export interface Child {
  readonly popen: Popen;
  readonly daemon: boolean;
}

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

/** The owners of the children that run, in the order of their start. */
export function activeOwners(): object[] {
  return [...children].filter(([, { popen }]) => popen.poll() === null).map(([owner]) => owner);
}

function end(ending: Ending): void | Promise<void> {
  const running = [...children.values()].filter(({ popen }) => popen.poll() === null);
  for (const { popen, daemon } of running) if (daemon) popen.terminate();
  if (ending === 'now') {
    // No loop runs any more: this thread waits for each of them, as Python does.
    for (const { popen } of running) popen.waitSync(Number.POSITIVE_INFINITY);
    return undefined;
  }
  return Promise.all(
    running.map(({ popen }) => {
      popen.ref();
      return new Promise<void>((resolve) => popen.onExit(() => resolve()));
    }),
  ).then(() => undefined);
}
