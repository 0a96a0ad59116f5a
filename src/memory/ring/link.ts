/**
 * A two-way channel of records between a parent and a worker: two rings, two doorbells and a few
 * control words.
 *
 *   parent   out -> [ ring 0 ] -> in   worker
 *            in  <- [ ring 1 ] <- out
 *
 * Region: control page (4096 bytes) | ring 0 | ring 1. Words of the control page, a cache line
 * each, are the owner's (see {@link Link.control}).
 *
 * A message that fits goes as one record, written straight into the ring. A larger one, or one that
 * finds no room, is laid out in private memory and follows in parts (parts.ts) as room appears;
 * until then the link is not `writable`. So `send` never refuses, at most one message per link
 * waits, and memory stays bounded by what the caller admits. A message of {@link
 * MIN_SHARED_BUFFER_BYTES} bytes and more goes in a shared buffer (buffer-records.ts) where one is
 * free.
 *
 * Crash: a writer that dies leaves whole records and perhaps some parts without their tail, which
 * are dropped.
 */
import { ArgumentError, MultiprocessError } from '../../errors/index.js';
import { closeDescriptor } from '../../native/descriptors.js';
import { createEventfd, Doorbell, ringDoorbell } from '../../native/doorbell.js';
import { uninitializedBytes } from '../../util/uninitialized.js';
import type { Region } from '../regions/region.js';
import { BufferRecords } from './buffer-records.js';
import { BUFFER_OFFER, KIND_MASK, PART, SHARED_BUFFER, TAIL } from './link-kinds.js';
import { IncomingParts, OutgoingParts } from './parts.js';
import type { Payload } from './payload.js';
import { KIND_WORD, RECORD_HEADER } from './record-layout.js';
import { RingReader, RingWriter, ringBytes } from './ring.js';

const CONTROL_BYTES = 4096;
/** Largest message: its size travels in 32 bits. */
const MAX_MESSAGE_BYTES = 0xffff_ffff;

/** From this size on a buffer is faster than the ring. */
const MIN_SHARED_BUFFER_BYTES = 256 * 1024;

/** Bytes of a message that goes by {@link Link.sendShort}, at most. */
const SHORT_MESSAGE_BYTES = 16;

/** What a short message may hold. */
export type ShortValue = number | boolean | null | undefined;

/** Writes a value into `bytes` at `at`. Returns where it ends. */
export type ShortWriter = (bytes: Uint8Array, view: DataView, at: number, value: ShortValue) => number;

/** Which end of a link one holds. */
export enum LinkSide {
  Parent = 0,
  Worker = 1,
}

/** Bytes of shared memory a link takes. `capacity` is of one direction, a power of two. */
export function linkBytes(capacity: number): number {
  return CONTROL_BYTES + 2 * ringBytes(capacity);
}

/** Descriptors by which the two sides wake each other. */
export interface LinkBells {
  /** Rung by the worker. */
  readonly parent: number;
  /** Rung by the parent. */
  readonly worker: number;
}

/** One side of the channel. */
export class Link {
  readonly #out: RingWriter;
  readonly #in: RingReader;
  readonly #bell: Doorbell;
  readonly #ringOther: () => void;
  readonly #outgoing: OutgoingParts;
  readonly #incoming = new IncomingParts();
  readonly #buffers: BufferRecords;
  #own: Uint8Array | null = null;
  #closed = false;

  /** Words that both sides see; index them in steps of 16 (a cache line). */
  readonly control: Int32Array;

  /**
   * @param capacity Bytes of one direction, the same on both sides.
   * @param onRing Called on the event loop after the other side rang: read, then {@link sleep}.
   */
  constructor(region: Region, capacity: number, side: LinkSide, bells: LinkBells, onRing: () => void) {
    const rings = [CONTROL_BYTES, CONTROL_BYTES + ringBytes(capacity)] as const;
    const [own, other] = side === LinkSide.Parent ? [bells.parent, bells.worker] : [bells.worker, bells.parent];
    const ring = () => ringDoorbell(other);
    this.control = new Int32Array(region.buffer, 0, CONTROL_BYTES / 4);
    this.#out = new RingWriter(region.buffer, rings[side === LinkSide.Parent ? 0 : 1], capacity, ring);
    this.#in = new RingReader(region.buffer, rings[side === LinkSide.Parent ? 1 : 0], capacity, ring);
    this.#outgoing = new OutgoingParts(this.#out);
    this.#buffers = new BufferRecords(this.#out, this.#in);
    this.#bell = new Doorbell(own, onRing);
    this.#ringOther = ring;
  }

  /** Creates the descriptors for a new link. Close them with {@link closeBells}. */
  static createBells(): LinkBells {
    const parent = createEventfd();
    try {
      return { parent, worker: createEventfd() };
    } catch (error) {
      closeDescriptor(parent);
      throw error;
    }
  }

  /** Closes what {@link createBells} made. */
  static closeBells(bells: LinkBells): void {
    closeDescriptor(bells.parent);
    closeDescriptor(bells.worker);
  }

  // ---- sending

  /** Whether {@link send} may be called: no earlier message still waits for room. */
  get writable(): boolean {
    return !this.#outgoing.waits;
  }

  /**
   * Sends a message. Call only while {@link writable}, and {@link wake} after the last of a burst.
   * @param kind The owner's, 1 to 65,535.
   * @param state First value of the record's state word.
   * @returns the record, as {@link amend} knows it; -1 when the message follows in parts.
   * @throws MultiprocessError `MP_LINK_BUSY` while an earlier message waits; ArgumentError for one
   * of 4 GiB or more.
   */
  send(kind: number, id: number, state: number, payload: Payload): number {
    // Anything sent now would overtake the parts of the message that waits, or take its place.
    if (this.#outgoing.waits) {
      throw new MultiprocessError(
        'Link: an earlier message still waits for room; send only while the link is `writable`.',
        {
          code: 'MP_LINK_BUSY',
        },
      );
    }
    const length = payload.total;
    this.#own = null;
    if (length > MAX_MESSAGE_BYTES) {
      throw new ArgumentError(
        `Link: a message of ${length} bytes is too large; send less than 4 GiB at a time, or a SharedMemory.`,
      );
    }
    if (length >= MIN_SHARED_BUFFER_BYTES && this.#buffers.sendInBuffer(kind, id, state, payload))
      return this.#out.position;
    if (length <= this.#out.maximum) {
      const at = this.#out.reserve(length);
      if (at >= 0) {
        payload.layout(this.#out.bytes, at, this.#out.words);
        this.#out.publish(kind, id, state);
        return this.#out.position;
      }
    }
    const bytes = uninitializedBytes(length);
    payload.layout(bytes, 0);
    this.#own = bytes;
    this.#outgoing.beginMessage(bytes, kind, id, state);
    return this.flush() ? this.#out.position : -1;
  }

  /**
   * As {@link send}, of a message that `write` puts where it is to stand: of at most {@link
   * SHORT_MESSAGE_BYTES}. It gets where that is, and returns where the message ends.
   * @returns `false` when there is no room just now: `send` has the message wait.
   */
  sendShort(kind: number, id: number, state: number, write: ShortWriter, value: ShortValue): boolean {
    const out = this.#out;
    if (this.#outgoing.waits) return false;
    const at = out.reserve(SHORT_MESSAGE_BYTES);
    if (at < 0) return false;
    this.#own = null;
    out.truncate(write(out.bytes, out.view, at, value) - at);
    out.publish(kind, id, state);
    return true;
  }

  /**
   * Moves a waiting message on as far as there is room; asks to be woken for the rest.
   * @returns whether nothing waits any more.
   */
  flush(): boolean {
    return this.#outgoing.sendParts();
  }

  /**
   * Whether the other side has read everything. If not, its next read wakes this side: look again
   * then. Call only while {@link writable}.
   */
  drained(): boolean {
    for (;;) {
      if (this.#out.drained) return true;
      if (this.#out.sleepUntilRead() && !this.#out.drained) return false;
    }
  }

  /**
   * Whether nobody reads the message that was sent any more: the other side has released it, or the
   * link is closed here.
   * @param position as {@link send} gave it; of a message in parts, whether everything was read.
   */
  taken(position: number): boolean {
    if (this.#closed) return true;
    return position < 0 ? !this.#outgoing.waits && this.#out.drained : this.#out.taken(position);
  }

  /**
   * Gives up the message that waits for room. What of it was sent already is ended by a record of
   * `kind` (one that the other side ignores), for which the link may stay busy.
   */
  abandon(kind: number): void {
    this.#outgoing.giveUp(kind);
  }

  /**
   * The message that was sent last, if it was laid out in memory of this side's own; it stays as it
   * is.
   */
  get own(): Uint8Array | null {
    return this.#own;
  }

  /**
   * A copy of a message that was sent as one record: of its payload, as long as nothing was sent
   * that took its place. `null` when it is not to be had: it went in parts, or is overwritten.
   */
  recall(position: number): Uint8Array | null {
    const out = this.#out;
    const word = position < 0 ? -1 : out.find(position);
    if (word < 0 || (out.words[word + KIND_WORD]! & TAIL) !== 0) return null;
    const start = word * 4 + RECORD_HEADER;
    const bytes = out.bytes.slice(start, start + (out.words[word]! >>> 0));
    return (out.words[word + KIND_WORD]! & SHARED_BUFFER) === 0 ? bytes : this.#buffers.recallFrom(bytes);
  }

  /** Bytes of the message that waits for room that were sent in parts. */
  get underWay(): number {
    return this.#outgoing.sent;
  }

  /** How far the other side has read: it differs from before when that has read on. */
  get read(): number {
    return this.#out.read;
  }

  /**
   * The record sent last, as {@link amend} knows it: that of a message in parts once {@link flush}
   * has returned `true`.
   */
  get position(): number {
    return this.#out.position;
  }

  /**
   * Changes the state word of a record that was sent, if it is `expected`. Returns whether this
   * side made the change. `false` too when a later record stands where it stood, which can be
   * before the other side's answer to it was read.
   */
  amend(position: number, expected: number, replacement: number): boolean {
    return this.#out.amend(position, expected, replacement);
  }

  /**
   * Wakes the other side if it waits for a record. A system call at most: worth saving, by sending
   * in bursts.
   */
  wake(): void {
    this.#out.wake();
  }

  /** Wakes the other side whatever it waits for. */
  ring(): void {
    this.#ringOther();
  }

  // ---- receiving

  /** Kind of the message that {@link receive} found. */
  kind = 0;
  /** Its id. */
  id = 0;
  /** Where it stands: `source[start, end)`. */
  source: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  /**
   * Whether `source` belongs to the receiver; otherwise it is shared memory that {@link release}
   * gives back.
   */
  owned = false;

  /** Finds the oldest unread message and describes it in the fields above. */
  receive(): boolean {
    const reader = this.#in;
    while (reader.next()) {
      const { kind } = reader;
      if (kind === PART) {
        this.#incoming.addPart(reader);
        reader.release();
        continue;
      }
      if (kind === BUFFER_OFFER) {
        this.#buffers.acceptOffer();
        reader.release();
        continue;
      }
      this.kind = kind & KIND_MASK;
      this.id = reader.id;
      this.owned = false;
      if ((kind & SHARED_BUFFER) !== 0) {
        this.#incoming.dropParts();
        this.#whole(this.#buffers.view());
        return true;
      }
      const assembled = (kind & TAIL) === 0 ? null : this.#incoming.completeWith(reader);
      if (assembled !== null) {
        this.#whole(assembled);
        this.owned = true;
      } else {
        this.#incoming.dropParts();
        this.source = reader.bytes;
        this.start = reader.start;
        this.end = reader.end;
      }
      return true;
    }
    return false;
  }

  /** Whether the received message stands in the ring as it was sent: {@link pass} may be called. */
  get inRing(): boolean {
    return this.source === this.#in.bytes;
  }

  /**
   * Moves on from the received message, in place of {@link release}. The room of all that were
   * passed is given back by {@link free}, which must follow soon.
   */
  pass(): void {
    this.#in.pass();
  }

  /**
   * Finds the oldest unread message, if it is of `kind` and stands in the ring: then the fields
   * above describe it. If not, {@link receive} finds what there is.
   */
  receiveKind(kind: number): boolean {
    const reader = this.#in;
    if (!reader.next() || reader.kind !== kind) return false;
    this.kind = kind;
    this.id = reader.id;
    this.owned = false;
    this.source = reader.bytes;
    this.start = reader.start;
    this.end = reader.end;
    return true;
  }

  /** Gives back the room of the messages that were passed. */
  free(): void {
    this.#in.free();
  }

  /**
   * Changes the received record's state word by compare-and-set. Returns whether this side made the
   * change.
   */
  claim(expected: number, replacement: number): boolean {
    return Atomics.compareExchange(this.#in.words, this.#in.position, expected, replacement) === expected;
  }

  /** The received record's state word as it is now. */
  get state(): number {
    return Atomics.load(this.#in.words, this.#in.position);
  }

  /**
   * Gives the room of the received message back. Call once for each message, when nothing reads it
   * any more.
   */
  release(): void {
    this.#buffers.releaseReceived();
    this.#in.release();
  }

  /** Whether a record waits. */
  get ready(): boolean {
    return this.#in.ready;
  }

  /** Asks to be woken for the next record; `false` when one is there already. */
  sleep(): boolean {
    return this.#in.sleepUntilRecord();
  }

  // ---- life

  /** Lets the link keep the event loop alive (the state after construction), or not. */
  ref(alive: boolean): void {
    if (alive) this.#bell.ref();
    else this.#bell.unref();
  }

  /**
   * Stops listening. The region and the descriptors belong to the caller. Closing twice does
   * nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#bell.close();
    this.#outgoing.forget();
    this.#incoming.dropParts();
    this.#buffers.close();
  }

  #whole(bytes: Uint8Array): void {
    this.source = bytes;
    this.start = 0;
    this.end = bytes.length;
  }
}
