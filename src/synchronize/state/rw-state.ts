/**
 * The state of an RwLock, in shared memory.
 *
 *   GATE = phase * 2 + SLEEPERS | meaning; the word that readers sleep on
 *   phase 2n                    | open: generation n reads, and whoever comes is of it and is in
 *   phase 2n + 1                | closed: a writer is inside, or waits until generation n has left;
 *                               | who comes is of generation n + 1, and is in with the next phase
 *
 *   DRAIN = count * 2 + SLEEPS  | the word that the writer sleeps on; whoever takes SLEEPS back
 *                               | wakes it
 *   INSIDE                      | 1: a writer is inside
 *   DIED                        | 1: a writer died inside, and nobody has said since that the
 *                               | damage is repaired
 *   slots                       | for each agent: how many of its readers are of an even
 *                               | generation, and how many of an odd one
 *
 * Writers exclude each other by a mutex, and only its holder changes the phase: a closed gate has a
 * holder, be it a dead one. Readers take no lock. A reader counts itself first and looks at the
 * gate again; a writer closes the gate first and looks at the counts then. So one of the two sees
 * the other. A reader whose generation was over by then takes itself back.
 *
 * Fairness: a closed gate keeps back all readers that come, so they do not starve a writer. Those
 * that it has kept back are in before the next writer closes it again, for that one waits for them.
 *
 * Invariant: when the gate is closed, nobody of the generation before is left: its counter is that
 * of the generation to come. A writer that gave up may have opened the gate before its readers had
 * left, so the next one waits for these with the gate open.
 *
 * Crash: a count belongs to one agent, and goes with its slot when that has ended. Whoever waits
 * for a dead writer takes the mutex over and goes on where that was, or opens the gate.
 *
 * Source: B. Brandenburg and J. Anderson, Spin-based reader-writer synchronization for
 * multiprocessor real-time systems (2010), phase-fair locks; the counters of each agent are those
 * of big-reader locks.
 */
import {
  type Attempt,
  announceSleeper,
  type Block,
  currentAgent,
  Urgency,
  type WaitCell,
  WaitQueue,
} from '../../memory/index.js';
import { LivenessThrottle } from '../words/liveness-throttle.js';
import { MUTEX_WORDS, Mutex } from '../words/mutex.js';
import { ROBUST_MUTEX_WORDS, RobustMutex } from '../words/robust-mutex.js';
import { AgentTable, tableWords } from './agent-table.js';

/** Whose its parts are, for messages. */
const NAME = 'RwLock';
const GATE = MUTEX_WORDS;
const DRAIN = GATE + 1;
const INSIDE = DRAIN + 1;
const DIED = INSIDE + 1;
const GUARD = DIED + 1;
/** So that the slots begin with a cache line: the table's head has two words. */
const TABLE = Math.max(GUARD + ROBUST_MUTEX_WORDS, 14);
/**
 * Words of a slot beside the agent: with it a cache line, so that readers do not disturb each
 * other.
 */
const FIELDS = 15;
/** Of GATE. */
const SLEEPERS = 1;
const PHASE_UNIT = 2;
/** Of DRAIN. */
const SLEEPS = 1;
const WAKE_UNIT = 2;

/** Words the state takes. */
export const RW_WORDS = TABLE + tableWords(FIELDS);

/** A reader, inside or on its way in. */
export interface Share {
  /** Index of the counter that it is counted in. */
  readonly at: number;
  /** The phase in which it came. */
  readonly phase: number;
  /** Whose it is: a fork has it too, but not the reader. */
  readonly agent: number;
}

export class RwState {
  readonly writers: Mutex;
  /** Where readers wait. */
  readonly gate: WaitQueue;
  /** Where the writer that has the mutex waits for readers. */
  readonly drain: WaitQueue;
  readonly #words: Int32Array;
  readonly #table: AgentTable;
  readonly #guard: RobustMutex;
  readonly #gateCell: WaitCell;
  readonly #drainCell: WaitCell;
  readonly #throttle = new LivenessThrottle();

  /** It takes the block from its beginning. */
  constructor(block: Block) {
    this.#words = block.int32;
    this.writers = new Mutex(block, 0, NAME);
    // Each change of the table is sound by itself, so there is nothing to repair.
    this.#guard = new RobustMutex(block, GUARD, NAME, () => {});
    this.#table = new AgentTable(block.int32, TABLE, FIELDS);
    this.#gateCell = block.cell(GATE);
    this.#drainCell = block.cell(DRAIN);
    const readers = {
      announce: () => announceSleeper(this.#words, GATE, SLEEPERS),
      checkPeers: () => this.#openForDead(),
      endsOnlyHere: () => this.writers.ownedHere,
    };
    this.gate = new WaitQueue(this.#gateCell, readers, true);
    const writer = {
      announce: () => announceSleeper(this.#words, DRAIN, SLEEPS),
      checkPeers: () => this.#forgetDead(),
    };
    this.drain = new WaitQueue(this.#drainCell, writer);
  }

  // ---- readers

  /** A reader comes. It is in if it {@link passes}. */
  arrive(): Share {
    const known = this.#table.own;
    const slot = known >= 0 ? known : this.#enter();
    for (;;) {
      const generation = generationOf(Atomics.load(this.#words, GATE));
      const at = slot + (generation & 1);
      Atomics.add(this.#words, at, 1);
      const word = Atomics.load(this.#words, GATE);
      if (generationOf(word) === generation) return { at, phase: word >>> 1, agent: currentAgent() };
      this.#depart(at);
    }
  }

  /** Whether a reader is in. */
  passes({ phase }: Share): boolean {
    return (phase & 1) === 0 || Atomics.load(this.#words, GATE) >>> 1 !== phase;
  }

  /**
   * A reader that only tries: as {@link passes}, after a look, now and then, whether the writer has
   * died.
   */
  passesAfterAll(share: Share): boolean {
    return this.#throttle.mayCheckNow() && this.#openForDead() && this.passes(share);
  }

  /**
   * Lets a reader that waits in beside one that is in: no writer comes in while that one is. It must
   * be of this thread, and stay meanwhile.
   */
  join(share: Share, { at, agent }: Share): Share {
    Atomics.add(this.#words, at, 1);
    this.#depart(share.at);
    return { at, phase: 0, agent };
  }

  /** A reader of this thread that is in while the gate is closed, if there is one. */
  ownReader({ at, agent }: Share): Share | null {
    // Who came to the closed gate is counted in the other one.
    const inside = at - this.#table.own === 0 ? at + 1 : at - 1;
    return Atomics.load(this.#words, inside) > 0 ? { at: inside, phase: 0, agent } : null;
  }

  /** Whether a reader of this thread is in, or waits. */
  get readsHere(): boolean {
    const slot = this.#table.own;
    return slot >= 0 && (Atomics.load(this.#words, slot) > 0 || Atomics.load(this.#words, slot + 1) > 0);
  }

  /** All readers of this thread leave, and the writer, if it is of this thread. */
  leaveAll(): void {
    const slot = this.#table.own;
    if (slot >= 0) {
      for (const at of [slot, slot + 1]) {
        if (Atomics.exchange(this.#words, at, 0) > 0) this.#tellWriter();
      }
    }
    if (this.writers.ownedHere) this.leaveWriter();
  }

  /** A reader leaves, or waits no longer. */
  leave({ at, agent }: Share): void {
    if (agent === currentAgent()) this.#depart(at);
  }

  // ---- writers, who have the mutex

  /** The mutex was taken: what a dead holder left is noted. */
  settle(): void {
    if (!this.writers.ownerDied) return;
    if (Atomics.load(this.#words, INSIDE) !== 0) {
      Atomics.store(this.#words, DIED, 1);
      Atomics.store(this.#words, INSIDE, 0);
    }
    this.writers.recover();
  }

  /**
   * Closes the gate as soon as that may be; whether all readers have left, so that the writer is
   * in.
   */
  readonly enter: Attempt = () => {
    const phase = Atomics.load(this.#words, GATE) >>> 1;
    const reading = (phase >>> 1) & 1;
    if ((phase & 1) === 0) {
      if (this.#table.someHave(1 - reading)) return false;
      Atomics.add(this.#words, GATE, PHASE_UNIT);
    }
    if (this.#table.someHave(reading)) return false;
    Atomics.store(this.#words, INSIDE, 1);
    return true;
  };

  /** As {@link enter}, for one that only tries: keeps nobody back where readers are in. */
  tryEnter(): boolean {
    if (this.#isRead && !(this.#throttle.mayCheckNow() && this.#forgetDead() && !this.#isRead)) return false;
    return this.enter(Urgency.Fresh);
  }

  /** The writer leaves, or gives up: the gate is open, and the mutex free. */
  leaveWriter(): void {
    Atomics.store(this.#words, INSIDE, 0);
    this.#open();
  }

  // ---- for all

  get ownerDied(): boolean {
    return Atomics.load(this.#words, DIED) !== 0;
  }

  /** The damage is repaired. */
  recover(): void {
    Atomics.store(this.#words, DIED, 0);
  }

  /** The agent of the writer that is inside; 0: none is. */
  get writer(): number {
    return Atomics.load(this.#words, INSIDE) === 0 ? 0 : this.writers.owner;
  }

  /** How many readers are in. */
  get readers(): number {
    const phase = Atomics.load(this.#words, GATE) >>> 1;
    const reading = (phase >>> 1) & 1;
    let count = 0;
    for (const slot of this.#table.inUse()) {
      count += Atomics.load(this.#words, slot + reading);
      if ((phase & 1) === 0) count += Atomics.load(this.#words, slot + 1 - reading);
    }
    return count;
  }

  get #isRead(): boolean {
    return this.#table.someHave(0) || this.#table.someHave(1);
  }

  #enter(): number {
    return this.#guard.runLocked(() => this.#table.enter('RwLock.read', () => this.#free()));
  }

  #depart(at: number): void {
    if (Atomics.sub(this.#words, at, 1) === 1) this.#tellWriter();
  }

  /** Wakes the writer that waits for readers. */
  #tellWriter(): void {
    const word = Atomics.load(this.#words, DRAIN);
    if ((word & SLEEPS) === 0) return;
    if (Atomics.compareExchange(this.#words, DRAIN, word, (word - SLEEPS + WAKE_UNIT) | 0) !== word) return;
    if (!this.drain.kick()) this.#drainCell.notify(1);
  }

  #open(): void {
    const word = Atomics.load(this.#words, GATE);
    if (((word >>> 1) & 1) === 1) {
      const before = Atomics.exchange(this.#words, GATE, ((word & ~SLEEPERS) + PHASE_UNIT) | 0);
      if ((before & SLEEPERS) !== 0) this.#gateCell.notify();
      this.gate.kick();
    }
    this.writers.release(NAME);
  }

  /** Frees the slots of ended agents. */
  #free(): void {
    for (const slot of this.#table.ended()) this.#table.free(slot);
  }

  /** As the writer that waits for readers: those that have died are forgotten. */
  #forgetDead(): boolean {
    if (this.#table.someEnded()) this.#guard.runLocked(() => this.#free());
    // Also where another one has freed the slot, who does not wake the writer.
    return true;
  }

  /** As readers that wait: what a dead writer has closed is opened. */
  #openForDead(): boolean {
    if (!this.writers.abandoned || !this.writers.tryAcquire(NAME)) return false;
    this.settle();
    this.#open();
    return true;
  }
}

/** The generation of readers that come. */
function generationOf(word: number): number {
  return ((word >>> 1) + 1) >>> 1;
}
