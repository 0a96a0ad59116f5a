import { SerializationError } from '../../errors/index.js';
import {
  EMPTY_PAYLOAD,
  Link,
  type LinkBells,
  LinkSide,
  linkBytes,
  type Payload,
  Region,
  WAKE_BURST,
} from '../../memory/index.js';
import { asParent, ownKey } from '../../process/index.js';
import { type CodeRecord, CodeTable, codeBlock, Decoder, Encoder, inCall, KnownCodes } from '../../reduction/index.js';
import { collectPreparations } from '../../util/preparation.js';
import { nextTick } from '../../util/timers.js';
import type { Batch } from '../scheduling/batch.js';
import { EncodedMessage, encodeListNow } from '../scheduling/encoded-items.js';
import { writeReason } from '../wire/abort-reason.js';
import { codeBook, type SerializedFunction } from '../wire/function-registry.js';
import { METER_BYTES, Meter } from '../wire/meter.js';
import {
  ABORT_INDEX,
  ABORT_ITEM,
  ABORT_SEQUENCE,
  ABORT_TICKET,
  ATTEMPT_SHIFT,
  ENDING,
  type Ending,
  Flag,
  LINK_CAPACITY,
  MEMORY,
  MEMORY_UNIT,
  MessageKind,
  NO_ARGUMENTS,
  PREPARING,
  type Preparing,
  STARTED_ITEMS,
  STATUS,
  Status,
  type WorkerFacts,
} from '../wire/protocol.js';
import { readStderr } from '../wire/stderr-tail.js';

/** The encoded message of what is being sent. One for all workers: sending is synchronous. */
const encoder = new Encoder(codeBook);
const encoded: Payload & { total: number } = {
  total: 0,
  layout: (target, offset, words) => void encoder.layout(target, offset, words),
};
const decoder = new Decoder();

/** A control record that waits behind a message in parts. */
interface Waiting {
  readonly kind: MessageKind;
  readonly id: number;
  readonly state: number;
  readonly payload: Payload;
}

/** What a worker sent could not be decoded. */
export class Unreadable {
  readonly reason: SerializationError;

  constructor(cause: unknown) {
    this.reason =
      cause instanceof SerializationError
        ? cause
        : new SerializationError(`A result could not be read: ${String(cause)}`, { code: 'MP_BAD_PAYLOAD', cause });
  }
}

/**
 * The parent's side of the protocol (protocol.ts): batches and functions as records, results as
 * values. It knows which functions the worker was sent; what batches mean and when they are over is
 * the handle's concern.
 */
export class WorkerChannel {
  readonly #region: Region;
  /** What the worker measures. */
  readonly meter: Meter;
  readonly #bells: LinkBells;
  readonly #link: Link;
  readonly #known = new Set<number>();
  /** The code records that the worker has of us, and we of it. */
  readonly #sent = new KnownCodes();
  readonly #codes = new CodeTable();
  /** The batch whose record follows in parts. */
  #transferring: Batch | null = null;
  /** Control records behind it. */
  #waiting: Waiting[] = [];
  /** Records sent since the worker was last woken. */
  #unrung = 0;
  #closed = false;
  /** Number of the batch record that was sent last; the worker counts them too. */
  sequence = 0;

  /**
   * @param name Shown in /proc as the name of the shared memory.
   * @param onRing Called on the event loop when the worker rang: `flush`, `receive`, then `sleep`.
   * @throws MultiprocessError `MP_SYSTEM` without memory or descriptors.
   */
  constructor(name: string, onRing: () => void) {
    this.#region = Region.create(linkBytes(LINK_CAPACITY) + METER_BYTES, name);
    this.meter = new Meter(this.#region.buffer, linkBytes(LINK_CAPACITY));
    let bells: LinkBells | undefined;
    try {
      bells = Link.createBells();
      this.#bells = bells;
      this.#link = new Link(this.#region, LINK_CAPACITY, LinkSide.Parent, bells, onRing);
    } catch (error) {
      if (bells !== undefined) Link.closeBells(bells);
      this.#region.close();
      throw error;
    }
    this.#link.sleep();
  }

  /** What the worker must be started with, in the order it expects. */
  get descriptors(): number[] {
    return [this.#region.descriptor, this.#bells.parent, this.#bells.worker];
  }

  // ---- sending

  /** Whether a batch can be sent: nothing waits for room. */
  get writable(): boolean {
    return this.#link.writable;
  }

  /** Sends what a worker has of its parent, and is told of itself, and the initializer's call. */
  initialize(serialized: SerializedFunction | null, args: EncodedMessage, facts: WorkerFacts): void {
    encoded.total = encoder.encode([
      Buffer.from(ownKey()).toString('hex'),
      asParent(),
      collectPreparations(),
      facts,
    ]).total;
    this.#post(MessageKind.Inherit, 0, 0, copyOf(encoded));
    if (serialized !== null) this.#define(serialized);
    this.#teach(args.codes);
    this.#post(MessageKind.Initialize, serialized?.id ?? 0, 0, args);
  }

  /**
   * Sends a batch, with its function if the worker does not know it. Call only while {@link
   * writable}.
   * @returns `false` when the function took all the room: nothing of the batch was sent.
   * @throws SerializationError when its payload cannot be encoded; nothing of it was sent.
   */
  send(batch: Batch): boolean {
    if (!this.#known.has(batch.fn.id)) {
      this.#define(batch.fn);
      if (!this.#link.writable) return false;
    }
    if (batch.context !== null) {
      const { context } = batch;
      this.#teach(context.codes);
      this.#post(MessageKind.Context, 0, 0, context);
      if (!this.#link.writable) return false;
    }
    const message = batch.message();
    let content: Payload = EMPTY_PAYLOAD;
    if (message !== null) {
      content = message;
      batch.codes = message.codes ?? batch.codes;
      if (batch.codes.length > 0 && this.#teach(batch.codes) && !this.#link.writable) return false;
    } else {
      const payload = batch.payload();
      if (payload !== NO_ARGUMENTS) {
        const { total, codes, freight } = encoder.encodeList(payload);
        encoded.total = total;
        content = encoded;
        batch.codes = codes;
        // However long the worker is busy with others, and for whoever runs it next.
        if (freight !== null) batch.addFreight(freight);
        if (codes.length > 0 && this.#teach(codes) && !this.#link.writable) {
          // It must be sent as it is now.
          if (!batch.own()) batch.encoded = new EncodedMessage(copyOf(encoded).bytes, codes);
          return false;
        }
      }
    }
    batch.weighed(content.total);
    // The worker reads it with the record.
    const sequence = (this.sequence + 1) | 0;
    this.meter.stamp(sequence, batch.made);
    batch.position = this.#link.send(
      batch.context === null ? batch.kind : batch.kind | Flag.Context,
      batch.fn.id,
      batch.state,
      content,
    );
    if (content === encoded) encoder.forget();
    // In parts it cannot be had back from the ring.
    if (this.#link.own !== null && message === null) batch.recalled(this.#link.own);
    this.sequence = sequence;
    if (!this.#link.writable) this.#transferring = batch;
    this.#wakeSoon();
    return true;
  }

  /** Drops the worker's copy of a function. */
  forget(serialized: SerializedFunction): void {
    if (this.#known.delete(serialized.id)) this.#post(MessageKind.Forget, serialized.id, 0, EMPTY_PAYLOAD);
  }

  /** Tells the worker to end after what it was sent, and after `workerExit` if there is one. */
  stop(exit: SerializedFunction | null): void {
    if (exit !== null && !this.#known.has(exit.id)) this.#define(exit);
    this.#post(MessageKind.Stop, exit?.id ?? 0, 0, EMPTY_PAYLOAD);
  }

  /**
   * Sends what waited for room, as far as there is some: whether a batch can be sent now that could
   * not before.
   */
  flush(): boolean {
    if (this.#link.writable || !this.#link.flush()) return false;
    if (this.#transferring !== null) this.#transferring.position = this.#link.position;
    this.#transferring = null;
    while (this.#waiting.length > 0 && this.#link.writable) {
      const { kind, id, state, payload } = this.#waiting.shift()!;
      this.#link.send(kind, id, state, payload);
      this.#wakeSoon();
    }
    return this.#link.writable;
  }

  /** Sends the code records of a message that the worker does not have: whether there were any. */
  #teach(codes: readonly CodeRecord[]): boolean {
    const missing = this.#sent.missing(codes);
    if (missing === null) return false;
    this.#sent.sent(missing);
    const block = codeBlock(missing);
    this.#post(MessageKind.Code, 0, 0, { total: block.length, layout: (target, offset) => target.set(block, offset) });
    return true;
  }

  #define(serialized: SerializedFunction): void {
    this.#teach(serialized.codes);
    this.#known.add(serialized.id);
    this.#post(MessageKind.Define, serialized.id, serialized.reusable ? 0 : 1, serialized);
  }

  #post(kind: MessageKind, id: number, state: number, payload: Payload): void {
    if (this.#closed) return;
    if (this.#link.writable) {
      this.#link.send(kind, id, state, payload);
      this.#wakeSoon();
    } else {
      this.#waiting.push({ kind, id, state, payload });
    }
  }

  /**
   * Wakes the worker at the end of the running burst of microtasks: one system call for many
   * records.
   */
  #wakeSoon(): void {
    if (this.#unrung === 0) nextTick(this.#wake);
    else if (this.#unrung % WAKE_BURST === 0) this.#link.wake();
    this.#unrung++;
  }

  readonly #wake = (): void => {
    this.#unrung = 0;
    if (!this.#closed) this.#link.wake();
  };

  // ---- taking back

  /** Takes a batch back that the worker has not started: whether it could. */
  withdraw(batch: Batch): boolean {
    const { state } = batch;
    if (batch === this.#transferring) {
      this.#transferring = null;
      this.#link.abandon(MessageKind.Void);
      // The worker never sees its record.
      this.sequence = (this.sequence - 1) | 0;
    } else if (batch.position < 0 || !this.#link.amend(batch.position, state, (state & ~STATUS) | Status.Withdrawn)) {
      return false;
    }
    this.recall(batch);
    batch.position = -1;
    return true;
  }

  /**
   * Takes the message of a batch that is to be run elsewhere out of the ring, if that is all there
   * is of it.
   */
  recall(batch: Batch): void {
    if (batch.encoded !== null || batch.message() !== null || batch.owned) return;
    const bytes = this.#link.recall(batch.position);
    if (bytes !== null) batch.recalled(bytes);
  }

  /** Lets the items of a started batch that have not begun be. */
  halt(batch: Batch): void {
    if (batch.position < 0) return;
    const attempt = batch.attempt << ATTEMPT_SHIFT;
    this.#link.amend(batch.position, attempt | Status.Started, attempt | Status.Stopped);
  }

  /**
   * Fires the AbortSignal of the `ordinal`-th item the worker ever started, if that is still
   * running.
   */
  abort(ordinal: number, reason: unknown): void {
    // The worker may be reading the reason of an item that it was told of before.
    if (Atomics.load(this.#link.control, ABORT_ITEM) !== ordinal) writeReason(this.#link.control, reason);
    Atomics.store(this.#link.control, ABORT_ITEM, ordinal);
    this.#link.ring();
  }

  /** Names what is to stop to a worker that runs several items at once, see ABORT_TICKET. */
  nameStop(sequence: number, index: number, reason: unknown): void {
    const { control } = this.#link;
    writeReason(control, reason);
    control[ABORT_SEQUENCE] = sequence;
    control[ABORT_INDEX] = index;
    Atomics.add(control, ABORT_TICKET, 1);
    this.#link.ring();
  }

  // ---- receiving

  /**
   * Finds the oldest unread record; {@link kind} and {@link id} describe it. {@link decode} and
   * {@link release} it.
   */
  receive(): boolean {
    return this.#link.receive();
  }

  /** Kind of the record, with its flags. */
  get kind(): number {
    return this.#link.kind;
  }

  /** Its number. */
  get id(): number {
    return this.#link.id;
  }

  /** Its state word. */
  get state(): number {
    return this.#link.state;
  }

  /** Its value, a PendingValue, or {@link Unreadable}. */
  decode(): unknown {
    const link = this.#link;
    try {
      const start = (link.kind & Flag.Codes) === 0 ? link.start : this.#codes.learn(link.source, link.start, link.end);
      return decoder.decode(link.source, start, link.end, link.owned, this.#codes);
    } catch (error) {
      return new Unreadable(error);
    }
  }

  /** Gives its room back. */
  release(): void {
    this.#link.release();
  }

  /** Whether the record may be {@link pass}ed. */
  get passable(): boolean {
    return this.#link.inRing;
  }

  /** As {@link release}, but the room is given back by {@link free}. */
  pass(): void {
    this.#link.pass();
  }

  /** As {@link receive}, for a record that is of this very kind and may be {@link pass}ed. */
  receiveKind(kind: number): boolean {
    return this.#link.receiveKind(kind);
  }

  /** Gives back the room of the records that were passed. */
  free(): void {
    this.#link.free();
  }

  /** Asks to be rung for the next record; `false` when one is there already. */
  sleep(): boolean {
    return this.#link.sleep();
  }

  /** The end of what the worker wrote to stderr; `null` when it died before it noted that. */
  get stderr(): string | null {
    return readStderr(this.#link.control);
  }

  /** How many items the worker ever started, modulo 2^32. */
  get started(): number {
    return Atomics.load(this.#link.control, STARTED_ITEMS);
  }

  /** What it does, or did when it died, before an item runs. */
  get preparing(): Preparing {
    return Atomics.load(this.#link.control, PREPARING);
  }

  /** Whether the worker has not looked at a batch that it was sent. */
  queued(batch: Batch): boolean {
    return batch.position >= 0 && this.#link.amend(batch.position, batch.state, batch.state);
  }

  /** Bytes of memory that the worker takes, as of when it looked last; 0 before. */
  get memory(): number {
    return (Atomics.load(this.#link.control, MEMORY) >>> 0) * MEMORY_UNIT;
  }

  /** Bytes of the batch's message that were sent in parts; 0 when it is not under way so. */
  arriving(batch: Batch): number {
    return batch === this.#transferring ? this.#link.underWay : 0;
  }

  /** How far the worker has read: it differs from before when it has read on. */
  get read(): number {
    return this.#link.read;
  }

  /** How far a worker is that was told to stop. */
  get ending(): Ending {
    return Atomics.load(this.#link.control, ENDING);
  }

  // ---- life

  /** Whether the event loop must stay alive for it. */
  keepAlive(alive: boolean): void {
    this.#link.ref(alive);
  }

  /** Gives memory and descriptors back. */
  close(): void {
    this.#closed = true;
    this.#link.close();
    this.#region.close();
    Link.closeBells(this.#bells);
    this.#transferring = null;
    this.#waiting = [];
  }
}

function copyOf(payload: Payload): Payload & { readonly bytes: Uint8Array } {
  const bytes = new Uint8Array(payload.total);
  payload.layout(bytes, 0);
  return { bytes, total: bytes.length, layout: (target, offset) => target.set(bytes, offset) };
}

/** The arguments of an initializer as they are now, for all workers. @throws SerializationError. */
export function keepInitArgs(args: readonly unknown[]): EncodedMessage {
  try {
    return encodeListNow(args);
  } catch (error) {
    throw inCall(error, 'Pool', (path) => path.replace(/\[(\d+)\]$/, 'initArgs[$1]'));
  }
}
