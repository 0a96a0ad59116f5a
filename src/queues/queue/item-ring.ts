/**
 * Items between many producers and many consumers: a byte ring whose records stay in place until
 * they are done with.
 *
 *   HEAD                    NEXT                    TAIL
 *    |  claimed, done, returned |  not yet claimed      |  free, up to HEAD
 *
 * Records are laid out as in memory/ring/record-layout.ts; their state word says whose they are:
 *
 *   state        | place          | meaning
 *   READY  0     | NEXT to TAIL   | nobody's
 *   READY  0     | HEAD to NEXT   | given back by a consumer that left or died; RETURNED counts
 *                |                | these, or more
 *   agent        | HEAD to NEXT   | claimed by that agent, which decodes it in place
 *   agent        | at NEXT        | its claimer died before the claim was in force: as READY
 *   DONE  -1     | HEAD to NEXT   | room to be swept up when HEAD gets there
 *
 * Locks: producers' (TAIL moves), consumers' (NEXT, HEAD and RETURNED move, claims begin). Whoever
 * has the producers' may take the consumers', not the other way round. Ending a claim needs no
 * lock: it is one store.
 *
 * Crash, at any instruction: a producer leaves nothing behind, for a record exists once TAIL has
 * moved (cursor.ts). A consumer leaves claims with its name in them, which `reclaim` gives back.
 * RETURNED goes up before records become READY and down after they were claimed, so it may be too
 * high, never too low; who finds fewer corrects it.
 */
import { ID_WORD, KIND_WORD, PAD, RECORD_HEADER, recordBytes, STATE_WORD, writePad } from '../../memory/index.js';
import { CURSOR_WORDS, Cursor } from '../shared/cursor.js';

const LINE = 16;
const TAIL = 0;
const NEXT = LINE;
const HEAD = 2 * LINE;
const RETURNED = 3 * LINE;

/** Words of the ring beside its data. */
export const ITEM_RING_WORDS = 3 * LINE + CURSOR_WORDS;

export const READY = 0;
export const DONE = -1;

export class ItemRing {
  /**
   * The data; a payload stands in it at {@link startOf} to {@link endOf} as long as its record is
   * claimed.
   */
  readonly bytes: Uint8Array;
  /** The data as words. */
  readonly words: Int32Array;
  readonly capacity: number;
  /** Largest payload: half of the ring, so that it fits into an empty one wherever that starts. */
  readonly maximum: number;
  readonly #control: Int32Array;
  readonly #at: number;
  readonly #mask: number;
  readonly #tail: Cursor;
  readonly #next: Cursor;
  #reserved = 0;
  #length = 0;

  /** @param at Index in `control` of the first of its words. */
  constructor(control: Int32Array, at: number, bytes: Uint8Array) {
    this.bytes = bytes;
    this.words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
    this.capacity = bytes.byteLength;
    this.maximum = this.capacity / 2 - RECORD_HEADER;
    this.#mask = this.capacity - 1;
    this.#control = control;
    this.#at = at;
    this.#tail = new Cursor(control, at + TAIL);
    this.#next = new Cursor(control, at + NEXT);
  }

  // ---- what anybody may ask

  /** Items that nobody has claimed. Exact while nobody changes it. */
  get size(): number {
    this.#next.read();
    const returned = Atomics.load(this.#control, this.#at + RETURNED);
    this.#tail.read();
    return Math.max(0, ((this.#tail.count - this.#next.count) | 0) + returned);
  }

  /** Items that were ever put, mod 2^32. */
  get puts(): number {
    this.#tail.read();
    return this.#tail.count;
  }

  /** Where the next record will be published. */
  get end(): number {
    this.#tail.read();
    return this.#tail.position;
  }

  /** Whether an item can be claimed. */
  get ready(): boolean {
    this.#next.read();
    this.#tail.read();
    return this.#next.position !== this.#tail.position || Atomics.load(this.#control, this.#at + RETURNED) > 0;
  }

  /** Whether records are claimed, or done and not swept up. */
  get occupied(): boolean {
    this.#next.read();
    return this.#next.position !== Atomics.load(this.#control, this.#at + HEAD);
  }

  /** Whether the oldest record is done with, so that sweeping gives room. */
  get sweepable(): boolean {
    if (!this.occupied) return false;
    const position = this.#overPad(Atomics.load(this.#control, this.#at + HEAD));
    return Atomics.load(this.words, this.#word(position) + 3) === DONE;
  }

  /** Whether the record that was published at `position` is done with. */
  isOver(position: number): boolean {
    if (((Atomics.load(this.#control, this.#at + HEAD) - position) | 0) > 0) return true;
    return Atomics.load(this.words, this.#word(position) + 3) === DONE;
  }

  /** Bytes that are free. */
  get free(): number {
    this.#tail.read();
    return this.capacity - ((this.#tail.position - Atomics.load(this.#control, this.#at + HEAD)) >>> 0);
  }

  // ---- the producers' side, under their lock

  /** Makes room for a record and returns the offset of its payload; -1 when there is none now. */
  reserve(length: number): number {
    this.#tail.read();
    const size = recordBytes(length);
    const at = this.#tail.position & this.#mask;
    const rest = this.capacity - at;
    const need = size <= rest ? size : rest + size;
    if (this.capacity - ((this.#tail.position - Atomics.load(this.#control, this.#at + HEAD)) >>> 0) < need) return -1;
    this.#length = length;
    if (size > rest) {
      writePad(this.words, at >> 2, rest);
    }
    this.#reserved = size <= rest ? at : 0;
    return this.#reserved + RECORD_HEADER;
  }

  /** Position that the reserved record will have. */
  get reservedPosition(): number {
    const before = this.#tail.position & this.#mask;
    return (this.#tail.position + ((this.#reserved - before) & this.#mask)) | 0;
  }

  /** Publishes the reserved record. */
  publish(kind: number, id: number): void {
    const word = this.#reserved >> 2;
    this.words[word] = this.#length;
    this.words[word + KIND_WORD] = kind;
    this.words[word + ID_WORD] = id;
    this.words[word + STATE_WORD] = READY;
    this.#tail.move((this.reservedPosition + recordBytes(this.#length)) | 0, (this.#tail.count + 1) | 0);
  }

  // ---- the consumers' side, under their lock

  /** Claims up to `max` items, oldest first, and appends their positions to `into`. */
  claim(agent: number, max: number, into: number[]): void {
    let left = max - this.#claimReturned(agent, max, into);
    if (left === 0) return;
    this.#next.read();
    this.#tail.read();
    let { position, count } = this.#next;
    for (; left > 0 && position !== this.#tail.position; left--) {
      position = this.#overPad(position);
      Atomics.store(this.words, this.#word(position) + 3, agent);
      into.push(position);
      position = this.#after(position);
      count = (count + 1) | 0;
    }
    if (position !== this.#next.position) this.#next.move(position, count);
  }

  /**
   * Moves HEAD over all that is done. Returns whether it moved. `swept` is told each record that is
   * passed, before it is gone.
   */
  sweep(swept?: (position: number) => void): boolean {
    this.#next.read();
    const head = Atomics.load(this.#control, this.#at + HEAD);
    let position = head;
    while (position !== this.#next.position) {
      if (this.kindOf(position) !== PAD) {
        if (Atomics.load(this.words, this.#word(position) + 3) !== DONE) break;
        swept?.(position);
      }
      position = this.#after(position);
    }
    if (position === head) return false;
    Atomics.store(this.#control, this.#at + HEAD, position);
    return true;
  }

  /** Gives claimed items back, to be claimed before all others. */
  giveBack(positions: readonly number[]): void {
    Atomics.add(this.#control, this.#at + RETURNED, positions.length);
    for (const position of positions) Atomics.store(this.words, this.#word(position) + 3, READY);
  }

  /** Gives back what agents that have ended had claimed: how many items that were. */
  reclaim(hasEnded: (agent: number) => boolean): number {
    const found: number[] = [];
    this.#next.read();
    for (let position = Atomics.load(this.#control, this.#at + HEAD); position !== this.#next.position; ) {
      const state = Atomics.load(this.words, this.#word(position) + 3);
      if (this.kindOf(position) !== PAD && state !== READY && state !== DONE && hasEnded(state)) found.push(position);
      position = this.#after(position);
    }
    if (found.length > 0) this.giveBack(found);
    return found.length;
  }

  // ---- the holder of a claim

  /** The item has been delivered. */
  finish(position: number): void {
    Atomics.store(this.words, this.#word(position) + 3, DONE);
  }

  kindOf(position: number): number {
    return this.words[this.#word(position) + 1]!;
  }

  idOf(position: number): number {
    return this.words[this.#word(position) + 2]!;
  }

  /** Where its payload starts in {@link bytes}. */
  startOf(position: number): number {
    return (position & this.#mask) + RECORD_HEADER;
  }

  /** Where its payload ends. */
  endOf(position: number): number {
    return this.startOf(position) + this.words[this.#word(position)]!;
  }

  #claimReturned(agent: number, max: number, into: number[]): number {
    const returned = Atomics.load(this.#control, this.#at + RETURNED);
    if (returned <= 0) return 0;
    let had = 0;
    this.#next.read();
    for (let position = Atomics.load(this.#control, this.#at + HEAD); position !== this.#next.position && had < max; ) {
      const word = this.#word(position);
      if (this.kindOf(position) !== PAD && Atomics.load(this.words, word + STATE_WORD) === READY) {
        Atomics.store(this.words, word + STATE_WORD, agent);
        into.push(position);
        had++;
      }
      position = this.#after(position);
    }
    Atomics.store(this.#control, this.#at + RETURNED, had < max ? 0 : returned - had);
    return had;
  }

  #word(position: number): number {
    return (position & this.#mask) >> 2;
  }

  #after(position: number): number {
    return (position + recordBytes(this.words[this.#word(position)]!)) | 0;
  }

  #overPad(position: number): number {
    return this.kindOf(position) === PAD ? this.#after(position) : position;
  }
}
