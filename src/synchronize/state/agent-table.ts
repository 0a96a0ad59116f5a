/**
 * What a primitive knows of each agent that uses it: a table in shared memory.
 *
 *   word 0   how many slots were ever in use
 *   word 1   when somebody last looked for agents that have ended, ms (mod 2^32)
 *   slots    agent (0: the slot is free), then the primitive's own words, which are 0 in a free
 *            slot
 *
 * All changes are made inside the primitive's {@link RobustMutex}. A slot belongs to its agent
 * until that has ended and the primitive has settled what it left behind: it does so as its waiters
 * look after the dead, or at the latest when a new agent finds no room.
 *
 * Looking after 200 agents takes 4 ms, so where there are many one of all who wait does it, each
 * time: word 1 says when that was.
 */

import { UnsupportedError } from '../../errors/index.js';
import { currentAgent, hasEnded, LIVENESS_CHECK_MS } from '../../memory/index.js';
import { timeOfDay } from '../../util/timers.js';

/**
 * Threads, of all processes together, that may use one primitive at a time, unless it says
 * otherwise.
 */
export const SLOTS = 1_024;

const LOOKED = 1;
/** So few are looked after by everybody. */
const MAX_AGENTS_CHECKED_BY_ALL = 16;
const HEAD = 2;

/** Words a table takes. @param fields Words of a slot beside the agent. */
export function tableWords(fields: number, slots = SLOTS): number {
  return HEAD + slots * (1 + fields);
}

export class AgentTable {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #stride: number;
  readonly #slots: number;
  #mine = -1;

  /** @param at Index in `words` of the table's first word. */
  constructor(words: Int32Array, at: number, fields: number, slots = SLOTS) {
    this.#words = words;
    this.#at = at + HEAD;
    this.#stride = 1 + fields;
    this.#slots = slots;
  }

  /**
   * Index of the first own word of the calling agent's slot.
   * @param settle Settles what ended agents left and frees their slots; called when no slot is
   * free.
   * @throws UnsupportedError when there is none left.
   */
  enter(actor: string, settle: () => void): number {
    if (this.known) return this.#mine + 1;
    let slot = this.#find();
    if (slot < 0) {
      settle();
      slot = this.#find();
    }
    if (slot < 0) {
      const most = this.#slots;
      throw new UnsupportedError(
        `${actor}: ${most} processes and threads use it already, and it has no room for more; use several.`,
        {
          code: 'MP_TOO_MANY_AGENTS',
        },
      );
    }
    this.#mine = slot;
    return slot + 1;
  }

  /** Whether the calling agent has a slot. */
  get known(): boolean {
    return this.#mine >= 0 && Atomics.load(this.#words, this.#mine) === currentAgent();
  }

  /** Index of the first own word of the calling agent's slot; -1: it has none. */
  get own(): number {
    return this.known ? this.#mine + 1 : -1;
  }

  /** Whether a field of any slot is not 0. Needs no lock. @param field From 0 on. */
  someHave(field: number): boolean {
    const used = Atomics.load(this.#words, this.#at - HEAD);
    for (let i = 0; i < used; i++)
      if (Atomics.load(this.#words, this.#at + i * this.#stride + 1 + field) !== 0) return true;
    return false;
  }

  /** Frees the calling agent's slot. */
  leave(): void {
    if (this.known) this.free(this.#mine + 1);
  }

  /** The own words of each slot in use, by the index of the first. */
  inUse(): number[] {
    const found: number[] = [];
    const used = Atomics.load(this.#words, this.#at - HEAD);
    for (let i = 0; i < used; i++) {
      const slot = this.#at + i * this.#stride;
      if (Atomics.load(this.#words, slot) !== 0) found.push(slot + 1);
    }
    return found;
  }

  /** As {@link inUse}, of the agents that have ended. */
  ended(): number[] {
    const found: number[] = [];
    for (const at of this.inUse()) if (this.hasEnded(at)) found.push(at);
    return found;
  }

  /**
   * Whether an agent that uses it has ended, as far as it is the caller's turn to look. Needs no
   * lock.
   */
  someEnded(): boolean {
    if (Atomics.load(this.#words, this.#at - HEAD) > MAX_AGENTS_CHECKED_BY_ALL && !this.#due()) return false;
    for (const at of this.inUse()) if (this.hasEnded(at)) return true;
    return false;
  }

  /** Whether the agent of a slot has ended. */
  hasEnded(at: number, age?: number): boolean {
    const agent = Atomics.load(this.#words, at - 1);
    return agent !== 0 && hasEnded(agent, age);
  }

  /** Whether the slot is the calling agent's. */
  isMine(at: number): boolean {
    return Atomics.load(this.#words, at - 1) === currentAgent();
  }

  /** Frees a slot. */
  free(at: number): void {
    for (let i = 0; i < this.#stride - 1; i++) Atomics.store(this.#words, at + i, 0);
    Atomics.store(this.#words, at - 1, 0);
  }

  /** Whether nobody has looked just now; if so, the caller does. */
  #due(): boolean {
    const at = this.#at - HEAD + LOOKED;
    const now = timeOfDay() | 0;
    const last = Atomics.load(this.#words, at);
    return (now - last) >>> 0 >= LIVENESS_CHECK_MS / 2 && Atomics.compareExchange(this.#words, at, last, now) === last;
  }

  /** The calling agent's slot, or a free one that is its own from here on, or -1. */
  #find(): number {
    const words = this.#words;
    let free = -1;
    const used = Atomics.load(words, this.#at - HEAD);
    for (let i = 0; i < used; i++) {
      const slot = this.#at + i * this.#stride;
      const agent = Atomics.load(words, slot);
      if (agent === currentAgent()) return slot;
      if (agent === 0 && free < 0) free = slot;
    }
    if (free < 0) {
      if (used === this.#slots) return -1;
      free = this.#at + used * this.#stride;
      Atomics.store(words, this.#at - HEAD, used + 1);
    }
    Atomics.store(words, free, currentAgent());
    return free;
  }
}
