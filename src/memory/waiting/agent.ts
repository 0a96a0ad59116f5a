/**
 * Agents: the threads, of any process, that share memory.
 *
 *   bits  0 to 21   the kernel's id of the thread, which is below 2^22; on the main thread that of
 *                   the process
 *   bits 22 to 29   the low bits of its start time
 *   bits 30 and 31  0: left to the word that the agent is written into
 *
 * The number fits into the word of a lock, so that taking the lock and saying who took it is one
 * compare-and-set: there is no moment at which a lock is held by nobody known.
 *
 * Without the addon agents are numbered, and a table says who lives (native/threads/agent-table.ts).
 *
 * Ids are used again, start times are not. A recycled id is told from the old one by the eight bits
 * here, and by the whole start time as soon as this thread has looked at the agent once while it
 * lived.
 */
import { threadId as workerId } from 'node:worker_threads';
import { agentHasEnded, nativeAvailable, ownAgent, processState, threadId } from '../../native/index.js';
import { registerAfterFork } from '../../util/after-fork.js';
import { performance } from '../../util/timers.js';

/** The bits of a word that an agent takes. */
export const AGENT_MASK = 0x3fffffff;
const THREAD_ID_MASK = 0x3fffff;
const START_TIME_MASK = 0xff;

let own = 0;
/** Start times of agents as they were first seen, and when they were last seen alive. */
const seen = new Map<number, { readonly startTime: bigint; at: number }>();
const MAX_AGENTS_SEEN = 1_000;

// A fork is another thread.
registerAfterFork(seen, () => {
  own = 0;
});

/** The calling thread. Never 0. */
export function currentAgent(): number {
  return own === 0 ? identify() : own;
}

/** The kernel's id of the agent's thread. */
export function osThreadIdOf(agent: number): number {
  return agent & THREAD_ID_MASK;
}

/** The agent whose thread has this id, or 0 when there is none. */
export function agentOfThread(id: number): number {
  const state = processState(id);
  return state === null || state.ended ? 0 : pack(id, state.startTime);
}

/**
 * Whether the agent has ended. An agent that cannot be looked at counts as alive.
 * @param age Milliseconds for which an earlier look that found it alive is good enough; a look
 * takes 20 microseconds.
 */
export function hasEnded(agent: number, age = 0): boolean {
  if (agent === own) return false;
  if (!nativeAvailable()) return agentHasEnded(agent);
  const first = seen.get(agent);
  const now = age > 0 ? performance.now() : 0;
  if (first !== undefined && age > 0 && now - first.at < age) return false;
  const state = processState(agent & THREAD_ID_MASK);
  if (state === null) return !exists(agent & THREAD_ID_MASK);
  if (state.ended || pack(agent & THREAD_ID_MASK, state.startTime) !== agent) return true;
  if (first !== undefined) {
    first.at = now;
    return first.startTime !== state.startTime;
  }
  if (seen.size >= MAX_AGENTS_SEEN) seen.clear();
  seen.set(agent, { startTime: state.startTime, at: now });
  return false;
}

function identify(): number {
  own = nativeAvailable() ? agentOfThread(threadId()) : ownAgent();
  // Without /proc there are only the threads of this process, whose ends cannot be seen.
  if (own === 0) own = workerId + 1;
  return own;
}

function pack(id: number, startTime: bigint): number {
  return (id & THREAD_ID_MASK) | ((Number(startTime & BigInt(START_TIME_MASK)) & START_TIME_MASK) << 22);
}

function exists(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
