/** Memory that threads share, as the calls of the addon have memory files. */
import { Refusal } from '../calls.js';
import { Errno } from '../errno.js';
import { ask, tell } from './family.js';
import { Kind } from './kernel.js';
import { createThing, lookAtThing } from './things.js';

/** As the addon's `createMemory`. */
export function createBytes(size: number): number {
  try {
    return createThing(Kind.Memory, size);
  } catch {
    // V8 has no more.
    return Errno.ENOMEM;
  }
}

/**
 * As the addon's `mapMemory`. What lies at another offset than 0 is memory of its own: it is seen by
 * who maps the same offset, and not through a mapping of the whole.
 */
export function mapBytes(number: number, size: number, offset: number, copyOnWrite: boolean): ArrayBufferLike | number {
  const thing = lookAtThing(number);
  if (thing === null) return Errno.EBADF;
  if (thing.kind !== Kind.Memory) return Refusal.badArgument;
  if (offset === 0 && size > thing.memory.byteLength) return Refusal.beyondEnd;
  const memory =
    offset === 0 ? thing.memory : (ask({ type: 'piece', number, offset, size }) as SharedArrayBuffer | null);
  if (memory === null) return Errno.EBADF;
  return copyOnWrite ? new Uint8Array(memory, 0, size).slice().buffer : memory;
}

/** As the addon's `descriptorSize`: it grows when something behind its end is mapped. */
export function sizeOf(number: number): number {
  return ask({ type: 'size', number }) as number;
}

/** As the addon's `releasePages`. */
export function dropBytes(number: number, offset: number, length: number): number {
  tell({ type: 'drop', number, offset, length });
  return 0;
}
