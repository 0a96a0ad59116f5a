/**
 * Writes plain data as MessagePack that any implementation reads: no records, no extension but the
 * standard's timestamp (type -1) and, for an `undefined` that stands by itself or in an array,
 * msgpackr's (type 0).
 *
 *   null, booleans, strings             as such
 *   numbers                             integers of 32 bits, all others as doubles
 *   bigint                              int64 or uint64
 *   Uint8Array, Buffer                  bin
 *   Date                                timestamp
 *   arrays, ordinary objects            array, map with string keys; members that are `undefined`
 *                                       are left out
 *
 * What arrives is what was sent, or the value is refused with the path to the culprit.
 */

import { describe } from '../../util/options.js';
import { type Refusal, Refused, refusal, type Step } from '../messages.js';
import { hasOnlyElements } from '../plain/elements.js';
import {
  writeArrayHeader,
  writeBigInt,
  writeMapHeader,
  writeNumber,
  writeString,
  writeUndefined,
} from '../plain/primitives.js';
import { Sink, STEP } from '../sink.js';

/** Nesting that other implementations read too: Python's gives up between 500 and 1,000. */
export const MAX_DEPTH = 500;
const ANY = "use the serializer 'multiprocess', which carries any value";
const { getOwnPropertySymbols, getPrototypeOf, keys: keysOf } = Object;
const NANOSECONDS = 1_000_000;

export class MessagePackWriter {
  readonly #sink = new Sink();
  /** Containers entered, outermost first, and in each the member that is being written. */
  readonly #containers: object[] = [];
  readonly #members: (string | number)[] = [];
  #depth = 0;

  /** @returns bytes of their own. @throws SerializationError `MP_NOT_PLAIN`, with its `path`. */
  write(value: unknown): Uint8Array {
    this.#sink.reset();
    this.#depth = 0;
    try {
      this.#value(value);
      return new Uint8Array(this.#sink.bytes.subarray(0, this.#sink.at));
    } catch (error) {
      throw error instanceof Refused ? refusal(error.refusal, this.#steps()) : error;
    } finally {
      this.#containers.length = 0;
    }
  }

  #value(value: unknown): void {
    const sink = this.#sink;
    switch (typeof value) {
      case 'string':
        if (!writeString(sink, value)) throw refused(`the text ${describe(value)}`, HALF, MENDED);
        break;
      case 'number':
        writeNumber(sink, value);
        break;
      case 'boolean':
        sink.byte(value ? 0xc3 : 0xc2);
        break;
      case 'undefined':
        writeUndefined(sink);
        break;
      case 'bigint':
        if (!writeBigInt(sink, value))
          throw refused(`the bigint ${value}`, 'an integer of MessagePack has 64 bits', 'send it as text');
        break;
      case 'object':
        if (value === null) sink.byte(0xc0);
        else this.#object(value);
        break;
      case 'function':
        throw refused(describe(value), 'code is no plain data', `send a name that the receiver knows it by, or ${ANY}`);
      default:
        throw refused(`the symbol ${String(value)}`, 'a symbol is no plain data', 'send its description');
    }
  }

  #object(value: object): void {
    const prototype: unknown = getPrototypeOf(value);
    if (Array.isArray(value)) this.#array(value);
    else if (isOrdinary(prototype)) this.#map(value as Record<string, unknown>);
    else if (prototype === Uint8Array.prototype || prototype === Buffer.prototype) this.#bin(value as Uint8Array);
    else if (prototype === Date.prototype) this.#timestamp(value as Date);
    else throw unplain(value);
  }

  #array(value: readonly unknown[]): void {
    if (!hasOnlyElements(value))
      throw refused(
        'an array with holes or properties',
        'only its elements can travel',
        'send [...array], or an object',
      );
    writeArrayHeader(this.#sink, value.length);
    const at = this.#enter(value);
    for (let i = 0; i < value.length; i++) {
      this.#members[at] = i;
      if (value[i] === undefined && !(i in value))
        throw refused('a hole', 'an array has no holes in MessagePack', 'send [...array]');
      this.#value(value[i]);
    }
    this.#depth = at;
  }

  #map(value: Record<string, unknown>): void {
    if (getOwnPropertySymbols(value).length > 0)
      throw refused('an object with symbol keys', 'keys are strings in MessagePack', 'leave them out');
    const sink = this.#sink;
    const at = this.#enter(value);
    const keys: string[] = [];
    const members: unknown[] = [];
    for (const key of keysOf(value)) {
      this.#members[at] = key;
      const member = value[key];
      if (member === undefined) continue;
      keys.push(key);
      members.push(member);
    }
    writeMapHeader(sink, keys.length);
    keys.forEach((key, i) => {
      this.#members[at] = key;
      if (!writeString(sink, key)) throw refused('a member with this key', HALF, MENDED);
      this.#value(members[i]);
    });
    this.#depth = at;
  }

  #bin(value: Uint8Array): void {
    const sink = this.#sink;
    const { length } = value;
    sink.need(length + STEP);
    if (length < 0x100) {
      sink.byte(0xc4);
      sink.byte(length);
    } else if (length < 0x10000) {
      sink.byte(0xc5);
      sink.view.setUint16(sink.at, length);
      sink.at += 2;
    } else {
      if (length > 0xffffffff)
        throw refused(`${length} bytes`, 'bytes have at most 4 GiB in MessagePack', 'send them in parts');
      sink.byte(0xc6);
      sink.view.setUint32(sink.at, length);
      sink.at += 4;
    }
    sink.raw(value);
  }

  /** In the shortest of the standard's three forms. */
  #timestamp(value: Date): void {
    const time = value.getTime();
    if (Number.isNaN(time)) throw refused('an invalid Date', 'it is no moment in time', 'send null');
    const seconds = Math.floor(time / 1000);
    const nanoseconds = (time - seconds * 1000) * NANOSECONDS;
    const sink = this.#sink;
    sink.need(STEP);
    const { bytes, view, at } = sink;
    if (seconds < 0 || seconds >= 2 ** 34) {
      bytes.set([0xc7, 12, 0xff], at);
      view.setUint32(at + 3, nanoseconds);
      view.setBigInt64(at + 7, BigInt(seconds));
      sink.at += 15;
    } else if (nanoseconds === 0 && seconds < 2 ** 32) {
      bytes.set([0xd6, 0xff], at);
      view.setUint32(at + 2, seconds);
      sink.at += 6;
    } else {
      bytes.set([0xd7, 0xff], at);
      view.setBigUint64(at + 2, (BigInt(nanoseconds) << 34n) | BigInt(seconds));
      sink.at += 10;
    }
  }

  /** Enters a container; where it stands among those that are open. */
  #enter(container: object): number {
    const at = this.#depth;
    this.#containers[at] = container;
    this.#members[at] = '';
    if (at >= MAX_DEPTH) this.#tooDeep();
    this.#depth = at + 1;
    return at;
  }

  #tooDeep(): never {
    // Of an object that contains itself the path goes round once.
    const open = this.#containers;
    const again = open.findIndex((container, i) => open.indexOf(container) < i);
    if (again < 0) throw refused('a deeper value', `values are at most ${MAX_DEPTH} deep`, `flatten it, or ${ANY}`);
    this.#depth = again;
    throw refused(
      'an object that contains itself',
      'MessagePack has no references',
      `send its parts by name, or ${ANY}`,
    );
  }

  /** From the culprit up to the value. */
  #steps(): Step[] {
    return this.#members
      .slice(0, this.#depth)
      .map((member) => ({ label: typeof member === 'number' ? `[${member}]` : label(member), actor: undefined }))
      .reverse();
  }
}

const HALF = 'half a surrogate pair has no UTF-8 form';
const MENDED = 'mend it with `toWellFormed`';

function label(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/** Object.prototype of any realm, or none. */
function isOrdinary(prototype: unknown): boolean {
  if (prototype === Object.prototype || prototype === null) return true;
  return getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'hasOwnProperty');
}

function unplain(value: object): Refused {
  const what = describe(value);
  if (value instanceof Map) return refused('a Map', 'it is no plain data', 'send Object.fromEntries(map), or [...map]');
  if (value instanceof Set) return refused('a Set', 'it is no plain data', 'send [...set]');
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    return refused(
      what,
      'only a Uint8Array carries bytes in MessagePack',
      'send a Uint8Array over the same memory, or Array.from(it)',
    );
  }
  if (value instanceof Error) return refused(what, 'it is no plain data', 'send its name and message');
  return refused(what, 'it is no plain data', `send an ordinary object with what the receiver needs, or ${ANY}`);
}

function refused(what: string, why: string, repair: string): Refused {
  const refusal: Refusal = { code: 'MP_NOT_PLAIN', what, why, repair };
  return new Refused(refusal);
}
