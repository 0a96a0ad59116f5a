/**
 * Shareable objects (memory/shareable/shareable.ts): they arrive as the same shared thing.
 *
 *   h   data: type, module that registers it, handle; children: the parts
 *   H   the memory of one: an ArrayBuffer that others see too; child: the object
 */
import { MultiprocessError } from '../../errors/index.js';
import type { BlockHandle } from '../../memory/regions/arena.js';
import { expectBlock } from '../../memory/regions/block.js';
import { fromShared, isRegistered, memoryOf, type SharedData, toShared } from '../../memory/shareable/shareable.js';
import { badPayload } from '../messages.js';
import type { NodeKind, Reduction } from '../node.js';
import { SHAREABLE } from './reduced.js';

/** Reduces a shareable object; `undefined` for any other value. */
export function reduceShareable(value: object): Reduction | undefined {
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
