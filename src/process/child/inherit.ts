/**
 * The first thing a child does: bind its life to its parent's, and take over what it was given.
 *
 *   spawn             node [options] <entry> <parent pid> <name> <number of descriptors>; they
 *                     follow the standard streams
 *   thread            workerData
 *   forkserver, fork  globalThis[INHERITANCE], set in the fork before it imports the entry; its
 *                     life is bound already
 */
import { isMainThread, workerData } from 'node:worker_threads';
import { setCloseOnExec } from '../../native/descriptors.js';
import { setParentDeathSignal } from '../../native/process.js';
import { joinFamily, type Membership } from '../../native/threads/membership.js';
import { type Entry, entry } from '../../util/package.js';
import { begin } from '../../util/starting.js';
import type { StartMethod } from '../start-method.js';
import { coverTermination } from './coverage.js';
import { printAtOnce } from './thread-output.js';

/**
 * Number, in a spawned child, of the first descriptor its parent passed: those below are the
 * standard streams.
 */
export const FIRST_DESCRIPTOR = 3;

/** Where a fork, and a thread's `workerData`, keep what the child is given. */
export const INHERITANCE: unique symbol = Symbol.for('multiprocess.inheritance') as never;
/** Key of the inheritance in a thread's `workerData`: symbols are not cloned. */
export const INHERITANCE_KEY = 'multiprocess.inheritance';

/** Set, in a template, while it loads modules: the programs it has loaded, by their URL. */
export const PROGRAMS: unique symbol = Symbol.for('multiprocess.programs') as never;

/** Key, in a thread's `workerData`, of its place among threads without the addon. */
export const MEMBERSHIP_KEY = 'multiprocess.membership';

const SIGKILL = 9;

/** Who this child is, and what it was given. */
export interface Inheritance {
  /** Name the parent gave it, such as `SpawnPoolWorker-1`. */
  readonly name: string;
  /** The parent's process id. */
  readonly parentPid: number;
  /**
   * Numbers of the descriptors it was given. In a thread they stay the parent's, which closes them
   * when the thread has ended.
   */
  readonly descriptors: readonly number[];
  /** How it was started. */
  readonly method: StartMethod;
}

/**
 * Takes over what this child was given. Makes the kernel kill a spawned process when its parent
 * ends, however that ends, and keeps the inherited descriptors from this process's own children.
 * Ends the process at once when the parent is gone already. Call it once, before anything else.
 */
export function inherit(): Inheritance {
  begin();
  const scope = globalThis as { [INHERITANCE]?: Inheritance };
  const forked = scope[INHERITANCE];
  if (forked !== undefined) {
    delete scope[INHERITANCE];
    if (isMainThread) coverTermination();
    if (forked.method === 'thread') printAtOnce();
    return forked;
  }
  if (!isMainThread) {
    const given = (workerData as Record<string, Inheritance | undefined> | null)?.[INHERITANCE_KEY];
    if (given !== undefined) {
      const membership = (workerData as Record<string, Membership | undefined>)[MEMBERSHIP_KEY];
      if (membership !== undefined) joinFamily(membership);
      printAtOnce();
      return given;
    }
  }
  const parentPid = Number(process.argv[2]);
  const name = process.argv[3] ?? 'Process';
  const count = Number(process.argv[4] ?? 0);
  if (!setParentDeathSignal(SIGKILL, parentPid)) process.exit(1);
  const descriptors = Array.from({ length: count }, (_, i) => FIRST_DESCRIPTOR + i);
  for (const fd of descriptors) setCloseOnExec(fd, true);
  process.argv.splice(2, 3);
  coverTermination();
  return { name, parentPid, descriptors, method: 'spawn' };
}

/**
 * Runs the program of a child: now, or, where a template loads its module, in those of its forks
 * that are started with it.
 */
export function program(name: Entry, begin: () => void): void {
  const loading = (globalThis as { [PROGRAMS]?: Map<string, () => void> })[PROGRAMS];
  if (loading === undefined) begin();
  else loading.set(entry(name).href, begin);
}
