/** Encoding an item and laying it into the ring, or beside it: each under the producers' lock, so that it is all there or not at all. */
import { recordBytes } from '../memory/index.js';
import { Encoder, type Message } from '../reduction/index.js';
import { Kind, type QueueMemory } from './queue-memory.js';

const NOTHING = new Uint8Array(0);

/** An encoded item that waits for room. */
export interface Parcel {
  kind: Kind;
  id: number;
  /** The payload; that of a large item which found no slot yet is longer than the ring takes. */
  bytes: Uint8Array;
  settle(error?: unknown): void;
}

/** Memory of that many bytes and more is used again. */
const KEPT = 65_536;

let idle: Encoder | undefined;

export class ItemPublisher {
  readonly #memory: QueueMemory;
  /** Memory of an item that waited. */
  #kept: WeakRef<ArrayBuffer> | undefined;

  constructor(memory: QueueMemory) {
    this.#memory = memory;
  }

  /**
   * Publishes an item, or encodes it to wait: `null` when it is published.
   * @param inOrder Whether nothing that was put before it waits still.
   * @param wait Makes attempts to publish it as it is, without a copy, while there is no room: whether one succeeded.
   * @throws SerializationError, ClosedError.
   */
  offer(actor: string, item: unknown, inOrder: () => boolean, wait?: (attempt: () => boolean) => boolean): Parcel | null {
    const memory = this.#memory;
    memory.block.check();
    memory.members.write(actor);
    const encoder = idle ?? new Encoder();
    idle = undefined;
    try {
      const message = encoder.encode(item);
      const { total } = message;
      if (total > memory.ring.maximum) {
        const parcel = this.#large(encoder, message);
        return inOrder() && this.publish(parcel) ? null : parcel;
      }
      const section = () => {
        const at = this.#reserve(total);
        if (at < 0) return false;
        encoder.layout(memory.ring.bytes, at);
        memory.ring.publish(Kind.Item, 0);
        return true;
      };
      if (inOrder() && memory.producing(section)) return null;
      if (wait?.(() => this.#mayFit(total) && inOrder() && memory.producing(section)) === true) return null;
      const bytes = this.#memoryFor(total);
      encoder.layout(bytes, 0);
      return { kind: Kind.Item, id: 0, bytes, settle };
    } finally {
      idle = encoder;
    }
  }

  /** Writes an item where it is to be read; if all slots are taken, where it waits for one. */
  #large(encoder: Encoder, { total }: Message): Parcel {
    const parcel: Parcel = { kind: Kind.Item, id: 0, bytes: NOTHING, settle };
    const layout = (memory: Uint8Array) => encoder.layout(memory, 0);
    if (!this.#place(parcel, total, layout)) {
      parcel.bytes = new Uint8Array(total);
      layout(parcel.bytes);
    }
    return parcel;
  }

  #place(parcel: Parcel, total: number, layout: (memory: Uint8Array) => unknown): boolean {
    const { large } = this.#memory;
    const take = () => this.#memory.producing(() => large.take(total));
    let slot = take();
    if (slot < 0 && this.#memory.sweep()) slot = take();
    if (slot < 0) return false;
    try {
      large.with(slot, total, layout);
    } catch (error) {
      large.release(slot);
      throw error;
    }
    parcel.kind = Kind.Large;
    parcel.id = slot;
    parcel.bytes = new Uint8Array(new Float64Array([total]).buffer);
    return true;
  }

  /** Publishes what was encoded: whether there was room. */
  publish(parcel: Parcel): boolean {
    const { ring, large } = this.#memory;
    const { bytes } = parcel;
    if (bytes.length > ring.maximum && !this.#place(parcel, bytes.length, (memory) => memory.set(bytes))) return false;
    return this.#memory.producing(() => {
      const at = this.#reserve(parcel.bytes.length);
      if (at < 0) return false;
      ring.bytes.set(parcel.bytes, at);
      if (parcel.kind === Kind.Large) large.send(parcel.id, ring.reservedPosition);
      ring.publish(parcel.kind, parcel.id);
      this.#keep(parcel.bytes);
      return true;
    });
  }

  /** What was encoded will not be published. */
  discard({ kind, id, bytes }: Parcel): void {
    if (kind === Kind.Large) this.#memory.large.release(id);
    else this.#keep(bytes);
  }

  /** Memory for an item that waits: that of the one before it, if it is still there and fits. Making a megabyte costs more than filling it. */
  #memoryFor(length: number): Uint8Array {
    if (length < KEPT) return new Uint8Array(length);
    const kept = this.#kept?.deref();
    this.#kept = undefined;
    if (kept !== undefined && kept.byteLength >= length && kept.byteLength <= 4 * length) return new Uint8Array(kept, 0, length);
    const { buffer, byteOffset } = Buffer.allocUnsafeSlow(length);
    return new Uint8Array(buffer, byteOffset, length);
  }

  #keep({ buffer }: Uint8Array): void {
    if (buffer.byteLength >= KEPT) this.#kept = new WeakRef(buffer as ArrayBuffer);
  }

  /** Whether trying to reserve so much may succeed. Cheap. */
  #mayFit(length: number): boolean {
    const { ring, settings } = this.#memory;
    if (settings.maxSize > 0 && ring.size >= settings.maxSize) return false;
    return ring.free >= recordBytes(length) || ring.sweepable;
  }

  #reserve(length: number): number {
    const { ring, settings } = this.#memory;
    if (settings.maxSize > 0 && ring.size >= settings.maxSize) return -1;
    const at = ring.reserve(length);
    return at >= 0 || !ring.occupied || !this.#memory.sweep() ? at : ring.reserve(length);
  }

  /** Whether there is so much room that it is worth waking somebody for. @param first Bytes of what waits here, if that is known. */
  someRoom(first: number | undefined): boolean {
    const { ring, settings } = this.#memory;
    const { size } = ring;
    if (settings.maxSize > 0) return size < settings.maxSize && ring.free > 0;
    return size === 0 || ring.free >= ring.capacity / 8 || (first !== undefined && ring.free >= 2 * recordBytes(first));
  }
}

function settle(): void {}
