/**
 * A stream of bytes each way between two ends, in memory that threads share: what a socket pair is
 * to processes.
 *
 *   way w (0: from end 0 to end 1; 1: back), WORDS_PER_WAY words each:
 *     WRITTEN   bytes written, mod 2^32
 *     READ      bytes read, mod 2^32
 *     READING   lock of those who read: 0, or the agent that has it
 *     WRITING   lock of those who write
 *     LOADED    how many descriptors are under way with its bytes
 *   end e:
 *     EVENTS    grows with whatever may make it ready: bytes, room, the end of the peer
 *     CLOSED    1: nobody has it any more
 *   then the bytes of way 0, and of way 1
 *
 * Whoever reads or writes moves its cursor in one store, after the bytes. So one that is terminated
 * before has read or written nothing, and its lock goes to the next one, who sees that it has ended.
 * Who changes something adds to EVENTS of the end that may wait for it, and notifies; who waits read
 * EVENTS first, then looks, and sleeps on the value that it read.
 */

const WRITTEN = 0;
const READ = 1;
const READING = 2;
const WRITING = 3;
const LOADED = 4;
const WORDS_PER_WAY = 16;
const ENDS = 2 * WORDS_PER_WAY;
const EVENTS = 0;
const CLOSED = 1;
const WORDS_PER_END = 16;
const HEADER_BYTES = 4 * (ENDS + 2 * WORDS_PER_END);
/** Bytes of one way: about what Linux lets a socket pair hold. */
const CAPACITY = 1 << 18;
/** Milliseconds between two looks whether the holder of a lock has ended. */
const LOCK_CHECK_MS = 50;

/** Bytes of shared memory that it takes. The system gives them when they are first used. */
export const PIPE_BYTES = HEADER_BYTES + 2 * CAPACITY;

/** Who takes its locks, and who of the others lives. */
export interface LockAgents {
  readonly own: number;
  hasEnded(agent: number): boolean;
}

/** One end of it. */
export class PipeEnd {
  readonly #words: Int32Array;
  readonly #side: 0 | 1;
  readonly #in: number;
  readonly #out: number;
  readonly #inBytes: Uint8Array;
  readonly #outBytes: Uint8Array;

  constructor(memory: SharedArrayBuffer, side: 0 | 1) {
    this.#words = wordsOf(memory);
    this.#side = side;
    this.#out = side * WORDS_PER_WAY;
    this.#in = (1 - side) * WORDS_PER_WAY;
    this.#outBytes = new Uint8Array(memory, HEADER_BYTES + side * CAPACITY, CAPACITY);
    this.#inBytes = new Uint8Array(memory, HEADER_BYTES + (1 - side) * CAPACITY, CAPACITY);
  }

  /** The word to sleep on for whatever makes it ready. */
  get events(): { readonly words: Int32Array; readonly index: number } {
    return { words: this.#words, index: eventsOf(this.#side) };
  }

  /** How many bytes wait here. */
  get waiting(): number {
    return (Atomics.load(this.#words, this.#in + WRITTEN) - Atomics.load(this.#words, this.#in + READ)) >>> 0;
  }

  /** Whether a byte can be written. */
  get hasRoom(): boolean {
    return (
      (Atomics.load(this.#words, this.#out + WRITTEN) - Atomics.load(this.#words, this.#out + READ)) >>> 0 < CAPACITY
    );
  }

  /** Whether nobody has the other end. */
  get peerClosed(): boolean {
    return Atomics.load(this.#words, closedOf(1 - this.#side)) !== 0;
  }

  /**
   * Takes what waits, up to the length of `bytes`; with `peek` leaves it there.
   * @param known Bytes to take and forget first.
   * @param onTaken Called with the position up to which bytes were taken that carry descriptors.
   * @returns how many; -1 when nothing waits and the peer may still write.
   */
  read(
    agents: LockAgents,
    bytes: Uint8Array,
    peek: boolean,
    known: number,
    onTaken: (position: number) => void,
  ): number {
    const words = this.#words;
    // Before the cursor: what the peer wrote before it closed is seen.
    const closed = this.peerClosed;
    this.#lock(this.#in + READING, agents);
    let at = Atomics.load(words, this.#in + READ);
    const start = at;
    const there = (Atomics.load(words, this.#in + WRITTEN) - at) >>> 0;
    const skipped = Math.min(known, there);
    at = (at + skipped) | 0;
    const length = Math.min(bytes.length, there - skipped);
    if (length > 0) {
      const from = (at >>> 0) % CAPACITY;
      const first = Math.min(length, CAPACITY - from);
      bytes.set(this.#inBytes.subarray(from, from + first), 0);
      if (first < length) bytes.set(this.#inBytes.subarray(0, length - first), first);
      if (!peek) at = (at + length) | 0;
    }
    const moved = at !== start;
    if (moved) Atomics.store(words, this.#in + READ, at);
    this.#unlock(this.#in + READING);
    if (moved) {
      signal(words, 1 - this.#side);
      if (Atomics.load(words, this.#in + LOADED) !== 0) onTaken(at);
    }
    return length > 0 || closed ? length : -1;
  }

  /**
   * Writes as much as there is room for.
   * @param onLoad Called with the position of the first byte, before it can be read: a descriptor
   * travels with it.
   * @returns how many bytes; -1 when there is no room, -2 when nobody has the other end.
   */
  write(agents: LockAgents, bytes: Uint8Array, onLoad?: (position: number) => void): number {
    const words = this.#words;
    if (this.peerClosed) return -2;
    this.#lock(this.#out + WRITING, agents);
    const at = Atomics.load(words, this.#out + WRITTEN);
    const room = CAPACITY - ((at - Atomics.load(words, this.#out + READ)) >>> 0);
    const length = Math.min(bytes.length, room);
    if (length > 0) {
      const to = (at >>> 0) % CAPACITY;
      const first = Math.min(length, CAPACITY - to);
      this.#outBytes.set(bytes.subarray(0, first), to);
      if (first < length) this.#outBytes.set(bytes.subarray(first, length), 0);
      if (onLoad !== undefined) {
        Atomics.add(words, this.#out + LOADED, 1);
        onLoad(at);
      }
      Atomics.store(words, this.#out + WRITTEN, (at + length) | 0);
    }
    this.#unlock(this.#out + WRITING);
    if (length === 0) return -1;
    signal(words, 1 - this.#side);
    return length;
  }

  #lock(at: number, { own, hasEnded }: LockAgents): void {
    const words = this.#words;
    for (;;) {
      const holder = Atomics.compareExchange(words, at, 0, own);
      if (holder === 0) return;
      if (hasEnded(holder)) {
        if (Atomics.compareExchange(words, at, holder, own) === holder) return;
      } else Atomics.wait(words, at, holder, LOCK_CHECK_MS);
    }
  }

  #unlock(at: number): void {
    Atomics.store(this.#words, at, 0);
    Atomics.notify(this.#words, at, 1);
  }
}

/** One fewer descriptor travels with the bytes that an end wrote. */
export function dropLoad(memory: SharedArrayBuffer, side: number): void {
  Atomics.sub(wordsOf(memory), side * WORDS_PER_WAY + LOADED, 1);
}

/** Returns whether the byte at a position of what an end wrote was read. */
export function wasRead(memory: SharedArrayBuffer, side: number, position: number): boolean {
  return ((Atomics.load(wordsOf(memory), side * WORDS_PER_WAY + READ) - position) | 0) > 0;
}

/** Nobody has an end any more: its peer sees the end of the stream. */
export function closeEnd(memory: SharedArrayBuffer, side: number): void {
  const words = wordsOf(memory);
  Atomics.store(words, closedOf(side), 1);
  for (const end of [0, 1]) signal(words, end);
}

/** Something may have made an end ready. */
function signal(words: Int32Array, side: number): void {
  Atomics.add(words, eventsOf(side), 1);
  Atomics.notify(words, eventsOf(side));
}

function wordsOf(memory: SharedArrayBuffer): Int32Array {
  return new Int32Array(memory, 0, HEADER_BYTES / 4);
}

function eventsOf(side: number): number {
  return ENDS + side * WORDS_PER_END + EVENTS;
}

function closedOf(side: number): number {
  return ENDS + side * WORDS_PER_END + CLOSED;
}
