/**
 * What keeps names of shared memory from outliving their creators, for those who make such names
 * themselves. Python: `multiprocessing.resource_tracker`.
 *
 * @packageDocumentation
 */

import { ArgumentError, MultiprocessError } from '../errors/index.js';
import { nativeAvailable, withoutAddon } from '../native/index.js';
import { blockIdOf } from '../platform/shared-memory-linux.js';
import { checkNumber, checkOptions, describe } from '../util/options.js';
import { ensureTracker, stopTracker, track, tracked, trackerAddress, untrack } from './tracker-client.js';

/** What can be tracked: a name of POSIX shared memory, as in Python. */
export type ResourceType = 'shared_memory';

/** Longest name, in bytes: that of a file. A registration goes through a pipe in one piece. */
const LONGEST = 255;
/** Milliseconds that `stop` waits for the tracker's end. */
const PATIENCE = 1_000;

/** Inodes of the names that were registered by hand. */
const registered = new Map<string, string>();

/**
 * The process that unlinks names of shared memory when all who answer for them have ended, however
 * they ended. `SharedMemory` and `ShareableList` register theirs by themselves.
 *
 * Semantics: one tracker serves a tree of processes: children use their parent's. It ignores
 * SIGINT, SIGTERM and SIGHUP; killed, it is started again at the next use and told all names, with
 * one warning (`MP_TRACKER_DIED`). What it finds left behind it removes and reports on stderr, and
 * then ends with 1 in place of 0. It ends when no process uses it any more.
 *
 * Python: `multiprocess.resource_tracker`. There it also tracks those who only attach, and unlinks
 * under their feet.
 */
export const resourceTracker = {
  /**
   * Starts the tracker unless it runs, and keeps it for as long as this process lives.
   * @throws MultiprocessError `MP_SYSTEM`; UnsupportedError without the native addon.
   */
  ensureRunning(): void {
    checkTrackable('resourceTracker.ensureRunning');
    ensureTracker();
  },

  /**
   * Makes this process answer for a name below /dev/shm.
   *
   * @throws ArgumentError for a name of more than 255 bytes, or another type; MultiprocessError
   *   `MP_BLOCK_NOT_FOUND` when there is no such name; UnsupportedError without the native addon.
   */
  register(name: string, type: ResourceType): void {
    const key = checkResource('resourceTracker.register', name, type);
    checkTrackable('resourceTracker.register');
    const inode = blockIdOf(key);
    if (inode === null) {
      throw new MultiprocessError(
        `resourceTracker.register: there is no shared memory named ${describe(name)}; create it first.`,
        {
          code: 'MP_BLOCK_NOT_FOUND',
        },
      );
    }
    registered.set(key, inode);
    track(key, inode);
  },

  /**
   * Takes {@link register} back: the name is somebody else's concern. Nothing happens for a name
   * that was not registered here.
   */
  unregister(name: string, type: ResourceType): void {
    const key = checkResource('resourceTracker.unregister', name, type);
    const inode = registered.get(key) ?? (tracked(key) ? blockIdOf(key) : null);
    registered.delete(key);
    if (inode !== null && inode !== undefined) untrack(key, inode);
  },

  /**
   * Lets go of the tracker. It ends when no other process uses it and no name is left.
   *
   * @param options `timeout`: milliseconds to wait for its end, default 1000.
   * @returns whether it has ended.
   */
  async stop(options: { readonly timeout?: number | undefined } = {}): Promise<boolean> {
    checkOptions('resourceTracker.stop', options, ['timeout'], { number: 'timeout' });
    return stopTracker(checkNumber('resourceTracker.stop', 'timeout', options.timeout) ?? PATIENCE);
  },

  /** Process id of the tracker, or `null` when this process uses none. */
  get pid(): number | null {
    const address = trackerAddress();
    return address === null ? null : Number(address.split(':')[0]);
  },
};

// The module's functions, as Python has them.

/**
 * That of {@link resourceTracker}.
 * @example
 * import { ensureRunning, resourceTracker } from 'multiprocess/resource-tracker';
 *
 * ensureRunning(); // now, for children that are started later
 * console.log(resourceTracker.pid !== null); // true
 */
export const ensureRunning: (typeof resourceTracker)['ensureRunning'] = resourceTracker.ensureRunning;
/**
 * That of {@link resourceTracker}.
 * @example
 * import { rmSync, writeFileSync } from 'node:fs';
 * import { register, unregister } from 'multiprocess/resource-tracker';
 *
 * const name = `pages-${process.pid}`;
 * writeFileSync(`/dev/shm/${name}`, 'memory that another library made');
 * register(name, 'shared_memory');
 * try {
 *   console.log('it goes, also when this process is killed'); // it goes, also when this process is killed
 * } finally {
 *   rmSync(`/dev/shm/${name}`);
 *   unregister(name, 'shared_memory');
 * }
 */
export const register: (typeof resourceTracker)['register'] = resourceTracker.register;
/**
 * That of {@link resourceTracker}.
 * @example
 * import { SharedMemory } from 'multiprocess';
 * import { unregister } from 'multiprocess/resource-tracker';
 *
 * const made = SharedMemory.create(4096);
 * unregister(made.name, 'shared_memory'); // it outlives this process, until somebody unlinks it
 * made.close();
 * const found = SharedMemory.attach(made.name);
 * console.log(found.size); // 4096
 * found.unlink();
 * found.close();
 */
export const unregister: (typeof resourceTracker)['unregister'] = resourceTracker.unregister;
/**
 * That of {@link resourceTracker}.
 * @example
 * import { ensureRunning, resourceTracker, stop } from 'multiprocess/resource-tracker';
 *
 * ensureRunning();
 * console.log(await stop(), resourceTracker.pid); // true null
 */
export const stop: (typeof resourceTracker)['stop'] = resourceTracker.stop;

/** Without the addon there is no shared memory with a name. */
function checkTrackable(actor: string): void {
  if (nativeAvailable()) return;
  throw withoutAddon(`${actor}: there are no names to track`, 'Threads share without names: leave the tracker out');
}

function checkResource(actor: string, name: unknown, type: unknown): string {
  if (type !== 'shared_memory')
    throw new ArgumentError(`${actor}: \`type\` must be 'shared_memory', not ${describe(type)}.`);
  if (typeof name !== 'string') throw new ArgumentError(`${actor}: \`name\` must be a string, not ${describe(name)}.`);
  // Python's names begin with a slash.
  const plain = name.replace(/^\//, '');
  if (plain === '' || plain.includes('/') || plain.includes('\0'))
    throw new ArgumentError(
      `${actor}: ${describe(name)} is no name of shared memory; it has no further slash and no NUL.`,
    );
  if (Buffer.byteLength(plain) > LONGEST)
    throw new ArgumentError(
      `${actor}: the name is too long: ${Buffer.byteLength(plain)} bytes, and ${LONGEST} is the most.`,
    );
  return plain;
}
