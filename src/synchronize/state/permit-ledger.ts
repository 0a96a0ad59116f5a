/**
 * Who holds how many permits of a semaphore through `hold`, so that they come back when a holder
 * dies.
 *
 * Taking a permit changes the semaphore's word and the holder's count, and may be cut short between
 * the two. So both are changed inside the mutex, and a journal says what is being done:
 *
 *   1  count := what the holder's slot will hold;  slot := which slot (the journal is in force)
 *   2  the semaphore's word changes and gets MARK, in one compare-and-set
 *   3  the slot's count := journal;  MARK off;  the journal ends
 *
 *   died      | found        | repaired by
 *   before 2  | no MARK      | forgetting the journal: nothing was taken or given
 *   after 2   | MARK         | doing 3, again if need be
 *
 * Permits that were taken by `acquire` are nobody's and do not come back.
 */
import type { Block } from '../../memory/index.js';
import { ROBUST_MUTEX_WORDS, RobustMutex } from '../words/robust-mutex.js';
import { give, MARK, MAX_PERMITS, take } from '../words/semaphore-word.js';
import { AgentTable, tableWords } from './agent-table.js';

const SLOT = ROBUST_MUTEX_WORDS;
const COUNT = SLOT + 1;
const TABLE = COUNT + 1;

/** Words the holders take. */
export const PERMIT_LEDGER_WORDS = TABLE + tableWords(1);

export class PermitLedger {
  /** The semaphore's word is the first. */
  readonly #word: Int32Array;
  readonly #words: Int32Array;
  readonly #mutex: RobustMutex;
  readonly #table: AgentTable;
  readonly #base: number;
  readonly #wake: (count: number) => void;

  /**
   * @param at Index in the block of the first of its words.
   * @param wake Wakes so many waiters: permits came back.
   */
  constructor(block: Block, at: number, wake: (count: number) => void) {
    this.#wake = wake;
    this.#word = block.int32;
    this.#words = block.int32;
    this.#base = at;
    this.#mutex = new RobustMutex(block, at, 'Semaphore', () => this.#repair());
    this.#table = new AgentTable(block.int32, at + TABLE, 1);
  }

  /** Takes a permit for the calling agent: how many are left, or -1. */
  take(patient: boolean, keep: number): number {
    return this.#mutex.runLocked(() => {
      const slot = this.#enter();
      return this.#change(slot, Atomics.load(this.#words, slot) + 1, () => take(this.#word, patient, keep, MARK));
    });
  }

  /** Gives back what {@link take} took: the word as it was. */
  give(): number {
    return this.#mutex.runLocked(() => {
      const slot = this.#enter();
      return this.#change(slot, Math.max(0, Atomics.load(this.#words, slot) - 1), () =>
        give(this.#word, 1, MAX_PERMITS, MARK),
      );
    });
  }

  /** Gives back what dead agents held, and wakes as many waiters: how many permits that were. */
  reclaim(): number {
    return this.#table.someEnded() ? this.#mutex.runLocked(() => this.#settle()) : 0;
  }

  #enter(): number {
    return this.#table.enter('Semaphore.hold', () => this.#settle());
  }

  #settle(): number {
    let all = 0;
    for (const slot of this.#table.ended()) {
      const count = Atomics.load(this.#words, slot);
      if (count > 0) this.#change(slot, 0, () => give(this.#word, count, MAX_PERMITS, MARK));
      this.#table.free(slot);
      all += count;
    }
    if (all > 0) this.#wake(all);
    return all;
  }

  #change(slot: number, count: number, change: () => number): number {
    Atomics.store(this.#words, this.#base + COUNT, count);
    Atomics.store(this.#words, this.#base + SLOT, slot);
    const result = change();
    if (result >= 0) this.#finish();
    Atomics.store(this.#words, this.#base + SLOT, 0);
    return result;
  }

  #finish(): void {
    Atomics.store(
      this.#words,
      Atomics.load(this.#words, this.#base + SLOT),
      Atomics.load(this.#words, this.#base + COUNT),
    );
    Atomics.and(this.#word, 0, ~MARK);
  }

  #repair(): void {
    const slot = Atomics.load(this.#words, this.#base + SLOT);
    if (slot !== 0 && (Atomics.load(this.#word, 0) & MARK) !== 0) this.#finish();
    Atomics.store(this.#words, this.#base + SLOT, 0);
  }
}
