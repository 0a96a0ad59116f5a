import { performance } from '../../util/timers.js';
import { Blame } from './blame.js';

/**
 * Which items of a batch have begun and which have ended, at a worker that runs several at once.
 * Items begin in order and end in any.
 */
export class ItemAccount {
  /** Items that have begun, as far as is known. */
  begun = 0;
  /** Items that will ever begin: fewer than there are once the worker lets the rest be. */
  limit: number;
  /** What its worker died of. */
  blame = Blame.None;
  /** Items that were settled before their result came: it is dropped. */
  readonly overdue = new Set<number>();
  readonly #ended = new Set<number>();
  /** When it was sent. */
  readonly since = performance.now();

  /**
   * @param sequence The number of the batch's record, counted by both sides.
   * @param resultsBefore Results that its worker had given when it was sent, modulo 2^32.
   */
  constructor(
    readonly sequence: number,
    count: number,
    readonly resultsBefore: number,
  ) {
    this.limit = count;
  }

  /** Item `index` has ended. */
  end(index: number): void {
    this.begun = Math.max(this.begun, index + 1);
    this.#ended.add(index);
  }

  /** Whether item `index` has ended. */
  ended(index: number): boolean {
    return this.#ended.has(index);
  }

  /** Items that have ended. */
  get ends(): number {
    return this.#ended.size;
  }

  /** Whether all that will begin has ended. */
  get complete(): boolean {
    return this.#ended.size === this.limit;
  }

  /** The first item that has begun and not ended; -1 for none. */
  get running(): number {
    for (let index = 0; index < this.begun; index++) if (!this.#ended.has(index)) return index;
    return -1;
  }
}
