/**
 * The fast path: finds out whether a value is a plain tree and writes it in the same pass.
 *
 * Plain means that these forms carry it without loss: primitives, arrays without holes or extra
 * properties, ordinary objects, Map, Set, Date, RegExp, binary data below 64 KiB, each object
 * reached once. The first thing that is not (an instance, a shared reference, a frozen object, a
 * long string with a lone surrogate, depth beyond {@link DEPTH}) ends the attempt with `false`, the
 * sink back where it started, and the node table takes over.
 *
 * A plain object travels as its enumerable string keys with getters read, as structuredClone has
 * it; finding accessors and hidden properties would cost more than the whole encoding.
 *
 * Forms by their first byte: msgpack's, with these of our own
 *
 *   40…7f           a record of a known structure (structures.ts): its members in order
 *   d4 72 id …      a structure and its first record
 *   d4 73 00 array  Set                d4 78 00 array   RegExp: source, flags
 *   d6 f64          Date               d4 00 00         undefined
 *   d5, d7          strings gathered into blocks behind the body (texts.ts)
 *   80… de df       Map                c4 c5 c7 c8 c9   binary data (binary.ts)
 *
 * Why not msgpackr's Packr: it needs a scan of the value before it, and two passes cost more than
 * this one. What the fidelity costs is in bench/codec.js: mostly looking for symbol keys and extra
 * properties, for which V8 has no quick answer.
 */

import { types } from 'node:util';
import { type Sink, STEP } from '../sink.js';
import { OUT_OF_BAND, writeBinary } from './binary.js';
import { hasOnlyElements } from './elements.js';
import {
  writeArrayHeader,
  writeBigInt,
  writeMapHeader,
  writeNumber,
  writeNumbers,
  writeString,
  writeUndefined,
} from './primitives.js';
import { Structures } from './structures.js';
import { GATHERED, TextWriter } from './texts.js';

/** Nesting the recursion carries; deeper values go to the node table, which is iterative. */
const DEPTH = 200;
/** Bytes after which strings are gathered: a block pays from a few strings on. */
const INLINE = 64;
const objectPrototype = Object.prototype;
const arrayPrototype = Array.prototype;
const { getOwnPropertyDescriptor, getOwnPropertySymbols, getPrototypeOf, keys: keysOf } = Object;
const { isArray } = Array;
const { isExtensible } = Reflect;

/** The message that a part belongs to. */
export interface Around {
  /** Whether nothing else in the message is this object, or its memory. */
  isNew(leaf: object): boolean;
}

export class PlainWriter {
  readonly #sink: Sink;
  readonly #structures = new Structures();
  readonly #texts: TextWriter;
  /** Where the strings begin to be gathered. */
  #gatherFrom = 0;
  /** Leaves met so far; made anew for each message, which costs less than clearing. */
  #seen: Set<object> | undefined;
  #first: object | undefined;
  /** Containers entered so far. */
  #entered = 0;
  /** What else is in the message, if the value is a part of one. */
  #around: Around | null = null;

  constructor(sink: Sink) {
    this.#sink = sink;
    this.#texts = new TextWriter(sink);
  }

  /**
   * Appends `value` and returns `true`, or appends nothing and returns `false`.
   *
   * @param list It is an array of which nobody sees more than its elements.
   */
  write(value: unknown, list = false): boolean {
    const start = this.#sink.at;
    this.#structures.reset();
    this.#gatherFrom = start + INLINE;
    let written = false;
    try {
      written = list && isArray(value) ? this.#elements(value, 1) : this.#value(value, 0);
      if (written) this.#texts.finish(start);
    } finally {
      this.#seen = undefined;
      this.#first = undefined;
      if (!written) {
        this.#sink.at = start;
        this.#texts.reset();
      }
    }
    return written;
  }

  /**
   * As {@link write}, of a part of a message: nothing in it may be elsewhere in that message, and
   * objects with getters are left to the node table, since they may be the exports of a module.
   *
   * @returns The leaves of the part, from which no other part may take any; `null` when it is not
   * plain.
   */
  writePart(value: object, around: Around): ReadonlySet<object> | null {
    const start = this.#sink.at;
    this.#structures.reset();
    this.#gatherFrom = start + INLINE;
    this.#around = around;
    this.#seen = new Set();
    this.#first = value;
    let leaves: ReadonlySet<object> | null = null;
    try {
      if (this.#value(value, 0)) {
        this.#texts.finish(start);
        leaves = this.#seen;
      }
    } finally {
      this.#around = null;
      this.#seen = undefined;
      this.#first = undefined;
      if (leaves === null) {
        this.#sink.at = start;
        this.#texts.reset();
      }
    }
    return leaves;
  }

  /** Containers entered so far, of all messages: what an attempt took. */
  get entered(): number {
    return this.#entered;
  }

  #value(value: unknown, depth: number): boolean {
    switch (typeof value) {
      case 'string':
        return this.#string(value);
      case 'number':
        writeNumber(this.#sink, value);
        return true;
      case 'boolean':
        this.#sink.byte(value ? 0xc3 : 0xc2);
        return true;
      case 'undefined':
        writeUndefined(this.#sink);
        return true;
      case 'bigint':
        return writeBigInt(this.#sink, value);
      case 'object':
        if (value !== null) return this.#object(value, depth);
        this.#sink.byte(0xc0);
        return true;
      default:
        return false;
    }
  }

  #string(value: string): boolean {
    const { length } = value;
    if (length < 2 || length > GATHERED || this.#sink.at < this.#gatherFrom) return writeString(this.#sink, value);
    this.#texts.add(value);
    return true;
  }

  #object(value: object, depth: number): boolean {
    if (depth > DEPTH) return false;
    const entered = ++this.#entered;
    return this.#container(value, depth) && (this.#entered !== entered || this.#isNew(value));
  }

  #container(value: object, depth: number): boolean {
    const prototype: unknown = getPrototypeOf(value);
    if (prototype === objectPrototype) return this.#record(value as Record<string, unknown>, depth + 1);
    if (prototype === arrayPrototype) return this.#array(value as unknown[], depth + 1);
    if (prototype === null || !isExtensible(value) || getOwnPropertySymbols(value).length > 0) return false;
    if (ArrayBuffer.isView(value)) {
      if (value.byteLength >= OUT_OF_BAND) return false;
      // A Buffer inside a larger ArrayBuffer sends its slice and shares nothing.
      const slice = prototype === Buffer.prototype && value.byteLength !== value.buffer.byteLength;
      return (slice || this.#isNew(value.buffer)) && writeBinary(this.#sink, value);
    }
    if (keysOf(value).length > 0) return false;
    if (prototype === Map.prototype) return types.isMap(value) && this.#map(value, depth + 1);
    if (prototype === Set.prototype) return types.isSet(value) && this.#set(value, depth + 1);
    if (prototype === Date.prototype) return this.#date(value as Date);
    if (prototype === RegExp.prototype) return this.#regexp(value as RegExp);
    if (prototype === ArrayBuffer.prototype) {
      const buffer = value as ArrayBuffer;
      return buffer.byteLength < OUT_OF_BAND && writeBinary(this.#sink, buffer);
    }
    return false;
  }

  /**
   * Whether an object is met for the first time. Asked for leaves only: a shared container is
   * noticed by the leaf in it, which is then met twice, and a cycle by its depth.
   */
  #isNew(value: object): boolean {
    if (this.#first === undefined) {
      this.#first = value;
      return true;
    }
    this.#seen ??= new Set([this.#first]);
    const seen = this.#seen;
    const before = seen.size;
    return seen.add(value).size !== before && (this.#around === null || this.#around.isNew(value));
  }

  #record(value: Record<string, unknown>, depth: number): boolean {
    if (value.constructor !== Object || !isExtensible(value) || getOwnPropertySymbols(value).length > 0) return false;
    const sink = this.#sink;
    const keys = keysOf(value);
    const count = keys.length;
    const id = this.#structures.find(keys);
    if (id !== 0) sink.byte(id);
    else if ((this.#around !== null && hasGetter(value, keys)) || !this.#define(keys)) return false;
    let i = 0;
    for (const key in value) {
      if (i === count) break;
      const member = value[key];
      if (typeof member === 'string') {
        if (!this.#string(member)) return false;
      } else if (typeof member === 'number') writeNumber(sink, member);
      else if (!this.#value(member, depth)) return false;
      i++;
    }
    return i === count;
  }

  #define(keys: readonly string[]): boolean {
    const sink = this.#sink;
    sink.need(STEP);
    sink.bytes[sink.at++] = 0xd4;
    sink.bytes[sink.at++] = 0x72;
    sink.bytes[sink.at++] = this.#structures.define(keys);
    const at = sink.at;
    sink.at += 4;
    for (const key of keys) if (key === '__proto__' || !writeString(sink, key)) return false;
    sink.view.setUint32(at, sink.at - at - 4);
    return true;
  }

  #array(value: unknown[], depth: number): boolean {
    return isArray(value) && isExtensible(value) && hasOnlyElements(value) && this.#elements(value, depth);
  }

  #elements(value: readonly unknown[], depth: number): boolean {
    const { length } = value;
    const sink = this.#sink;
    writeArrayHeader(sink, length);
    for (let i = 0; i < length; i++) {
      const element = value[i];
      if (typeof element === 'number') {
        // Ends before the next element that is no number.
        i = writeNumbers(sink, value, i) - 1;
      } else if (typeof element === 'string') {
        if (!this.#string(element)) return false;
      } else if (element === undefined) {
        if (!(i in value)) return false;
        writeUndefined(sink);
      } else if (!this.#value(element, depth)) return false;
    }
    return true;
  }

  #map(value: Map<unknown, unknown>, depth: number): boolean {
    writeMapHeader(this.#sink, value.size);
    for (const [key, member] of value) if (!this.#value(key, depth) || !this.#value(member, depth)) return false;
    return true;
  }

  #set(value: Set<unknown>, depth: number): boolean {
    const sink = this.#sink;
    sink.byte(0xd4);
    sink.byte(0x73);
    sink.byte(0);
    writeArrayHeader(sink, value.size);
    for (const member of value) if (!this.#value(member, depth)) return false;
    return true;
  }

  #date(value: Date): boolean {
    const sink = this.#sink;
    const time = timeOf(value);
    if (time === undefined) return false;
    sink.need(STEP);
    sink.bytes[sink.at] = 0xd6;
    sink.view.setFloat64(sink.at + 1, time);
    sink.at += 9;
    return true;
  }

  #regexp(value: RegExp): boolean {
    if (!types.isRegExp(value) || !Object.hasOwn(value, 'lastIndex') || value.lastIndex !== 0) return false;
    const sink = this.#sink;
    sink.byte(0xd4);
    sink.byte(0x78);
    sink.byte(0);
    writeArrayHeader(sink, 2);
    return writeString(sink, value.source) && writeString(sink, value.flags);
  }
}

/** Asked for the first record of each structure only: modules have keys of their own. */
function hasGetter(value: object, keys: readonly string[]): boolean {
  return keys.some((key) => getOwnPropertyDescriptor(value, key)?.get !== undefined);
}

/** The time of a real Date; `undefined` for an object that only inherits from Date.prototype. */
function timeOf(value: Date): number | undefined {
  try {
    return Date.prototype.getTime.call(value);
  } catch {
    return undefined;
  }
}
