/**
 * Shareable objects (memory/shareable/shareable.ts): they arrive as the same shared thing.
 *
 *   h   data: type, module that registers it, handle; children: the parts
 *   H   the memory of one: an ArrayBuffer that others see too; child: the object
 *   part   one that travels beside the message, which may be read long after; data: its number
 */
import { MultiprocessError } from '../../errors/index.js';
import type { BlockHandle } from '../../memory/regions/arena.js';
import { expectBlock } from '../../memory/regions/block.js';
import {
  fromShared,
  isRegistered,
  isShareable,
  memoryOf,
  type SharedData,
  toShared,
} from '../../memory/shareable/shareable.js';
import { badPayload } from '../messages.js';
import type { NodeKind, Reduction } from '../node.js';
import { SHAREABLE } from './reduced.js';

/** Reduces a shareable object; `undefined` for any other value. */
export function reduceShareable(value: object): Reduction | undefined {
  if (enclosing !== null) {
    if (!isShareable(value)) return undefined;
    return { kind: partKind.tag, data: enclosing.push(value) - 1, children: [], label: String };
  }
  const shared = toShared(value);
  if (shared === undefined) return undefined;
  // Neither stateless, for calls change it, nor constant: each handle keeps its memory for a time.
  return { kind: shareableKind.tag, data: shared.data, children: shared.parts, label: (index) => `part ${index}` };
}

export const shareableKind: NodeKind = {
  tag: SHAREABLE,
  shell: false,
  modules(data) {
    const { type, module, handle } = checked(data);
    if (isRegistered(type)) return [];
    // The sender may end while the module loads.
    const { block } = handle as { block?: BlockHandle };
    if (block !== undefined) expectBlock(block);
    return [{ specifier: module, parent: null }];
  },
  build(data, children, late) {
    if (late.length > 0) throw badPayload('a shared object is a part of itself');
    const shared = checked(data);
    try {
      return { value: fromShared(shared, children) };
    } catch (error) {
      if (error instanceof MultiprocessError) throw error;
      throw badPayload(`shared object \`${shared.type}\` cannot be attached`, error);
    }
  },
};

/** Where the objects of the message that is being written are put in place of their handles. */
let enclosing: object[] | null = null;
/** The objects of the message that is being read. */
let enclosed: readonly object[] | null = null;

/** Has shareable objects that `write` meets put into a list; `null`: sent as handles. */
export function enclosingIn<T>(list: object[] | null, write: () => T): T {
  const outer = enclosing;
  enclosing = list;
  try {
    return write();
  } finally {
    enclosing = outer;
  }
}

/** Reads a message whose objects are in a list; `null`: it has handles. */
export function withEnclosed<T>(list: readonly object[] | null, read: () => T): T {
  const outer = enclosed;
  enclosed = list;
  try {
    return read();
  } finally {
    enclosed = outer;
  }
}

export const partKind: NodeKind = {
  tag: 'part',
  shell: false,
  build(data) {
    const value = enclosed?.[data as number];
    if (value === undefined) throw badPayload('a shared object did not come with it');
    return { value };
  },
};

/** Reduces the memory of a shareable object. */
export function reduceMemory(owner: object): Reduction {
  return { kind: memoryKind.tag, data: undefined, children: [owner], label: () => 'owner of the memory' };
}

export const memoryKind: NodeKind = {
  tag: 'H',
  shell: false,
  build(_data, [owner]) {
    const memory = typeof owner === 'object' && owner !== null ? memoryOf(owner) : undefined;
    if (memory === undefined) throw badPayload('shared memory has no owner');
    return { value: memory };
  },
};

function checked(data: unknown): SharedData {
  const { type, module, handle } = (data ?? {}) as Partial<SharedData>;
  if (typeof type !== 'string' || typeof module !== 'string' || typeof handle !== 'object' || handle === null) {
    throw badPayload('a shared object has no handle');
  }
  return data as SharedData;
}
