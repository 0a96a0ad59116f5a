/**
 * ArrayBuffers and views of them, with their sharing.
 *
 *   w<code>  a view of a whole ArrayBuffer; data: the bytes, in the first such view
 *   u        that ArrayBuffer, should the value reach it too: `view.buffer`; child: the view
 *   B        an ArrayBuffer first met by itself or by a view of a part; data: the bytes
 *   z        a resizable ArrayBuffer; children: B, maxByteLength
 *   v<code>  a view; children: ArrayBuffer, byteOffset, length in elements; -1: that of a resizable
 *            buffer
 *
 * A Buffer that does not cover its ArrayBuffer (a pooled one, a slice) sends its own bytes and
 * shares with nothing. Memory of a shareable object (shareable.ts) is sent as that, whatever views
 * it.
 */
import { types } from 'node:util';
import { ownerOfMemory } from '../../memory/shareable/shareable.js';
import { badPayload, Refused } from '../messages.js';
import type { NodeKind, Reduction } from '../node.js';
import { isDetached } from '../plain/binary.js';
import { localPrototype } from '../realms.js';
import { reduceMemory } from './shareable.js';

type View = ArrayBufferView & { readonly length?: number };
type MakeView = (buffer: ArrayBuffer, offset: number, length: number | undefined) => ArrayBufferView;

interface ViewType {
  readonly code: string;
  readonly prototype: object;
  readonly width: number;
  readonly make: MakeView;
}

const globals = globalThis as unknown as Record<string, (new (...args: unknown[]) => ArrayBufferView) | undefined>;
const names =
  'Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float16Array Float32Array Float64Array BigInt64Array BigUint64Array DataView';

const viewTypes: ViewType[] = names.split(' ').flatMap((name) => {
  const type = globals[name];
  if (type === undefined) return [];
  const width = (type as unknown as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
  const make: MakeView = (buffer, offset, length) =>
    length === undefined ? new type(buffer, offset) : new type(buffer, offset, length);
  return [{ code: name.replace('Array', ''), prototype: type.prototype as object, width, make }];
});
viewTypes.push({
  code: 'Buffer',
  prototype: Buffer.prototype,
  width: 1,
  make: (buffer, offset, length) => Buffer.from(buffer, offset, length),
});
const byPrototype = new Map<object | undefined, ViewType>(viewTypes.map((type) => [type.prototype, type]));

/** Prototypes of the builtin views. */
export const viewPrototypes: readonly object[] = viewTypes.map(({ prototype }) => prototype);

/** The same view as one of the builtin class with that prototype. */
export function viewContent(value: ArrayBufferView, prototype: object): ArrayBufferView {
  const type = byPrototype.get(prototype)!;
  const { byteOffset, buffer } = value;
  return type.make(buffer as ArrayBuffer, byteOffset, follows(value) ? undefined : value.byteLength / type.width);
}

/** The same bytes in a buffer of the builtin class. */
export function bufferContent(value: ArrayBuffer): ArrayBuffer {
  if (isDetached(value)) throw detached();
  const content = new Uint8Array(value).slice();
  const { resizable, maxByteLength } = value as unknown as { resizable?: boolean; maxByteLength: number };
  return resizable === true ? resizableBuffer(content, maxByteLength) : content.buffer;
}

function resizableBuffer(content: Uint8Array, maxByteLength: number): ArrayBuffer {
  const make = ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer;
  const value = new make(content.byteLength, { maxByteLength });
  new Uint8Array(value).set(content);
  return value;
}

/** Follows which ArrayBuffers of a message were met, and which bytes turned out to be shared. */
export class BinaryReducer {
  readonly #owners = new Map<ArrayBufferLike, { view: View; reduction: Reduction }>();
  readonly #met = new Set<ArrayBufferLike>();
  readonly #tokens = new Map<Reduction, number>();
  readonly #shared = new Set<Reduction>();

  reset(): void {
    if (this.#met.size === 0 && this.#tokens.size === 0) return;
    this.#owners.clear();
    this.#met.clear();
    this.#tokens.clear();
    this.#shared.clear();
  }

  /** Notes where the bytes of a reduction were written. */
  wrote(reduction: Reduction, token: number): void {
    this.#tokens.set(reduction, token);
  }

  /** Where the bytes stand that several views share. */
  get sharedTokens(): number[] {
    return [...this.#shared].flatMap((reduction) => this.#tokens.get(reduction) ?? []);
  }

  /** Reduces a view. */
  view(value: View): Reduction {
    const prototype = Object.getPrototypeOf(value) as object;
    const type = byPrototype.get(prototype) ?? byPrototype.get(localPrototype(prototype));
    if (type === undefined) throw subclass(value);
    const { buffer } = value;
    const mapped = ownerOfMemory(buffer) !== undefined;
    if (isShared(buffer) && !mapped) throw sharedMemory();
    const partial = mapped || value.byteLength !== buffer.byteLength;
    if (type.code === 'Buffer' && partial && !mapped) return leaf(`w${type.code}`, bytesOf(value));
    if (!partial && !this.#met.has(buffer) && isFixed(buffer)) {
      const reduction = leaf(`w${type.code}`, bytesOf(value));
      this.#met.add(buffer);
      this.#owners.set(buffer, { view: value, reduction });
      return reduction;
    }
    const length = follows(value) ? -1 : type.code === 'DataView' ? value.byteLength : value.length;
    return node(`v${type.code}`, [buffer, value.byteOffset, length], '.buffer');
  }

  /** Reduces an ArrayBuffer, and a SharedArrayBuffer that is memory of ours. */
  buffer(value: ArrayBufferLike): Reduction {
    const memory = ownerOfMemory(value);
    if (memory !== undefined) return reduceMemory(memory);
    if (types.isSharedArrayBuffer(value)) throw sharedMemory();
    if (isDetached(value)) throw detached();
    const owner = this.#owners.get(value);
    if (owner !== undefined) {
      this.#shared.add(owner.reduction);
      return node(ownerBufferKind.tag, [owner.view], '');
    }
    this.#met.add(value);
    const bytes = new Uint8Array(value);
    const { resizable, maxByteLength } = value as unknown as { resizable?: boolean; maxByteLength: number };
    return resizable === true
      ? node(resizableKind.tag, [value.slice(0), maxByteLength], '')
      : leaf(bufferKind.tag, bytes);
  }
}

const bufferKind: NodeKind = {
  tag: 'B',
  shell: false,
  build: (data) => ({ value: exactBuffer(bytes(data)) }),
};

const ownerBufferKind: NodeKind = {
  tag: 'u',
  shell: false,
  build: (_data, [view]) => {
    if (!ArrayBuffer.isView(view)) throw badPayload('a buffer has no view');
    return { value: view.buffer };
  },
};

const resizableKind: NodeKind = {
  tag: 'z',
  shell: false,
  build(_data, [content, most]) {
    if (!(content instanceof ArrayBuffer) || typeof most !== 'number' || !(most >= content.byteLength))
      throw badPayload('a resizable buffer is odd');
    try {
      // The reserve is address space, not memory; V8 refuses what does not fit.
      return { value: resizableBuffer(new Uint8Array(content), most) };
    } catch (cause) {
      throw badPayload('a resizable buffer is too large', cause);
    }
  },
};

/** Every kind of this file. */
export const binaryKinds: readonly NodeKind[] = [
  bufferKind,
  ownerBufferKind,
  resizableKind,
  ...viewTypes.flatMap((type): NodeKind[] => [wholeKind(type), partKind(type)]),
];

function wholeKind({ code, width, make }: ViewType): NodeKind {
  return {
    tag: `w${code}`,
    shell: false,
    build(data) {
      const content = bytes(data);
      if (content.byteLength % width !== 0) throw badPayload('a typed array has a broken element');
      return { value: make(content.buffer as ArrayBuffer, content.byteOffset, content.byteLength / width) };
    },
  };
}

function partKind({ code, make }: ViewType): NodeKind {
  return {
    tag: `v${code}`,
    shell: false,
    build(_data, [buffer, offset, length]) {
      if (!types.isAnyArrayBuffer(buffer) || typeof offset !== 'number' || typeof length !== 'number')
        throw badPayload('a view has no buffer');
      try {
        return { value: make(buffer as ArrayBuffer, offset, length === -1 ? undefined : length) };
      } catch (cause) {
        throw badPayload('a view lies outside its buffer', cause);
      }
    },
  };
}

function leaf(kind: string, data: Uint8Array): Reduction {
  return { kind, data, children: [], label: () => '' };
}

function node(kind: string, children: readonly unknown[], label: string): Reduction {
  return { kind, data: undefined, children, label: (index) => (index === 0 ? label : '') };
}

function bytes(data: unknown): Uint8Array {
  if (data instanceof Uint8Array) return data;
  throw badPayload('binary data is missing');
}

function exactBuffer(content: Uint8Array): ArrayBuffer {
  if (content.byteLength === content.buffer.byteLength) return content.buffer as ArrayBuffer;
  return content.slice().buffer as ArrayBuffer;
}

function bytesOf(value: ArrayBufferView): Uint8Array {
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

function isFixed(buffer: ArrayBufferLike): boolean {
  const prototype = Object.getPrototypeOf(buffer) as object;
  // One of a user's class is sent as such, and seen by its views.
  if (prototype !== ArrayBuffer.prototype && localPrototype(prototype) === undefined) return false;
  return (
    !isShared(buffer) &&
    (buffer as unknown as { resizable?: boolean }).resizable !== true &&
    !isDetached(buffer as ArrayBuffer)
  );
}

function isShared(buffer: ArrayBufferLike): boolean {
  return Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]';
}

/**
 * Whether a view's length follows its resizable buffer: it does when it would end elsewhere after a
 * growth.
 */
function follows(value: View): boolean {
  const buffer = value.buffer as unknown as {
    resizable?: boolean;
    maxByteLength: number;
    byteLength: number;
    resize(length: number): void;
  };
  if (
    buffer.resizable !== true ||
    value.byteOffset + value.byteLength !== buffer.byteLength ||
    buffer.byteLength === buffer.maxByteLength
  )
    return false;
  const before = buffer.byteLength;
  const length = value.byteLength;
  buffer.resize(Math.min(buffer.maxByteLength, before + 8));
  const grown = value.byteLength !== length;
  buffer.resize(before);
  return grown;
}

/** A SharedArrayBuffer has no name: messages are bytes, also those to threads of this process. */
export function sharedMemory(): Refused {
  return new Refused({
    code: 'MP_SHARED_ARRAY_BUFFER',
    what: 'a SharedArrayBuffer',
    why: 'no message can name its memory, neither to a process nor to a thread of this one',
    repair:
      'use a RawArray, a SharedArray or SharedMemory, whose views arrive as the same memory in threads and processes, or send a copy: new Uint8Array(shared).slice()',
  });
}

function detached(): Refused {
  return new Refused({
    code: 'MP_DETACHED',
    what: 'an ArrayBuffer that was transferred away',
    why: 'its bytes are gone',
    repair: 'send it before it is transferred, or send a copy',
  });
}

/** A view of a prototype that no class has. */
function subclass(value: object): Refused {
  return new Refused({
    code: 'MP_PLATFORM_SUBCLASS',
    what: `an instance of ${value.constructor.name}`,
    why: 'its prototype is that of no class, so that it could not be made again',
    repair: `make it of a class (\`class Name extends ${value.constructor.name} {}\`)`,
  });
}
