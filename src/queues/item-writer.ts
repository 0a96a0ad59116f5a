/**
 * Putting: an item is encoded at once, outside of any lock, and then published, or waits for room in this thread's backlog.
 *
 *   item -> Encoder -> ring                       room: one section, no allocation
 *                   -> parcel -> backlog -> ring  no room: in order, one waiter for all of them
 *
 * Invariant: nothing is published while the backlog holds anything, so what one thread puts arrives in its order.
 *
 * Wake-ups: consumers that sleep are woken once for a burst of puts; a blocking put wakes at once, since nobody knows when this thread's
 * event loop turns again.
 */
import { BEAT, type Bounds, recordBytes } from '../memory/index.js';
import { Encoder, type Message } from '../reduction/index.js';
import { onAbort } from '../util/abort.js';
import { Deque } from '../util/deque.js';
import { dropped, full } from './messages.js';
import { Kind, type QueueMemory } from './queue-memory.js';
import type { Waiters } from './waiters.js';

/** Puts after which the event loop gets a turn. */
const BREATH = 512;
const NOW = Promise.resolve();
const NOTHING = new Uint8Array(0);

/** An encoded item that waits for room. */
interface Parcel {
  kind: Kind;
  id: number;
  /** The payload; that of a large item which found no slot yet is longer than the ring takes. */
  bytes: Uint8Array;
  settle(error?: unknown): void;
}

let idle: Encoder | undefined;

export class ItemWriter {
  readonly #memory: QueueMemory;
  readonly #consumers: Waiters;
  readonly #room: Waiters;
  readonly #backlog = new Deque<Parcel>();
  #streak = 0;
  /** Ends the wait of the backlog; `null`: it does not wait. */
  #pump: AbortController | null = null;
  #detachedPump: NodeJS.Timeout | null = null;
  /** The backlog does not keep the process any more. */
  #detached = false;
  readonly #flushed: (() => void)[] = [];

  constructor(memory: QueueMemory, consumers: Waiters) {
    this.#memory = memory;
    this.#consumers = consumers;
    this.#room = memory.roomWaiters({ ready: () => this.#someRoom(), tend: () => this.#makeRoom() });
  }

  /** Those who wait for room. */
  get room(): Waiters {
    return this.#room;
  }

  /** Items that wait for room in this thread. */
  get waiting(): number {
    return this.#backlog.length;
  }

  /** Puts, waiting for room without blocking. @throws (rejects) QueueFullError, `signal.reason`, SerializationError. */
  put(actor: string, item: unknown, bounds?: Bounds): Promise<void> {
    const parcel = this.#offer(actor, item);
    if (parcel === null) {
      this.#consumers.wakeSoon();
      if (++this.#streak < BREATH) return NOW;
      this.#streak = 0;
      return new Promise((done) => setImmediate(done));
    }
    if (bounds?.timeout !== undefined && bounds.timeout <= 0) {
      this.#discard(parcel);
      return Promise.reject(full(actor, bounds.timeout));
    }
    return this.#wait(actor, parcel, bounds);
  }

  /** Puts if there is room now: whether there was. */
  tryPut(actor: string, item: unknown): boolean {
    const parcel = this.#offer(actor, item);
    if (parcel === null) this.#consumers.wakeSoon();
    else this.#discard(parcel);
    return parcel === null;
  }

  /** Puts, blocking while there is no room: `false` when the time ran out. */
  putSync(actor: string, item: unknown, timeout?: number): boolean {
    const parcel = this.#offer(actor, item);
    const had = parcel === null || this.#room.waitSync(() => this.#flush() && this.#publish(parcel), timeout);
    if (!had) this.#discard(parcel);
    this.#consumers.wake(1);
    return had;
  }

  /** Room was made: wakes who waits for it, when there is enough to be worth it. */
  roomMade(): void {
    if (!this.#room.someSleep) return;
    this.#memory.sweep();
    if (this.#someRoom()) this.#room.wake(1);
  }

  // ---- the backlog

  /** Resolves when nothing waits any more. */
  flushed(): Promise<void> {
    return this.#backlog.length === 0 ? NOW : new Promise((done) => this.#flushed.push(done));
  }

  /** What waits for room, now or later, does not keep the process. */
  detach(): void {
    if (this.#detached) return;
    this.#detached = true;
    this.#stopPump();
    this.#startPump();
  }

  /** Waits for room, blocking, until the backlog is empty, unless it was detached. For the end of the process. */
  flushSync(): void {
    if (this.#backlog.length === 0 || this.#detached) return;
    this.#room.waitSync(() => this.#flush());
  }

  /** Drops the backlog. */
  drop(actor: string): void {
    for (let parcel = this.#backlog.shift(); parcel !== undefined; parcel = this.#backlog.shift()) {
      this.#discard(parcel);
      parcel.settle(dropped(actor));
    }
    this.#emptied();
  }

  #wait(actor: string, parcel: Parcel, bounds: Bounds | undefined): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const { timeout = Number.POSITIVE_INFINITY, signal } = bounds ?? {};
      let timer: NodeJS.Timeout | undefined;
      let unlisten: (() => void) | undefined;
      const leave = (reason: () => unknown) => {
        if (!this.#backlog.remove(entry)) return;
        this.#discard(entry);
        entry.settle(reason());
        if (this.#backlog.length === 0) this.#emptied();
      };
      const entry: Parcel = {
        ...parcel,
        settle: (error) => {
          clearTimeout(timer);
          unlisten?.();
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      if (timeout !== Number.POSITIVE_INFINITY) {
        timer = setTimeout(() => leave(() => full(actor, timeout)), Math.min(Math.ceil(timeout), 0x7fffffff));
      }
      if (signal !== undefined) unlisten = onAbort(signal, () => leave(() => signal.reason));
      this.#backlog.push(entry);
      this.#startPump();
    });
  }

  #startPump(): void {
    if (this.#backlog.length === 0 || this.#pump !== null || this.#detachedPump !== null) return;
    if (this.#detached) {
      // A wait on the word would keep the event loop alive.
      this.#detachedPump = setInterval(() => this.#flush(), BEAT).unref();
      return;
    }
    const pump = new AbortController();
    this.#pump = pump;
    this.#room
      .wait(() => this.#flush(), { signal: pump.signal })
      .then(
        () => this.#pumped(pump),
        (error) => {
          if (pump.signal.aborted) return;
          for (let parcel = this.#backlog.shift(); parcel !== undefined; parcel = this.#backlog.shift()) parcel.settle(error);
          this.#emptied();
        },
      );
  }

  #pumped(pump: AbortController): void {
    if (this.#pump === pump) this.#pump = null;
    this.#startPump();
  }

  #stopPump(): void {
    const pump = this.#pump;
    this.#pump = null;
    pump?.abort();
    if (this.#detachedPump !== null) clearInterval(this.#detachedPump);
    this.#detachedPump = null;
  }

  /** Publishes what waits, in order: whether nothing is left. */
  #flush(): boolean {
    let count = 0;
    for (let parcel = this.#backlog.first(); parcel !== undefined; parcel = this.#backlog.first()) {
      if (!this.#publish(parcel)) break;
      this.#backlog.shift();
      parcel.settle();
      count++;
    }
    if (count > 0) {
      this.#consumers.wake(count);
      if (this.#backlog.length === 0) this.#emptied();
    }
    return this.#backlog.length === 0;
  }

  #emptied(): void {
    this.#stopPump();
    for (const done of this.#flushed.splice(0)) done();
  }

  // ---- publishing

  /** Publishes an item, or encodes it to wait: `null` when it is published. @throws SerializationError, ClosedError. */
  #offer(actor: string, item: unknown): Parcel | null {
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
        return (this.#backlog.length === 0 || this.#flush()) && this.#publish(parcel) ? null : parcel;
      }
      if (this.#backlog.length === 0 || this.#flush()) {
        const sent = memory.producing(() => {
          const at = this.#reserve(total);
          if (at < 0) return false;
          encoder.layout(memory.ring.bytes, at);
          memory.ring.publish(Kind.Item, 0);
          return true;
        });
        if (sent) return null;
      }
      const bytes = new Uint8Array(total);
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
    if (!this.#place(parcel, total, layout)) layout((parcel.bytes = new Uint8Array(total)));
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

  #publish(parcel: Parcel): boolean {
    const { ring, large } = this.#memory;
    const { bytes } = parcel;
    if (bytes.length > ring.maximum && !this.#place(parcel, bytes.length, (memory) => memory.set(bytes))) return false;
    return this.#memory.producing(() => {
      const at = this.#reserve(parcel.bytes.length);
      if (at < 0) return false;
      ring.bytes.set(parcel.bytes, at);
      if (parcel.kind === Kind.Large) large.send(parcel.id, ring.reservedPosition);
      ring.publish(parcel.kind, parcel.id);
      return true;
    });
  }

  #discard({ kind, id }: Parcel): void {
    if (kind === Kind.Large) this.#memory.large.release(id);
  }

  #reserve(length: number): number {
    const { ring, settings } = this.#memory;
    if (settings.maxSize > 0 && ring.size >= settings.maxSize) return -1;
    const at = ring.reserve(length);
    return at >= 0 || !ring.occupied || !this.#memory.sweep() ? at : ring.reserve(length);
  }

  /** Whether so much room is there that it is worth waking somebody for. */
  #someRoom(): boolean {
    const { ring, settings } = this.#memory;
    const { size } = ring;
    if (settings.maxSize > 0) return size < settings.maxSize && ring.free > 0;
    return size === 0 || ring.free >= ring.capacity / 8 || this.#fitsFirst();
  }

  #fitsFirst(): boolean {
    const first = this.#backlog.first();
    return first !== undefined && this.#memory.ring.free >= 2 * recordBytes(first.bytes.length);
  }

  /** Of what the dead had claimed nothing is room, but it can be claimed again. */
  #makeRoom(): void {
    if (this.#memory.reclaim()) this.#consumers.wake(Number.POSITIVE_INFINITY);
    this.#memory.sweep();
  }
}

function settle(): void {}
