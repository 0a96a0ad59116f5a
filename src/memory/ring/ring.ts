/**
 * Bounded single-producer, single-consumer ring of records in shared memory.
 *
 * Layout, in bytes, one cache line for each word so that the two sides do not share lines they
 * write:
 *
 *     0  head    u32  consumer's cursor        written by the reader only
 *    64  tail    u32  producer's cursor        written by the writer only
 *   128  reader  i32  sleep word of the reader (see sleep-word.ts)
 *   192  writer  i32  sleep word of the writer, which waits for room
 *   256  data    capacity bytes, a power of two
 *
 * Cursors count bytes, grow for ever and wrap at 2^32. Invariant: 0 <= tail - head <= capacity.
 * Records are laid out as in record-layout.ts. Their state may be changed by either side with
 * compare-and-set while the record is in the ring.
 *
 * Publication: a record exists once `tail` has moved past it, and that store comes last.
 * Crash: a producer that dies before that store leaves nothing behind; a consumer that dies before
 * moving `head` leaves the record readable. Neither leaves a lock, for there is none. Source: L.
 * Lamport, Proving the correctness of multiprocess programs (1977), with cached cursors as in the
 * SPSC queues of J. Giacomoni et al., FastForward (2008).
 */
import { ID_WORD, KIND_WORD, PAD, RECORD_HEADER, recordBytes, STATE_WORD, writePad } from './record-layout.js';
import { cancelPark, park, unpark } from './sleep-word.js';

/** Bytes before the data. */
export const RING_HEADER = 256;

const HEAD = 0;
const TAIL = 16;
const READER = 32;
const WRITER = 48;

/** Bytes of shared memory that a ring of this capacity takes. */
export function ringBytes(capacity: number): number {
  return RING_HEADER + capacity;
}

/** The producer's side. Exactly one at a time may exist for a ring. */
export class RingWriter {
  /** The data area; payloads are written here, at the offset that {@link reserve} gave. */
  readonly bytes: Uint8Array;
  /** The data area as words. */
  readonly words: Int32Array;
  /** The data area, for numbers of more than a byte. */
  readonly view: DataView;
  /**
   * Largest payload of one record: half of the ring, so that it always fits into an empty one,
   * wherever that starts.
   */
  readonly maximum: number;
  readonly #control: Int32Array;
  readonly #capacity: number;
  readonly #ring: () => void;
  #tail: number;
  /** The reader's cursor as last seen; refreshed only when it looks as if there were no room. */
  #head: number;
  #reserved = 0;
  #length = 0;
  /** Bytes written since this writer was made, with pads; unlike the cursors it never wraps. */
  #written = 0;
  /** The cursor from which {@link #written} counts. */
  readonly #origin: number;

  /** @param ring Wakes the reader; called only when it sleeps. */
  constructor(buffer: ArrayBufferLike, offset: number, capacity: number, ring: () => void) {
    this.#control = new Int32Array(buffer, offset, RING_HEADER / 4);
    this.bytes = new Uint8Array(buffer, offset + RING_HEADER, capacity);
    this.words = new Int32Array(buffer, offset + RING_HEADER, capacity / 4);
    this.view = new DataView(buffer, offset + RING_HEADER, capacity);
    this.maximum = capacity / 2 - RECORD_HEADER;
    this.#capacity = capacity;
    this.#ring = ring;
    this.#tail = Atomics.load(this.#control, TAIL);
    this.#head = Atomics.load(this.#control, HEAD);
    this.#origin = this.#tail & (capacity - 1);
  }

  /**
   * The record published last, as {@link amend} knows it: where in the stream of all bytes it
   * starts.
   */
  position = 0;

  /**
   * Makes room for a record of `length` bytes (at most {@link maximum}).
   * @returns the offset of its payload in {@link bytes}, or -1 when there is no room now. Nothing
   * is visible to the reader until {@link publish}; a second `reserve` before that replaces the
   * first.
   */
  reserve(length: number): number {
    const size = recordBytes(length);
    const at = this.#tail & (this.#capacity - 1);
    const rest = this.#capacity - at;
    const need = size <= rest ? size : rest + size;
    if (this.#capacity - ((this.#tail - this.#head) >>> 0) < need) {
      this.#head = Atomics.load(this.#control, HEAD);
      if (this.#capacity - ((this.#tail - this.#head) >>> 0) < need) return -1;
    }
    this.#length = length;
    if (size <= rest) {
      this.#reserved = at;
    } else {
      writePad(this.words, at >> 2, rest);
      this.#reserved = 0;
    }
    return this.#reserved + RECORD_HEADER;
  }

  /** Makes the reserved record shorter than it was reserved, before it is published. */
  truncate(length: number): void {
    this.#length = length;
  }

  /**
   * Publishes the reserved record. Call {@link wake} afterwards, once for any number of records.
   */
  publish(kind: number, id: number, state: number): void {
    const at = this.#reserved;
    const word = at >> 2;
    this.words[word] = this.#length;
    this.words[word + KIND_WORD] = kind;
    this.words[word + ID_WORD] = id;
    this.words[word + STATE_WORD] = state;
    const before = this.#tail & (this.#capacity - 1);
    const skipped = at === before ? 0 : this.#capacity - before;
    const size = recordBytes(this.#length);
    this.position = this.#written + skipped;
    this.#written = this.position + size;
    this.#tail = (this.#tail + skipped + size) | 0;
    Atomics.store(this.#control, TAIL, this.#tail);
  }

  /** Wakes the reader if it sleeps. */
  wake(): void {
    if (unpark(this.#control, READER)) this.#ring();
  }

  /**
   * Changes the state word of a record that this writer published, if it is `expected`. Returns
   * whether it was changed. A record that the reader released may have been overwritten by a later
   * one, whose state must not be taken for its own; then the answer is `false`. As long as it was
   * not overwritten, its state word is as the two sides left it.
   *
   * @param position what {@link position} was after the record was published.
   */
  amend(position: number, expected: number, replacement: number): boolean {
    if (this.#written - position > this.#capacity) return false;
    const word = ((this.#origin + position) & (this.#capacity - 1)) >> 2;
    return Atomics.compareExchange(this.words, word + STATE_WORD, expected, replacement) === expected;
  }

  /**
   * Asks to be woken when the reader frees room.
   * @returns `false` when the reader moved in the meantime: try again at once, no wake-up will
   * come.
   */
  sleepUntilRoom(): boolean {
    park(this.#control, WRITER);
    if (Atomics.load(this.#control, HEAD) === this.#head) return true;
    cancelPark(this.#control, WRITER);
    return false;
  }

  /** As {@link sleepUntilRoom}: asks to be woken when the reader reads on, measured from now. */
  sleepUntilRead(): boolean {
    this.#head = Atomics.load(this.#control, HEAD);
    return this.sleepUntilRoom();
  }

  /** Where the record at `position` stands in {@link words}; -1 when a later one stands there. */
  find(position: number): number {
    return this.#written - position > this.#capacity ? -1 : ((this.#origin + position) & (this.#capacity - 1)) >> 2;
  }

  /** The reader's cursor: it differs from before when the reader has read on. */
  get read(): number {
    return Atomics.load(this.#control, HEAD);
  }

  /**
   * Whether the reader has released the record at `position` (as {@link RingWriter.position} had
   * it).
   */
  taken(position: number): boolean {
    return this.#written - ((this.#tail - Atomics.load(this.#control, HEAD)) >>> 0) > position;
  }

  /** Whether the reader has read everything. */
  get drained(): boolean {
    return Atomics.load(this.#control, HEAD) === this.#tail;
  }
}

/** The consumer's side. Exactly one at a time may exist for a ring. */
export class RingReader {
  /** The data area; a payload stands here until {@link release}. */
  readonly bytes: Uint8Array;
  /** The data area as words. */
  readonly words: Int32Array;
  readonly #control: Int32Array;
  readonly #capacity: number;
  readonly #ring: () => void;
  #head: number;
  /** The writer's cursor as last seen. */
  #tail: number;
  #size = 0;

  /** Kind of the record that {@link next} found. */
  kind = 0;
  /** Id of that record. */
  id = 0;
  /** Index of its state in {@link words}. */
  position = 0;
  /** Offset of its payload in {@link bytes}. */
  start = 0;
  /** Offset of the payload's end. */
  end = 0;

  /** @param ring Wakes the writer; called only when it sleeps. */
  constructor(buffer: ArrayBufferLike, offset: number, capacity: number, ring: () => void) {
    this.#control = new Int32Array(buffer, offset, RING_HEADER / 4);
    this.bytes = new Uint8Array(buffer, offset + RING_HEADER, capacity);
    this.words = new Int32Array(buffer, offset + RING_HEADER, capacity / 4);
    this.#capacity = capacity;
    this.#ring = ring;
    this.#head = Atomics.load(this.#control, HEAD);
    this.#tail = this.#head;
  }

  /**
   * Finds the oldest record and describes it in the fields above. It stays in the ring until {@link
   * release}.
   */
  next(): boolean {
    for (;;) {
      if (this.#head === this.#tail) {
        this.#tail = Atomics.load(this.#control, TAIL);
        if (this.#head === this.#tail) return false;
      }
      const at = this.#head & (this.#capacity - 1);
      const word = at >> 2;
      const length = this.words[word]!;
      const kind = this.words[word + KIND_WORD]!;
      if (kind === PAD) {
        this.#head = (this.#head + length + RECORD_HEADER) | 0;
        continue;
      }
      this.kind = kind;
      this.id = this.words[word + ID_WORD]!;
      this.position = word + STATE_WORD;
      this.start = at + RECORD_HEADER;
      this.end = this.start + length;
      this.#size = recordBytes(length);
      return true;
    }
  }

  /**
   * Moves on from the record that {@link next} found: its payload must not be touched any more. The
   * writer gets the room of all that were passed by {@link free}.
   */
  pass(): void {
    this.#head = (this.#head + this.#size) | 0;
  }

  /** Gives the room of the records that were passed back to the writer. */
  free(): void {
    Atomics.store(this.#control, HEAD, this.#head);
    if (unpark(this.#control, WRITER)) this.#ring();
  }

  /** Passes the record that {@link next} found, and frees its room at once. */
  release(): void {
    this.pass();
    this.free();
  }

  /**
   * Asks to be woken when a record is published.
   * @returns `false` when one was in the meantime: read it, no wake-up will come.
   */
  sleepUntilRecord(): boolean {
    park(this.#control, READER);
    if (Atomics.load(this.#control, TAIL) === this.#head) return true;
    cancelPark(this.#control, READER);
    return false;
  }

  /** Whether a record can be read now. */
  get ready(): boolean {
    return this.#head !== this.#tail || Atomics.load(this.#control, TAIL) !== this.#head;
  }
}
