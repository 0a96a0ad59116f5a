/**
 * Who sleeps on a condition: for each agent how many, and how many of those have been notified but
 * have not woken yet.
 *
 *   slot        | meaning
 *   waiting  w  | waiters of the agent, those included that are notified
 *   granted  g  | notifications that its waiters have not taken; the word they sleep on. 0 <= g <=
 *               | w
 *
 * A notification goes to an agent, in turn, and there to the waiter that came first. What an agent
 * has not taken when it dies, or is aborted, goes to others.
 *
 * Crash: inside the mutex the words are changed in an order in which every state between is sound
 * (granted goes down before waiting, and up after it), so there is nothing to repair but the bounds
 * of a slot. One that dies while it removes another dead agent may have passed notifications on
 * that will be passed on again: a waiter too many may wake then, never one too few.
 */
import { type Block, LIVENESS_CHECK_MS, type WaitProtocol, WaitQueue } from '../../memory/index.js';
import { ROBUST_MUTEX_WORDS, RobustMutex } from '../words/robust-mutex.js';
import { AgentTable, tableWords } from './agent-table.js';

const LAST_GRANTED = ROBUST_MUTEX_WORDS;
const TABLE = LAST_GRANTED + 1;
const WAITING = 0;
const GRANTED = 1;

/** Words the sleepers take. */
export const CONDITION_WORDS = TABLE + tableWords(2);

export class ConditionState implements WaitProtocol {
  readonly #block: Block;
  readonly #words: Int32Array;
  readonly #mutex: RobustMutex;
  readonly #table: AgentTable;
  #queue: WaitQueue | null = null;
  #slot = -1;

  /** It takes the block from its beginning. */
  constructor(block: Block) {
    this.#block = block;
    this.#words = block.int32;
    this.#mutex = new RobustMutex(block, 0, 'Condition', () => this.#repair());
    this.#table = new AgentTable(block.int32, TABLE, 2);
  }

  /** One more waits: from here on it can be notified. Returns the queue to wait in. */
  join(): WaitQueue {
    this.#mutex.runLocked(() => {
      const slot = this.#table.enter('Condition.wait', () => this.#reapDead());
      if (slot !== this.#slot || this.#queue === null) {
        this.#slot = slot;
        this.#queue = new WaitQueue(this.#block.cell(slot + GRANTED), this);
      }
      Atomics.add(this.#words, slot + WAITING, 1);
    });
    return this.#queue as WaitQueue;
  }

  /** Takes a notification if there is one: the attempt of a waiter. */
  readonly take = (): boolean => {
    if (Atomics.load(this.#words, this.#slot + GRANTED) === 0) return false;
    return this.#mutex.runLocked(() => {
      if (Atomics.load(this.#words, this.#slot + GRANTED) === 0) return false;
      Atomics.sub(this.#words, this.#slot + GRANTED, 1);
      Atomics.sub(this.#words, this.#slot + WAITING, 1);
      return true;
    });
  };

  /**
   * A waiter gives up. Returns whether it was notified at the last moment; with `pass` that goes to
   * another one.
   */
  leave(pass: boolean): boolean {
    return this.#mutex.runLocked(() => {
      const [waiting, granted] = [
        Atomics.load(this.#words, this.#slot + WAITING),
        Atomics.load(this.#words, this.#slot + GRANTED),
      ];
      const notified = granted >= waiting;
      if (notified) Atomics.sub(this.#words, this.#slot + GRANTED, 1);
      Atomics.sub(this.#words, this.#slot + WAITING, 1);
      if (notified && pass) this.#grant(1);
      return notified;
    });
  }

  /** Notifies up to `count` waiters. */
  notify(count: number): void {
    if (this.count === 0) return;
    this.#mutex.runLocked(() => this.#grant(count));
  }

  /** How many wait and are not notified. */
  get count(): number {
    let count = 0;
    for (const slot of this.#table.inUse()) count += this.#open(slot);
    return count;
  }

  #open(slot: number): number {
    return Math.max(0, Atomics.load(this.#words, slot + WAITING) - Atomics.load(this.#words, slot + GRANTED));
  }

  /**
   * Notifies, one agent after another, beginning behind the one that was last.
   * @param but Not this slot.
   */
  #grant(count: number, but = -1): void {
    let left = count;
    const slots = this.#table.inUse();
    const turn = Atomics.load(this.#words, LAST_GRANTED);
    const first = slots.findIndex((slot) => slot > turn);
    if (first > 0) slots.push(...slots.splice(0, first));
    const woken = new Set<number>();
    for (let progress = true; left > 0 && progress; ) {
      progress = false;
      for (const slot of slots) {
        if (left === 0) break;
        if (slot === but || this.#open(slot) === 0) continue;
        // To wake all, nobody need know who is dead.
        if (left !== Number.POSITIVE_INFINITY && this.#table.hasEnded(slot, LIVENESS_CHECK_MS / 2)) continue;
        const share = left === Number.POSITIVE_INFINITY ? this.#open(slot) : 1;
        Atomics.add(this.#words, slot + GRANTED, share);
        Atomics.store(this.#words, LAST_GRANTED, slot);
        woken.add(slot);
        left -= share;
        progress = true;
      }
    }
    for (const slot of woken) {
      this.#block.cell(slot + GRANTED).notify();
      if (this.#table.isMine(slot)) this.#queue?.kick();
    }
  }

  /**
   * Removes dead agents. What they had been notified of and had not taken goes to others, before it
   * is forgotten here.
   */
  #reapDead(): void {
    for (const slot of this.#table.ended()) {
      const granted = Atomics.load(this.#words, slot + GRANTED);
      if (granted > 0) this.#grant(granted, slot);
      this.#table.free(slot);
    }
  }

  #repair(): void {
    for (const slot of this.#table.inUse()) {
      const waiting = Atomics.load(this.#words, slot + WAITING);
      if (Atomics.load(this.#words, slot + GRANTED) > waiting) Atomics.store(this.#words, slot + GRANTED, waiting);
    }
  }

  // ---- as its waiters see it

  announce(): number {
    return Atomics.load(this.#words, this.#slot + GRANTED);
  }

  /** Those that wait leave; what they were notified of goes to others. */
  abandon(waiters: number): void {
    for (let i = 0; i < waiters; i++) this.leave(true);
  }

  checkPeers(): boolean {
    if (this.#table.someEnded()) this.#mutex.runLocked(() => this.#reapDead());
    return false;
  }
}
