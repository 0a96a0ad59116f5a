/**
 * Circular buffer of results by position: the index of the item in ordered streams, the order of
 * arrival in others.
 *
 *   head                    head + capacity
 *   | ready | ready | NOTHING | ready | NOTHING … |     the head moves over ready positions only
 *
 * Invariants: every stored position lies in [head, head + capacity); capacity is a power of two and
 * grows when a position lies beyond (the window bounds it). A slot that was taken holds NOTHING, so
 * nothing delivered is retained.
 */
import { NOTHING } from '../sources/pull.js';

/** The item failed and its error ends the stream when its turn comes. */
export class Failure {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** The item failed and nothing is delivered for it. */
export const SKIPPED: unique symbol = Symbol('skipped');

/** The buffer. Its fields are public because taking from it is the hottest line of the package. */
export class ResultRing {
  slots: unknown[] = new Array<unknown>(16).fill(NOTHING);
  mask = 15;
  head = 0;

  putResult(position: number, value: unknown): void {
    if (position - this.head > this.mask) this.#grow(position - this.head + 1);
    this.slots[position & this.mask] = value;
  }

  /** What is stored at `position`, which is not below the head. */
  at(position: number): unknown {
    return position - this.head > this.mask ? NOTHING : this.slots[position & this.mask];
  }

  /** Drops the head's value and moves on. */
  advance(): void {
    this.slots[this.head & this.mask] = NOTHING;
    this.head++;
  }

  clear(): void {
    this.slots = [NOTHING];
    this.mask = 0;
  }

  #grow(needed: number): void {
    const old = this.slots;
    const oldMask = this.mask;
    let capacity = old.length;
    while (capacity < needed) capacity *= 2;
    const slots = new Array<unknown>(capacity).fill(NOTHING);
    const mask = capacity - 1;
    for (let i = 0; i < old.length; i++) {
      const position = this.head + i;
      slots[position & mask] = old[position & oldMask];
    }
    this.slots = slots;
    this.mask = mask;
  }
}
