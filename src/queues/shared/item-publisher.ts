/**
 * Encoding an item and laying it into the ring, or beside it: each under the lock of those who put,
 * so that it is all there or not at all.
 */
import type { Freight } from '../../memory/index.js';
import { borrowEncoder, type Encoder, type Message, returnEncoder } from '../../reduction/index.js';
import { uninitializedBytes } from '../../util/uninitialized.js';
import { type ItemMemory, type Layout, RecordKind } from './item-memory.js';
import type { ItemsUnderWay } from './items-under-way.js';

const NOTHING = new Uint8Array(0);

/** An encoded item that waits for room. */
export class PendingItem implements Layout {
  kind = RecordKind.Item;
  id = 0;
  /** The payload; that of a large item which found no slot yet is longer than the ring takes. */
  bytes: Uint8Array = NOTHING;
  /** What the item refers to: held while it waits. */
  freight: Freight | null = null;
  /** Told what became of it. */
  settle: (error?: unknown) => void = settle;

  layout(target: Uint8Array, offset: number): void {
    target.set(this.bytes, offset);
  }
}

/** Memory of that many bytes and more is used again. */
const MIN_REUSED_BYTES = 65_536;

export class ItemPublisher {
  readonly #memory: ItemMemory;
  readonly #under: ItemsUnderWay;
  /** Memory of an item that waited. */
  #kept: WeakRef<ArrayBuffer> | undefined;

  constructor(memory: ItemMemory, under: ItemsUnderWay) {
    this.#memory = memory;
    this.#under = under;
  }

  /**
   * Publishes an item, or encodes it to wait: `null` when it is published.
   * @param inOrder Whether nothing that was put before it waits still.
   * @param wait Makes attempts to publish it as it is, without a copy, while there is no room:
   * whether one succeeded.
   * @throws SerializationError, ClosedError.
   */
  publishOrEncode(
    actor: string,
    item: unknown,
    inOrder: () => boolean,
    wait?: (attempt: () => boolean) => boolean,
  ): PendingItem | null {
    const memory = this.#memory;
    memory.block.check(actor);
    memory.members.becomeWriter(actor);
    const encoder = borrowEncoder();
    try {
      const message = encoder.encode(item);
      const { total, freight } = message;
      if (total > memory.maximum) {
        const pending = this.#large(encoder, message);
        pending.freight = freight?.hold() ?? null;
        return inOrder() && this.publishPending(pending) ? null : pending;
      }
      if (inOrder() && this.#append(total, encoder, freight)) return null;
      if (wait?.(() => memory.mayFit(total) && inOrder() && this.#append(total, encoder, freight)) === true)
        return null;
      const pending = new PendingItem();
      pending.freight = freight?.hold() ?? null;
      pending.bytes = this.#memoryFor(total);
      encoder.layout(pending.bytes, 0);
      return pending;
    } finally {
      returnEncoder(encoder);
    }
  }

  /** Writes an item where it is to be read; if all slots are taken, where it waits for one. */
  #large(encoder: Encoder, { total }: Message): PendingItem {
    const pending = new PendingItem();
    if (!this.#place(pending, total, encoder)) {
      pending.bytes = new Uint8Array(total);
      encoder.layout(pending.bytes, 0);
    }
    return pending;
  }

  #place(pending: PendingItem, total: number, payload: Layout): boolean {
    const { large } = this.#memory;
    let slot = this.#memory.takeLarge(total);
    if (slot < 0 && this.#memory.sweep()) slot = this.#memory.takeLarge(total);
    if (slot < 0) return false;
    try {
      large.withMemory(slot, total, (memory) => payload.layout(memory, 0));
    } catch (error) {
      large.releaseSlot(slot);
      throw error;
    }
    pending.kind = RecordKind.Large;
    pending.id = slot;
    pending.bytes = new Uint8Array(new Float64Array([total]).buffer);
    return true;
  }

  /** Publishes what was encoded. Returns whether there was room. */
  publishPending(pending: PendingItem): boolean {
    const { bytes } = pending;
    if (bytes.length > this.#memory.maximum && !this.#place(pending, bytes.length, pending)) return false;
    if (!this.#memory.append(pending.kind, pending.id, pending.bytes.length, pending)) return false;
    this.#keep(pending.bytes);
    this.#sent(pending.freight);
    pending.freight?.release();
    return true;
  }

  #append(total: number, encoder: Encoder, freight: Freight | null): boolean {
    return this.#memory.append(RecordKind.Item, 0, total, encoder) && this.#sent(freight);
  }

  /** What the item in the ring refers to is kept until it was delivered. */
  #sent(freight: Freight | null): true {
    if (freight !== null) this.#under.add(this.#memory.appended, freight);
    return true;
  }

  /** What was encoded will not be published. */
  discardPending({ kind, id, bytes, freight }: PendingItem): void {
    freight?.release();
    if (kind === RecordKind.Large) this.#memory.large.releaseSlot(id);
    else this.#keep(bytes);
  }

  /**
   * Memory for an item that waits: that of the one before it, if it is still there and fits. Making
   * a megabyte costs more than filling it.
   */
  #memoryFor(length: number): Uint8Array {
    if (length < MIN_REUSED_BYTES) return new Uint8Array(length);
    const kept = this.#kept?.deref();
    this.#kept = undefined;
    if (kept !== undefined && kept.byteLength >= length && kept.byteLength <= 4 * length)
      return new Uint8Array(kept, 0, length);
    return uninitializedBytes(length);
  }

  #keep({ buffer }: Uint8Array): void {
    if (buffer.byteLength >= MIN_REUSED_BYTES) this.#kept = new WeakRef(buffer as ArrayBuffer);
  }
}

function settle(): void {}
