/**
 * Who lives, in the form without the addon: words that all threads of a family share. A family is
 * the thread that used the library first and all that it, or they, start.
 *
 *   LAST_AGENT   the agent that was made last
 *   LAST_NUMBER  the object that was made last
 *   SERVED       1: the kernel is a thread, and hears whoever comes
 *   slot i       0, or the living agent whose number is i modulo {@link SLOTS}
 *
 * An agent is never used again: not before 2^30 were made. A slot is taken by compare-and-set, and
 * freed by whoever sees the thread end: the kernel, whose port to it closes.
 */

const LAST_AGENT = 0;
const LAST_NUMBER = 1;
const SERVED = 2;
const FIRST_SLOT = 3;
/** Most threads of a family at a time. */
const SLOTS = 8192;
const AGENT_MASK = 0x3fffffff;

/** Numbers of objects begin here: no descriptor of a system is as large. */
export const FIRST_NUMBER = 0x4000_0000;
const NUMBER_MASK = FIRST_NUMBER - 1;

/** Returns an empty table. */
export function createTable(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * (FIRST_SLOT + SLOTS)));
}

/** Takes a slot for the calling thread. Returns its agent, which is never 0. */
export function enterAgent(table: Int32Array): number {
  for (;;) {
    const agent = (Atomics.add(table, LAST_AGENT, 1) + 1) & AGENT_MASK;
    if (agent !== 0 && Atomics.compareExchange(table, slotOf(agent), 0, agent) === 0) return agent;
  }
}

/** The agent's thread has ended. May be said again. */
export function leaveAgent(table: Int32Array, agent: number): void {
  Atomics.compareExchange(table, slotOf(agent), agent, 0);
}

/** The kernel hears whoever comes. */
export function beginServing(table: Int32Array): void {
  Atomics.store(table, SERVED, 1);
  Atomics.notify(table, SERVED);
}

/** Blocks until the kernel hears whoever comes. */
export function awaitServing(table: Int32Array): void {
  Atomics.wait(table, SERVED, 0);
}

/** Returns whether the agent's thread runs. */
export function isLiving(table: Int32Array, agent: number): boolean {
  return Atomics.load(table, slotOf(agent)) === agent;
}

/** Returns the number of a new object. */
export function nextNumber(table: Int32Array): number {
  return FIRST_NUMBER + ((Atomics.add(table, LAST_NUMBER, 1) + 1) & NUMBER_MASK);
}

function slotOf(agent: number): number {
  return FIRST_SLOT + (agent % SLOTS);
}
