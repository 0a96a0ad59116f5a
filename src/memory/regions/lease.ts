/**
 * Leases: the references that this thread has to blocks of shared memory.
 *
 * Life: an object over a block holds one lease, which counts once in the arena's table. The lease
 * ends when the object is closed or collected, and at the end of its process or thread. With the
 * last lease the bytes may be used again.
 *
 * Crash: a process killed by SIGKILL ends no lease. Its bytes are lost until the last user of the
 * arena ends.
 */
import { atExit } from '../../util/at-exit.js';
import type { Arena } from './arena.js';

/**
 * One reference to a block. It knows nothing of the object that holds it, whose finalizer ends it.
 */
export class Lease {
  #held = true;

  constructor(
    readonly arena: Arena,
    readonly offset: number,
    readonly size: number,
  ) {
    leases.add(this);
  }

  end(): void {
    if (!this.#held) return;
    this.#held = false;
    leases.delete(this);
    this.arena.release(this.offset, this.size);
  }
}

const leases = new Set<Lease>();
/** Ends the lease when its object is collected. The token is the lease. */
const finalizers = new FinalizationRegistry<Lease>((lease) => lease.end());

/** The lease ends when `object` is collected. */
export function endWith(object: object, lease: Lease): void {
  finalizers.register(object, lease, lease);
}

/** Takes {@link endWith} back: the lease is ended by its object itself. */
export function cancelEnd(lease: Lease): void {
  finalizers.unregister(lease);
}

// After children were joined, who may take up what this process has until then.
atExit('release', () => {
  // Others may go on using the arenas: what this process referred to must not stay in use for ever.
  for (const lease of leases) lease.arena.drop(lease.offset);
  leases.clear();
});

/**
 * Takes a second reference to everything this thread refers to, for the copy of it that a fork is
 * about to make: before the fork, since the parent may give up its own at any time after it.
 *
 * @returns what takes them back when the fork failed. Call it in the parent only.
 */
export function shareForFork(): () => void {
  const shared = [...leases];
  for (const lease of shared) lease.arena.share(lease.offset);
  return () => {
    for (const lease of shared) lease.arena.drop(lease.offset);
  };
}
