import { inspect } from 'node:util';
import { ArgumentError } from '../errors/index.js';
import { ATTACH, registerShareable } from '../memory/index.js';
import { checkOptions } from '../util/options.js';
import { entry } from '../util/package.js';
import { noList } from './errors.js';
import { bytesFormat, Code, lengthOf, type Packed, pack, type ShareableValue, slotSize } from './list-format.js';
import {
  BOOLEAN_HALVES,
  DOUBLE_HALVES,
  formatHalves,
  INTEGER_HALVES,
  layOutList,
  NONE_HALVES,
  writeItem,
} from './list-layout.js';
import { type Handle, SharedMemory, type SharedMemoryCreateOptions } from './shared-memory.js';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const TWO_32 = 2 ** 32;

/**
 * A list of fixed length and fixed room in shared memory, as Python's `ShareableList`, with the
 * same bytes: either side reads and writes the other's lists.
 *
 * Each item has a slot: 8 bytes, or for text and bytes the next multiple of 8 above its length in
 * (UTF-8) bytes. An item may change its type; a longer text than the slot holds is refused and
 * leaves the old value whole. Nothing is locked: take a Lock around changes that belong together.
 *
 * Python: slots are sized in bytes, not characters; trailing NULs are kept (Python loses them when
 * it reads); `undefined` is refused, `null` is None. An integer beyond ±(2^53 - 1) reads as a
 * bigint, a number without fraction is an integer to Python.
 *
 * @example
 * import { ShareableList } from 'multiprocess';
 *
 * const list = new ShareableList(['héllo', 1.5, true, null, 7]);
 * list.set(4, 8);
 * const same = ShareableList.attach(list.shm.name);
 * console.log(same.get(0), same.get(4)); // héllo 8
 * same.shm.close();
 * list.shm.close();
 * list.shm.unlink();
 */
export class ShareableList<T = ShareableValue> implements Iterable<T>, Disposable {
  /** The block that the list lies in: close and unlink it when the list is no longer needed. */
  readonly shm: SharedMemory;
  readonly #length: number;
  /** Where slot i begins, in bytes from the start of the block; the last is their end. */
  readonly #starts: Float64Array;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  /** Index in `#words` of the first format. */
  readonly #formats: number;
  /** Offset of the first code. */
  readonly #codes: number;

  /**
   * Makes a list in a new block.
   *
   * @param items Its values. A ShareableList is copied with the room its slots have.
   * @throws ArgumentError `MP_LIST_ITEM`; what {@link SharedMemory.create} throws.
   */
  constructor(items: Iterable<T & ShareableValue>, options?: SharedMemoryCreateOptions);
  /** @internal */
  constructor(existing: Existing);
  constructor(items: Iterable<T & ShareableValue> | Existing, options?: SharedMemoryCreateOptions) {
    checkOptions('ShareableList', options, ['name'], { string: 'name' });
    if (items instanceof Existing) {
      this.shm = items.shm;
    } else {
      if (typeof (items as Iterable<unknown> | null | undefined)?.[Symbol.iterator] !== 'function') {
        throw new ArgumentError(
          'ShareableList: the items must be iterable; to open an existing list call ShareableList.attach(name).',
        );
      }
      const packed: Packed[] = [];
      for (const item of items) packed.push(pack('ShareableList', item));
      const slots = items instanceof ShareableList ? items.#slots() : packed.map(slotSize);
      this.shm = layOutList(packed, slots, options);
    }
    const block = this.shm;
    const whole = block.size - (block.size % 8);
    this.#bytes = block.buf;
    this.#words = new Int32Array(block.buffer, 0, whole / 4);
    this.#doubles = new Float64Array(block.buffer, 0, whole / 8);
    this.#length = this.#count();
    this.#starts = this.#offsets();
    this.#formats = this.#starts[this.#length]! / 4;
    this.#codes = this.#formats * 4 + this.#length * 8;
    if (this.#codes + this.#length > block.size) throw noList(block.name, 'it ends before its codes');
  }

  /**
   * Opens a list by the name of its block.
   *
   * @throws MultiprocessError `MP_NO_LIST` when the block holds none; what {@link
   * SharedMemory.attach} throws.
   */
  static attach<T = ShareableValue>(name: string): ShareableList<T> {
    const shm = SharedMemory.attach(name);
    try {
      return new ShareableList<T>(new Existing(shm));
    } catch (error) {
      shm.close();
      throw error;
    }
  }

  /** @internal */
  static [ATTACH](_: Handle, [shm]: readonly unknown[]): ShareableList {
    return new ShareableList(new Existing(shm as SharedMemory));
  }

  /** Closes the block here, as `shm.close()`: the list and its name stay. */
  [Symbol.dispose](): void {
    this.shm.close();
  }

  /** Number of items; never changes. */
  get length(): number {
    return this.#length;
  }

  /**
   * The formats of all items in Python's `struct` notation, one after another.
   * @throws ClosedError.
   */
  get format(): string {
    let text = '';
    for (let i = 0; i < this.#length; i++) text += this.#format(i);
    return text;
  }

  /**
   * An item. Bytes are a copy.
   *
   * @param index A negative one counts from the end.
   * @throws ArgumentError `MP_LIST_INDEX` outside the list; ClosedError.
   */
  get(index: number): T {
    const at = this.#at('get', index);
    const words = this.#words;
    const low = words[this.#formats + at * 2];
    const high = words[this.#formats + at * 2 + 1];
    const start = this.#starts[at]!;
    if (low === INTEGER_HALVES[0] && high === INTEGER_HALVES[1]) return this.#integer(start) as T;
    if (low === DOUBLE_HALVES[0] && high === DOUBLE_HALVES[1]) return this.#doubles[start / 8] as T;
    if (low === undefined) this.#closed();
    if (low === BOOLEAN_HALVES[0] && high === BOOLEAN_HALVES[1]) return (this.#bytes[start + 7] !== 0) as T;
    if (low === NONE_HALVES[0] && high === NONE_HALVES[1]) return null as T;
    return this.#text(at, start) as T;
  }

  /**
   * Changes an item, also to another type. When it throws, the old value is still there.
   *
   * @param index A negative one counts from the end.
   * @throws ArgumentError `MP_LIST_ROOM` when text or bytes exceed the slot, `MP_LIST_ITEM`,
   * `MP_LIST_INDEX`; ClosedError.
   */
  set(index: number, value: T): void {
    const at = this.#at('set', index);
    const start = this.#starts[at]!;
    if (typeof value === 'number') {
      const formats = this.#formats + at * 2;
      const words = this.#words;
      if (words.length === 0) this.#closed();
      const integer = Number.isSafeInteger(value) && !Object.is(value, -0);
      if (integer) {
        words[start / 4] = value;
        words[start / 4 + 1] = Math.floor(value / TWO_32);
      } else {
        this.#doubles[start / 8] = value;
      }
      const [low, high] = integer ? INTEGER_HALVES : DOUBLE_HALVES;
      words[formats] = low;
      words[formats + 1] = high;
      this.#bytes[this.#codes + at] = Code.plain;
      return;
    }
    const packed = pack('ShareableList.set', value);
    this.#closedCheck();
    const room = this.#starts[at + 1]! - start;
    if (packed.bytes !== null && packed.bytes.length > room) {
      throw new ArgumentError(
        `ShareableList.set: ${packed.bytes.length} bytes exceeds available storage of item ${at}, which has room for ${room}; make the list with a value as long as the longest.`,
        { code: 'MP_LIST_ROOM' },
      );
    }
    const format = packed.format ?? bytesFormat('ShareableList.set', packed.bytes!, room);
    writeItem(this.#bytes, start, room, packed);
    const [low, high] = formatHalves(format);
    this.#words[this.#formats + at * 2] = low;
    this.#words[this.#formats + at * 2 + 1] = high;
    this.#bytes[this.#codes + at] = packed.code;
  }

  /** As `Array.prototype.at`: an item, or `undefined` outside the list. @throws ClosedError. */
  at(index: number): T | undefined {
    const at = Math.trunc(index) || 0;
    return at >= this.#length || at < -this.#length ? undefined : this.get(at);
  }

  /** How often a value is in the list. Bytes are compared by content. @throws ClosedError. */
  count(value: T): number {
    let count = 0;
    for (const item of this) if (same(item, value)) count++;
    return count;
  }

  /**
   * Where a value is first.
   * @throws ArgumentError `MP_LIST_VALUE` when it is not in the list; ClosedError.
   */
  index(value: T): number {
    for (let i = 0; i < this.#length; i++) if (same(this.get(i), value)) return i;
    throw new ArgumentError('ShareableList.index: the value is not in the list.', { code: 'MP_LIST_VALUE' });
  }

  /** The items as they are when they are reached. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.#length; i++) yield this.get(i);
  }

  /** `ShareableList(['a', 1], name='psm_12ab34cd')` */
  toString(): string {
    try {
      return `ShareableList(${inspect([...this])}, name='${this.shm.name}')`;
    } catch {
      return `ShareableList(name='${this.shm.name}') (closed)`;
    }
  }

  /** @internal */
  [inspect.custom](): string {
    return this.toString();
  }

  #at(method: string, index: number): number {
    const at = index < 0 ? index + this.#length : index;
    if (Number.isInteger(at) && at >= 0 && at < this.#length) return at;
    throw new ArgumentError(
      `ShareableList.${method}: index ${String(index)} is out of range; the list has ${this.#length} items.`,
      {
        code: 'MP_LIST_INDEX',
      },
    );
  }

  #integer(start: number): number | bigint {
    const low = this.#words[start / 4]! >>> 0;
    const high = this.#words[start / 4 + 1]!;
    const value = high * TWO_32 + low;
    return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(low);
  }

  #text(at: number, start: number): string | Uint8Array {
    const format = this.#format(at);
    if (!/^\d+sx?$/.test(format))
      throw noList(this.shm.name, `item ${at} has the unknown format ${JSON.stringify(format)}`);
    const slot = this.#bytes.subarray(start, this.#starts[at + 1]);
    const bytes = slot.subarray(0, lengthOf(format, slot));
    return this.#bytes[this.#codes + at] === Code.text ? decoder.decode(bytes) : bytes.slice();
  }

  #format(at: number): string {
    this.#closedCheck();
    const from = this.#formats * 4 + at * 8;
    let text = '';
    for (let i = from; i < from + 8 && this.#bytes[i] !== 0; i++) text += String.fromCharCode(this.#bytes[i]!);
    return text;
  }

  #slots(): number[] {
    return Array.from({ length: this.#length }, (_, i) => this.#starts[i + 1]! - this.#starts[i]!);
  }

  #count(): number {
    const count = this.#words.length < 4 ? -1 : Number(this.#integer(0));
    if (count < 0 || 16 + 17 * count > this.shm.size)
      throw noList(this.shm.name, `a length of ${count} does not fit into ${this.shm.size} bytes`);
    return count;
  }

  #offsets(): Float64Array {
    const base = 16 + 8 * this.#length;
    const starts = new Float64Array(this.#length + 1);
    let last = base;
    for (let i = 0; i <= this.#length; i++) {
      const at = base + Number(this.#integer(8 + 8 * i));
      if (at < last || at % 8 !== 0 || at > this.shm.size || (i === 0 && at !== base))
        throw noList(this.shm.name, `offset ${i} is wrong`);
      starts[i] = at;
      last = at;
    }
    return starts;
  }

  #closedCheck(): void {
    if (this.#bytes.length === 0) this.#closed();
  }

  #closed(): never {
    void this.shm.buf; // Throws ClosedError.
    throw new RangeError('unreachable');
  }
}

/** A block in which a list is already. */
class Existing {
  constructor(readonly shm: SharedMemory) {}
}

function same(a: unknown, b: unknown): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  // An int64 reads as a number where it can.
  return a === b || (typeof b === 'bigint' && typeof a === 'number' && Number.isSafeInteger(a) && BigInt(a) === b);
}

registerShareable<ShareableList, Handle>('shareable-list', {
  module: entry('shared-memory/index'),
  class: ShareableList,
  toHandle: ({ shm }) => SharedMemory.toHandle(shm),
  closed: ({ shm }) => SharedMemory.isClosed(shm),
  parts: ({ shm }) => [shm],
  identity: ({ name, inode }) => `${name} ${inode}`,
});
