import { clearInterval, setInterval } from '../../util/timers.js';
import { Region } from '../regions/region.js';
import { enterRegion, regionHandle, releaseRegion } from '../regions/registry.js';
import { EMPTY_PAYLOAD, type Payload } from './payload.js';
import { type BufferHandle, FREE, HEADER_BYTES, IDLE_CHECK_MS, RETIRED } from './shared-buffer.js';

/** Smallest memory file, so that messages of many sizes use the same ones. */
const MIN_BUFFER_BYTES = 512 * 1024;
/** Shared buffers a pool keeps: each takes a descriptor on both sides. */
const MAX_BUFFERS = 8;
/** Bytes a pool keeps, except that one buffer may be larger. */
const MAX_POOL_BYTES = 64 * 1024 * 1024;

interface PooledBuffer {
  readonly region: Region;
  readonly word: Int32Array;
  readonly bytes: Uint8Array;
  ticket: number;
  rested: boolean;
}

/** The buffers of one sender. */
export class BufferPool implements Disposable {
  readonly #name: string;
  /** The one filled last comes first: its lines are warm. */
  #buffers: PooledBuffer[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param name Shown in /proc as the name of the memory files. */
  constructor(name: string) {
    this.#name = name;
  }

  /** Bytes kept for buffers, whether free or under way. */
  get bytes(): number {
    return this.#buffers.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** How many buffers are under way. */
  get underWay(): number {
    let count = 0;
    for (const { word } of this.#buffers) if (Atomics.load(word, 0) !== FREE) count++;
    return count;
  }

  /**
   * Writes a message into a buffer.
   *
   * @returns its handle; `null` when all buffers are under way and no further one may be made: send
   *   it another way, or again when something was received.
   */
  writeToBuffer(payload: Payload): BufferHandle | null {
    return this.writeToReturned(payload) ?? this.#fill(this.#make(payload.total), payload);
  }

  /**
   * As {@link writeToBuffer}, but only into a buffer that came back at least once, so that its
   * receiver has it mapped.
   */
  writeToReturned(payload: Payload): BufferHandle | null {
    const { total } = payload;
    const most = Math.max(MIN_BUFFER_BYTES, total * 4);
    let at = -1;
    for (let i = 0; i < this.#buffers.length && at < 0; i++) {
      const { bytes, word } = this.#buffers[i]!;
      if (bytes.length >= total && bytes.length <= most && Atomics.load(word, 0) === FREE) at = i;
    }
    if (at < 0) return null;
    const [buffer] = this.#buffers.splice(at, 1);
    this.#buffers.unshift(buffer!);
    return this.#fill(buffer!, payload);
  }

  /**
   * Makes a buffer for messages of `length` bytes, empty and under way: {@link writeToReturned}
   * takes it once its receiver has mapped it and sent it back. `null` when no further one may be
   * made.
   */
  offerBuffer(length: number): BufferHandle | null {
    // One offer at a time: whoever does not answer is not asked again.
    for (const { ticket, word } of this.#buffers) if (ticket === 1 && Atomics.load(word, 0) === 1) return null;
    return this.#fill(this.#make(length), EMPTY_PAYLOAD);
  }

  /** A copy of what a buffer holds, if it was not filled again. */
  copy({ region, ticket, length }: BufferHandle): Uint8Array | null {
    const buffer = this.#buffers.find((each) => regionHandle(each.region).ino === region.ino);
    return buffer === undefined || buffer.ticket !== ticket ? null : buffer.bytes.slice(0, length);
  }

  /** Takes a buffer back whose receiver will not: it died, or the handle was never delivered. */
  reclaim({ region, ticket }: BufferHandle): void {
    const buffer = this.#buffers.find((each) => regionHandle(each.region).ino === region.ino);
    if (buffer !== undefined) Atomics.compareExchange(buffer.word, 0, ticket, FREE);
  }

  /**
   * Gives all buffers up. What is under way stays readable to those who have it mapped. Closing
   * twice does nothing.
   */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const buffer of this.#buffers.splice(0)) retire(buffer);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #make(length: number): PooledBuffer | null {
    const size = Math.max(MIN_BUFFER_BYTES, 2 ** Math.ceil(Math.log2(length)));
    if (this.#closed || !this.#roomFor(size)) return null;
    let region: Region;
    try {
      region = Region.create(HEADER_BYTES + size, this.#name);
    } catch {
      // No memory or no descriptor: the message goes another way.
      return null;
    }
    enterRegion(region);
    const buffer = {
      region,
      word: new Int32Array(region.buffer, 0, 1),
      bytes: new Uint8Array(region.buffer, HEADER_BYTES),
      ticket: 0,
      rested: false,
    };
    this.#buffers.unshift(buffer);
    this.#timer ??= setInterval(() => this.#retireIdle(), IDLE_CHECK_MS).unref();
    return buffer;
  }

  /**
   * Whether a buffer of that size may be made, after free ones that stand in its way were given up.
   */
  #roomFor(size: number): boolean {
    for (let i = this.#buffers.length - 1; i >= 0 && !this.#fits(size); i--) {
      const buffer = this.#buffers[i]!;
      if (Atomics.load(buffer.word, 0) !== FREE) continue;
      this.#buffers.splice(i, 1);
      retire(buffer);
    }
    return this.#fits(size);
  }

  #fits(size: number): boolean {
    return this.#buffers.length === 0 || (this.#buffers.length < MAX_BUFFERS && this.bytes + size <= MAX_POOL_BYTES);
  }

  #fill(buffer: PooledBuffer | null, payload: Payload): BufferHandle | null {
    if (buffer === null) return null;
    payload.layout(buffer.bytes, 0);
    buffer.ticket = (buffer.ticket % 0x7fff_ffff) + 1;
    buffer.rested = false;
    Atomics.store(buffer.word, 0, buffer.ticket);
    return { region: regionHandle(buffer.region), ticket: buffer.ticket, length: payload.total };
  }

  #retireIdle(): void {
    const kept: PooledBuffer[] = [];
    for (const buffer of this.#buffers) {
      if (buffer.rested && Atomics.load(buffer.word, 0) === FREE) retire(buffer);
      else kept.push(buffer);
      buffer.rested = true;
    }
    this.#buffers = kept;
    if (this.#buffers.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function retire({ region, word }: PooledBuffer): void {
  const ticket = Atomics.compareExchange(word, 0, FREE, RETIRED);
  // What is under way may still be read; if it was sent back in this moment, it is retired after
  // all.
  if (ticket !== FREE && Atomics.compareExchange(word, 0, ticket, -ticket) !== ticket) Atomics.store(word, 0, RETIRED);
  releaseRegion(region);
}
