/**
 * A stream that a method returned, on its way to a client: read as far as the client has asked, in
 * batches.
 *
 * Each reading is an execution of its own, as far as the source allows that; it begins with the
 * first credits.
 */

import { observable } from 'rxjs';
import { isShareable } from '../../memory/index.js';
import {
  DONE,
  FAILED,
  isPullSource,
  openSource,
  type PullReader,
  type ReadState,
  type Source,
  WAIT,
} from '../../streams/index.js';
import { queueMicrotask } from '../../util/timers.js';
import { sendError } from '../wire/errors.js';
import { Flag, Kind, type Wire } from '../wire/frames.js';
import { isSharedReader } from './shared-batch.js';

/** Items that an Observable, which cannot be paused, may be ahead of the client's credits. */
const READ_AHEAD_ITEMS = 1_024;
/** Items of one frame. */
const BATCH_ITEMS = 256;

/**
 * Returns whether a result arrives as a stream: an Observable, an async iterable, a web stream, or
 * an iterator. Shareable ones, such as a Queue, arrive as themselves.
 */
export function isStream(value: object): boolean {
  return isReadable(value) && !isShareable(value);
}

function isReadable(value: object): boolean {
  const s = value as Record<PropertyKey, unknown>;
  if (isPullSource(value) || typeof s[Symbol.asyncIterator] === 'function') return true;
  if (typeof s['subscribe'] === 'function' || typeof s[observable as unknown as symbol] === 'function') return true;
  if (typeof s['getReader'] === 'function') return true;
  return typeof s[Symbol.iterator] === 'function' && typeof s['next'] === 'function';
}

export class OutgoingStream {
  readonly #source: unknown;
  readonly #number: number;
  readonly #wire: Wire;
  readonly #onOver: () => void;
  readonly #encode: (send: () => void) => void;
  #reader: PullReader<unknown> | undefined;
  #credits = 0;
  #started = false;
  #over = false;
  #reading = false;
  #scheduled = false;

  /** @param encode runs what encodes for the client. */
  constructor(source: unknown, number: number, wire: Wire, onOver: () => void, encode: (send: () => void) => void) {
    this.#source = source;
    this.#number = number;
    this.#wire = wire;
    this.#onOver = onOver;
    this.#encode = encode;
  }

  /** The client takes so many more items. */
  pull(credits: number): void {
    if (this.#over) return;
    this.#credits += credits;
    this.#read();
  }

  /** The client has left. */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#reader?.cancel().catch(() => {});
  }

  /**
   * A push source that emits many items in one stretch wakes for each: they go in one frame, right
   * after it.
   */
  #wake(): void {
    if (this.#scheduled || this.#reading || this.#over) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#read();
    });
  }

  #read(): void {
    if (this.#reading || this.#over) return;
    this.#reading = true;
    try {
      this.#reader ??= openSource(this.#source as Source<unknown>, {
        wake: () => this.#wake(),
        capacity: () => READ_AHEAD_ITEMS,
        overflow: undefined,
      });
      const reader = this.#reader;
      while (this.#credits > 0 && !this.#over) {
        const state = this.#send(reader, Math.min(this.#credits, BATCH_ITEMS));
        if (!this.#started) {
          this.#started = true;
          reader.start?.();
          if (state === WAIT) continue;
        }
        if (state === DONE) this.#end();
        else if (state === FAILED) this.#end(reader.error, true);
        else if (state === WAIT) break;
      }
    } catch (error) {
      this.#reader?.cancel(error).catch(() => {});
      this.#end(error, true);
    } finally {
      this.#reading = false;
    }
  }

  /**
   * Reads a batch and sends it; what several clients read is encoded once, where that is the same
   * for all.
   */
  #send(reader: PullReader<unknown>, max: number): ReadState {
    if (isSharedReader(reader)) {
      const { batch, state } = reader.readShared(max);
      if (batch === null) return state;
      this.#credits -= batch.items.length;
      const encoded = batch.encoded(this.#wire);
      if (encoded !== null) this.#wire.sendEncoded(encoded, Kind.items, this.#number);
      else this.#encode(() => this.#wire.send(batch.items, Kind.items, this.#number));
      return state;
    }
    const items: unknown[] = [];
    const state = reader.read(items, max);
    if (items.length > 0) {
      this.#credits -= items.length;
      this.#encode(() => this.#wire.send(items, Kind.items, this.#number));
    }
    return state;
  }

  #end(error?: unknown, failed = false): void {
    this.#over = true;
    this.#onOver();
    if (failed) sendError(this.#wire, error, Kind.end, this.#number, 0, Flag.error);
    else this.#wire.post(Kind.end, this.#number);
  }
}
