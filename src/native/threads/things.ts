/**
 * The things of the kernel that this thread has, by their numbers, which stand where descriptors of
 * the system would.
 */
import { Errno } from '../errno.js';
import { ask, newNumber, tell } from './family.js';
import type { Kind, Thing } from './kernel.js';

interface Held extends Thing {
  /** How often this thread has it. */
  count: number;
}

const held = new Map<number, Held>();

/** Makes a thing, which this thread has. Returns its number. */
export function createThing(kind: Kind, bytes: number, options: { side?: 0 | 1; peer?: number } = {}): number {
  return keepThing(newNumber(), { kind, memory: new SharedArrayBuffer(bytes), side: options.side ?? 0 }, options.peer);
}

/** As {@link createThing}, over memory that is there. */
export function keepThing(number: number, thing: Thing, peer = 0): number {
  tell({ type: 'create', number, thing, peer });
  held.set(number, { ...thing, count: 1 });
  return number;
}

/** A thing that the kernel says this thread has from now on. */
export function noteThing(number: number, thing: Thing): number {
  const here = held.get(number);
  if (here === undefined) held.set(number, { ...thing, count: 1 });
  else {
    // The kernel counts once for each thread.
    here.count++;
    tell({ type: 'release', number });
  }
  return number;
}

/** This thread has it once more. Returns the number, or a negated errno. */
export function acquireThing(number: number): number {
  const here = held.get(number);
  if (here !== undefined) here.count++;
  else {
    const thing = ask({ type: 'acquire', number, hold: true }) as Thing | null;
    if (thing === null) return Errno.EBADF;
    held.set(number, { ...thing, count: 1 });
  }
  return number;
}

/** This thread has it once less. Returns 0, or a negated errno. */
export function releaseThing(number: number): number {
  const here = held.get(number);
  if (here === undefined) return Errno.EBADF;
  if (--here.count === 0) {
    held.delete(number);
    tell({ type: 'release', number });
  }
  return 0;
}

/** Returns how many things the threads of this family have: the leak check of tests asks. */
export function countThings(): number {
  return ask({ type: 'count' }) as number;
}

/** The thing, which this thread, or another one, has; `null` when nobody has it. */
export function lookAtThing(number: number): Thing | null {
  return held.get(number) ?? (ask({ type: 'acquire', number, hold: false }) as Thing | null);
}
