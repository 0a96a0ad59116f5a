/**
 * Who uses a queue: a slot for each thread, of any process, and what has become of those that
 * wrote.
 *
 *   slot      | meaning
 *   ATTACHED  | has the queue; has put nothing
 *   WRITING   | has put something and has not completed: consumers wait for more from it
 *   COMPLETED | has said that it puts no more
 *
 *   WAITS     beside it: 1 while the thread waits for room and will not read: it has the queue from
 *             elsewhere and never read, or its process ends
 *
 *   flags, each a word that is set once and stays
 *   COMPLETION  some writer completed
 *   DEPARTURE   some writer ended in good order without saying so: it closed the queue, or its
 *               process ended with exit code 0
 *   LOSS        some writer died while WRITING: its id
 *
 *   SEEN        how many threads have ever been writers; counted before the slot says so, so it may
 *               be too high by those that died there
 *
 * The flag is set before the slot is freed, and setting it again does no harm: a death in between
 * is repeated, not lost.
 */
import { type Block, currentAgent, osThreadIdOf } from '../../memory/index.js';
import { AgentTable, ROBUST_MUTEX_WORDS, RobustMutex, tableWords } from '../../synchronize/index.js';
import { performance } from '../../util/timers.js';

const COMPLETION = ROBUST_MUTEX_WORDS;
const DEPARTURE = COMPLETION + 1;
const LOSS = DEPARTURE + 1;
const SEEN = LOSS + 1;
const TABLE = SEEN + 1;

/** Words the members take. */
export const MEMBER_WORDS = TABLE + tableWords(2);

/**
 * Milliseconds between two looks of a thread after members that have died: each takes a read of
 * /proc for every member.
 */
const PEER_CHECK_MS = 500;

/** Of a slot's words, the one behind its state. */
const WAITS = 1;

const ATTACHED = 0;
const WRITING = 1;
const COMPLETED = 2;

export class Members {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #mutex: RobustMutex;
  readonly #table: AgentTable;
  /**
   * Whose slot {@link #own} speaks of: a forked child has this object too, and is somebody else.
   */
  #agent = currentAgent();
  /** What this thread's slot says. */
  #own: typeof ATTACHED | typeof WRITING | typeof COMPLETED = ATTACHED;

  readonly #expected: number;
  #looked = 0;

  /**
   * @param at Index in the block of the first of its words.
   * @param expected Writers that must have been seen before it is over.
   * @param name Of the class whose members they are, for messages.
   */
  constructor(block: Block, at: number, expected: number, name: string) {
    this.#expected = expected;
    this.#words = block.int32;
    this.#at = at;
    this.#mutex = new RobustMutex(block, at, name, () => {});
    this.#table = new AgentTable(block.int32, at + TABLE, 2);
  }

  /** This thread has the queue from here on. */
  join(actor: string): void {
    this.#mutex.runLocked(() => {
      this.#reapDead();
      this.#table.enter(actor, () => this.#reapDead());
    });
  }

  /** In a fork: it has the queue from here on, and has written nothing. */
  adopt(actor: string): void {
    this.#agent = currentAgent();
    this.#own = ATTACHED;
    this.join(actor);
  }

  /** Whether this thread has completed. */
  get completed(): boolean {
    return this.#own === COMPLETED && this.#agent === currentAgent();
  }

  /** This thread is a writer. */
  becomeWriter(actor: string): void {
    if (this.#own === ATTACHED || this.#agent !== currentAgent()) this.#become(actor, WRITING);
  }

  /** This thread puts no more: `false` when it had said so before. */
  complete(actor: string): boolean {
    if (this.completed) return false;
    this.#become(actor, COMPLETED);
    Atomics.store(this.#words, this.#at + COMPLETION, 1);
    return true;
  }

  /** This thread leaves in good order. Returns whether it was a writer until now. */
  leave(): boolean {
    const writer = this.#own === WRITING && this.#agent === currentAgent();
    this.#mutex.runLocked(() => {
      if (writer && this.#table.known) Atomics.store(this.#words, this.#at + DEPARTURE, 1);
      this.#table.leave();
    });
    this.#own = ATTACHED;
    return writer;
  }

  /** Whether some writer has said that it completed, and no other writes still. */
  get closedByWriters(): boolean {
    return this.#flag(COMPLETION) !== 0 && this.over;
  }

  /** Whether there were writers, and none writes any more. */
  get over(): boolean {
    if (this.#flag(SEEN) < this.#expected) return false;
    if (this.#flag(COMPLETION) === 0 && this.#flag(DEPARTURE) === 0 && this.#flag(LOSS) === 0) return false;
    for (const slot of this.#table.inUse()) if (Atomics.load(this.#words, slot) === WRITING) return false;
    return true;
  }

  /** The id of a thread that died as a writer; 0: none did. */
  get lost(): number {
    return this.#flag(LOSS);
  }

  /** Whether another living thread has the queue. */
  get others(): boolean {
    for (const slot of this.#table.inUse()) if (!this.#table.isMine(slot) && !this.#table.hasEnded(slot)) return true;
    return false;
  }

  /**
   * Whether another living thread has the queue that may yet read from it: one that does not itself
   * wait for room.
   */
  get readers(): boolean {
    for (const slot of this.#table.inUse()) {
      if (!this.#table.isMine(slot) && Atomics.load(this.#words, slot + WAITS) === 0 && !this.#table.hasEnded(slot))
        return true;
    }
    return false;
  }

  /** Whether this thread waits for room and will not read. */
  setWaitsForRoom(on: boolean): void {
    this.#mutex.runLocked(() => {
      if (this.#table.known) Atomics.store(this.#words, this.#table.enter('Queue', () => {}) + WAITS, on ? 1 : 0);
    });
  }

  /** Notes who has died. Cheap to call often: it looks once in {@link PEER_CHECK_MS} ms. */
  checkPeers(): void {
    const now = performance.now();
    if (now - this.#looked < PEER_CHECK_MS) return;
    this.#looked = now;
    if (this.#table.someEnded()) this.#mutex.runLocked(() => this.#reapDead());
  }

  #become(actor: string, state: typeof WRITING | typeof COMPLETED): void {
    if (this.#agent !== currentAgent()) this.#own = ATTACHED;
    this.#agent = currentAgent();
    this.#mutex.runLocked(() => {
      const slot = this.#table.enter(actor, () => this.#reapDead());
      if (this.#own === ATTACHED) Atomics.add(this.#words, this.#at + SEEN, 1);
      Atomics.store(this.#words, slot, state);
    });
    this.#own = state;
  }

  #reapDead(): void {
    for (const slot of this.#table.ended()) {
      if (Atomics.load(this.#words, slot) === WRITING)
        Atomics.store(this.#words, this.#at + LOSS, osThreadIdOf(Atomics.load(this.#words, slot - 1)));
      this.#table.free(slot);
    }
  }

  #flag(which: number): number {
    return Atomics.load(this.#words, this.#at + which);
  }
}
