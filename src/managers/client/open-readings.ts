/**
 * The streams of a server that are being read over one connection, by number: what arrives is
 * handed to the reading that it is for.
 */
import { fromWorker } from '../../pool/index.js';
import { receivedError } from '../wire/errors.js';
import { Flag, type Frame, type Wire } from '../wire/frames.js';
import type { Reading } from './incoming-stream.js';

export class OpenReadings {
  readonly #readings = new Map<number, Reading>();
  readonly #onChange: () => void;
  #last = 0;

  /** @param onChange Called when a reading has ended by itself. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Readings that are open. */
  get size(): number {
    return this.#readings.size;
  }

  /** Returns a number that no reading had. */
  nextNumber(): number {
    this.#last = (this.#last + 1) >>> 0;
    return this.#last;
  }

  /** Enters a reading. */
  enter(number: number, reading: Reading): void {
    this.#readings.set(number, reading);
  }

  /** Takes a reading out that is left by its reader. Returns whether it was open. */
  leave(number: number): boolean {
    return this.#readings.delete(number);
  }

  /**
   * Hands items to their reading.
   * @param onBroken Called with the number of a reading whose items cannot be read: the server has
   * to be told that it is left.
   */
  receiveItems(wire: Wire, frame: Frame, onBroken: (number: number) => void): Promise<void> | undefined {
    const reading = this.#readings.get(frame.id);
    if (reading === undefined) return undefined;
    const broken = (error: unknown) => {
      // It may have been left while the items were being read.
      const isOpen = this.#readings.has(frame.id);
      onBroken(frame.id);
      if (isOpen) reading.fail(error);
    };
    try {
      const items = wire.payload(frame);
      if (items instanceof Promise) return items.then((all: unknown[]) => reading.items(all)).catch(broken);
      reading.items(items as unknown[]);
    } catch (error) {
      broken(error);
    }
    return undefined;
  }

  /** Ends a reading as the server says. */
  async receiveEnd(wire: Wire, frame: Frame): Promise<void> {
    const reading = this.#readings.get(frame.id);
    if (reading === undefined) return;
    this.#readings.delete(frame.id);
    this.#onChange();
    if ((frame.flags & Flag.error) === 0) reading.end();
    else reading.fail(fromWorker(receivedError(wire, await wire.payload(frame)), null));
  }

  /** Fails all: the connection has ended. */
  failAll(error: unknown): void {
    const readings = [...this.#readings.values()];
    this.#readings.clear();
    for (const reading of readings) reading.fail(error);
  }

  /** Forgets all, in a fork: they are the parent's. */
  clear(): void {
    this.#readings.clear();
  }
}
