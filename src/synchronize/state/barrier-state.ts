/**
 * The state of a barrier, in shared memory.
 *
 *   phase = generation * 2 + BROKEN | meaning; the word that waiters sleep on
 *        g * 2                      | round g is filling, or its action is running; `arrived`
 *                                   | parties are there
 *        g * 2 + 1                  | round g is broken, and so is every wait until the barrier is
 *                                   | reset
 *
 *   history   bit i: how round g - 1 - i ended; 1: passed, 0: broken. A waiter that looks late
 *             finds its round's end here
 *   slots     for each agent, how many of its waits are in the round under way
 *
 * All changes are made inside the mutex. The phase is changed last, so an agent that dies inside
 * leaves a round that is complete but not ended; the repair breaks that round, and all learn of it.
 */
import { type Block, type WaitProtocol, WaitQueue } from '../../memory/index.js';
import { ROBUST_MUTEX_WORDS, RobustMutex } from '../words/robust-mutex.js';
import { AgentTable, SLOTS, tableWords } from './agent-table.js';

const PHASE = ROBUST_MUTEX_WORDS;
const ARRIVED = PHASE + 1;
const HISTORY = ARRIVED + 1;
const TABLE = HISTORY + 1;
const BROKEN = 1;
/** Parties beyond half of that are tasks of fewer agents: so many processes do not run. */
const MAX_BARRIER_SLOTS = 1 << 16;
/** BarrierState that the history tells. */
const HISTORY_ROUNDS = 32;

/** Words the rounds take. */
export function barrierWords(parties: number): number {
  return TABLE + tableWords(1, slotsFor(parties));
}

/**
 * Each party may be another process, and be replaced before those who were there before are known
 * to be gone.
 */
function slotsFor(parties: number): number {
  return Math.max(SLOTS, Math.min(2 * parties, MAX_BARRIER_SLOTS));
}

/** What came of an arrival. */
export interface Arrival {
  /** `full`: a round is complete and its action runs; come again when it has ended. */
  readonly kind: 'waits' | 'last' | 'full' | 'broken';
  readonly index: number;
  readonly phase: number;
}

export class BarrierState implements WaitProtocol {
  readonly #words: Int32Array;
  readonly #mutex: RobustMutex;
  readonly #table: AgentTable;
  /** Where waiters wait. */
  readonly queue: WaitQueue;
  readonly #notify: () => void;

  readonly #block: Block;

  /** It takes the block from its beginning. */
  constructor(block: Block, parties: number) {
    this.#block = block;
    this.#words = block.int32;
    this.#mutex = new RobustMutex(block, 0, 'Barrier', () => this.#break());
    this.#table = new AgentTable(block.int32, TABLE, 1, slotsFor(parties));
    const cell = block.cell(PHASE);
    this.queue = new WaitQueue(cell, this, true);
    this.#notify = () => {
      cell.notify();
      this.queue.kick();
    };
  }

  arrive(parties: number): Arrival {
    return this.#mutex.runLocked(() => {
      if (this.#table.someEnded()) this.#lookAfterDead();
      const phase = this.#phase;
      if ((phase & BROKEN) !== 0) return { kind: 'broken', index: -1, phase };
      const index = this.arrived;
      if (index >= parties) return { kind: 'full', index: -1, phase };
      // Before any change, for there may be no slot left, or only once the dead are looked after.
      const slot = this.#table.enter('Barrier.wait', () => this.#lookAfterDead());
      if (this.broken) return { kind: 'broken', index: -1, phase };
      Atomics.add(this.#words, slot, 1);
      Atomics.store(this.#words, ARRIVED, index + 1);
      return { kind: index + 1 === parties ? 'last' : 'waits', index, phase };
    });
  }

  /** The last party lets all pass; `false` when the round was broken meanwhile. */
  pass(phase: number): boolean {
    return this.#mutex.runLocked(() => {
      if (this.#phase !== phase) return false;
      this.#end(1);
      return true;
    });
  }

  /** Breaks the round, if it is still that one, and all waits until {@link reset}. */
  abort(phase?: number): void {
    this.#mutex.runLocked(() => {
      if (phase === undefined || this.#phase === phase) this.#break();
    });
  }

  /** Breaks the round for those who wait, and begins a new one. */
  reset(): void {
    this.#mutex.runLocked(() => {
      if (this.arrived > 0 || this.broken) this.#end(0);
    });
  }

  /** Whether the round of that phase is over. */
  over(phase: number): boolean {
    return this.#phase !== phase;
  }

  /** Whether a round that is over was passed. */
  passed(phase: number): boolean {
    return this.#mutex.runLocked(() => {
      const ago = ((this.#phase >>> 1) - (phase >>> 1)) & 0x7fffffff;
      return ago > 0 && ago <= HISTORY_ROUNDS && ((Atomics.load(this.#words, HISTORY) >>> (ago - 1)) & 1) === 1;
    });
  }

  /** Parties that are there. */
  get arrived(): number {
    return Atomics.load(this.#words, ARRIVED);
  }

  get broken(): boolean {
    return (this.#phase & BROKEN) !== 0;
  }

  /** The agent ends in good order: no party has died. */
  leaveInOrder(): void {
    if (!this.#block.closed && this.#table.known) this.#mutex.runLocked(() => this.#table.leave());
  }

  get #phase(): number {
    return Atomics.load(this.#words, PHASE);
  }

  #end(bit: number): void {
    this.#empty();
    Atomics.store(this.#words, HISTORY, (Atomics.load(this.#words, HISTORY) << 1) | bit);
    Atomics.store(this.#words, PHASE, ((this.#phase & ~BROKEN) + 2) | 0);
    this.#notify();
  }

  #break(): void {
    this.#empty();
    Atomics.or(this.#words, PHASE, BROKEN);
    this.#notify();
  }

  #empty(): void {
    for (const slot of this.#table.inUse()) Atomics.store(this.#words, slot, 0);
    Atomics.store(this.#words, ARRIVED, 0);
  }

  /**
   * Forgets dead agents, and breaks the round for them. Not when nobody of those who were here
   * before lives any more: then this is a new crew.
   */
  #lookAfterDead(): void {
    let died = false;
    for (const slot of this.#table.ended()) {
      this.#table.free(slot);
      died = true;
    }
    if (!died) return;
    if (this.arrived > 0 || this.#table.inUse().length > 0) this.#break();
  }

  // ---- as its waiters see it

  announce(): number {
    return this.#phase;
  }

  /** As of one whose time ran out. */
  abandon(): void {
    this.abort();
  }

  checkPeers(): boolean {
    // Also when nobody has arrived, as it seems: who ends a round empties it first, and may have
    // died just then.
    this.#mutex.repairIfAbandoned();
    if (this.#table.someEnded()) this.#mutex.runLocked(() => this.#lookAfterDead());
    return false;
  }
}
