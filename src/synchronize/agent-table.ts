/**
 * What a primitive knows of each agent that uses it: a table in shared memory.
 *
 *   word 0   how many slots were ever in use
 *   slots    agent (0: the slot is free), then the primitive's own words, which are 0 in a free slot
 *
 * All access is inside the primitive's {@link Guard}. A slot belongs to its agent until that has ended and the primitive has
 * settled what it left behind.
 */

import { UnsupportedError } from '../errors/index.js';
import { hasEnded, self } from '../memory/index.js';

/** Threads, of all processes together, that may use one primitive at a time. */
export const SLOTS = 128;

/** Words a table takes. @param fields Words of a slot beside the agent. */
export function tableWords(fields: number): number {
  return 1 + SLOTS * (1 + fields);
}

export class AgentTable {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #stride: number;
  #mine = -1;

  constructor(words: Int32Array, at: number, fields: number) {
    this.#words = words;
    this.#at = at + 1;
    this.#stride = 1 + fields;
  }

  /** Index of the first own word of the calling agent's slot. @throws UnsupportedError when there is none left. */
  mine(actor: string): number {
    const words = this.#words;
    if (this.#mine >= 0 && Atomics.load(words, this.#mine) === self()) return this.#mine + 1;
    let free = -1;
    for (const slot of this.#slots(SLOTS)) {
      const agent = Atomics.load(words, slot);
      if (agent === self()) {
        this.#mine = slot;
        return slot + 1;
      }
      if (agent === 0 && free < 0) free = slot;
    }
    if (free < 0) {
      throw new UnsupportedError(`${actor}: ${SLOTS} processes and threads use it already, and it has no room for more; use several.`, {
        code: 'MP_TOO_MANY_AGENTS',
      });
    }
    const used = (free - this.#at) / this.#stride + 1;
    if (used > Atomics.load(words, this.#at - 1)) Atomics.store(words, this.#at - 1, used);
    Atomics.store(words, free, self());
    this.#mine = free;
    return free + 1;
  }

  /** Whether the calling agent has a slot. */
  get known(): boolean {
    return this.#mine >= 0 && Atomics.load(this.#words, this.#mine) === self();
  }

  /** The own words of each slot in use, by the index of the first. */
  *inUse(): Generator<number> {
    for (const slot of this.#slots(Atomics.load(this.#words, this.#at - 1))) if (Atomics.load(this.#words, slot) !== 0) yield slot + 1;
  }

  /** As {@link inUse}, of the agents that have ended. */
  *ended(age?: number): Generator<number> {
    for (const at of this.inUse()) if (this.hasEnded(at, age)) yield at;
  }

  /** Whether any agent that uses it has ended. Needs no guard. */
  someEnded(): boolean {
    return this.ended().next().done !== true;
  }

  /** Whether the agent of a slot has ended. */
  hasEnded(at: number, age?: number): boolean {
    const agent = Atomics.load(this.#words, at - 1);
    return agent !== 0 && hasEnded(agent, age);
  }

  /** Whether the slot is the calling agent's. */
  isMine(at: number): boolean {
    return Atomics.load(this.#words, at - 1) === self();
  }

  /** Frees a slot. */
  free(at: number): void {
    for (let i = 0; i < this.#stride - 1; i++) Atomics.store(this.#words, at + i, 0);
    Atomics.store(this.#words, at - 1, 0);
  }

  *#slots(count: number): Generator<number> {
    for (let i = 0; i < count; i++) yield this.#at + i * this.#stride;
  }
}
