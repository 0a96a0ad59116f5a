/**
 * Who holds a lock of the server, and that its death gives the lock back.
 *
 *   depth | holder | meaning
 *     0   |  null  | free
 *    >= 1 |   h    | held by the agent h; `onGone` of h is listened to
 *
 * Invariant: a free lock has nobody waiting. Whoever releases it makes the first waiter the holder,
 * in the same step.
 */
import type { ClientAgent, CurrentCall } from '../server/current-call.js';
import { WaiterQueue } from './waiter-queue.js';

/** A holder of a lock: the agent, and for recursive locks which of its tasks. */
export interface Holder {
  readonly client: ClientAgent;
  /**
   * Number of the acquisition within the agent; 0 where a lock does not tell its holder's tasks
   * apart.
   */
  readonly task: number;
}

export class Ownership {
  readonly #waiters = new WaiterQueue<true>();
  /** What the waiters ask for, in the order of the queue. */
  readonly #tasks = new WeakMap<CurrentCall, number>();
  #holder: Holder | null = null;
  #forget: (() => void) | null = null;
  /** How often the holder has acquired it. */
  depth = 0;
  /**
   * Set when a holder's agent was gone while it held the lock, until somebody says that all is well
   * again.
   */
  ownerDied = false;

  /** Who holds it, or `null`. */
  get holder(): Holder | null {
    return this.#holder;
  }

  /** Returns whether that task of that agent holds it. */
  heldBy(client: ClientAgent, task: number): boolean {
    return this.#holder !== null && this.#holder.client === client && this.#holder.task === task;
  }

  /** Acquires for the caller: `false` when the time ran out. Rejects when the caller gave up. */
  take(call: CurrentCall, task: number, timeout: number | undefined): boolean | Promise<boolean> {
    if (this.#holder === null) {
      this.#begin({ client: call.client, task });
      return true;
    }
    if (timeout !== undefined && timeout <= 0) return false;
    this.#tasks.set(call, task);
    return this.#waiters.wait(call, timeout).then((had) => had === true);
  }

  /** Frees it, whatever its depth; the first waiter has it then. */
  give(): void {
    this.#forget?.();
    this.#forget = null;
    this.#holder = null;
    this.depth = 0;
    const call = this.#waiters.next;
    if (call === undefined) return;
    this.#begin({ client: call.client, task: this.#tasks.get(call) as number });
    this.#waiters.serveFirst(true);
  }

  #begin(holder: Holder): void {
    this.#holder = holder;
    this.depth = 1;
    this.#forget = holder.client.onEnd(() => {
      if (this.#holder !== holder) return;
      this.ownerDied = true;
      this.give();
    });
  }
}

/** Returns a holder in a text form: `None`, or the name of its process. */
export function nameOf(holder: Holder | null): string {
  return holder === null ? 'None' : holder.client.name;
}
