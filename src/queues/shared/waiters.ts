/** Waiting for one side of a queue, over its word (wait-word.ts): who waits, how they are woken. */
import {
  type Attempt,
  type Block,
  type Bounds,
  Urgency,
  WAKE_BURST,
  type WaitCell,
  type WaitProtocol,
  WaitQueue,
} from '../../memory/index.js';
import { nextTick } from '../../util/timers.js';
import { announceWaiter, claimWakeUp, keepWaiters, WAITERS } from './wait-word.js';

/** What is waited for. */
export interface WaitCondition {
  /** Whether an attempt is worth while now. Cheap. */
  ready(): boolean;
  /** Called now and then while somebody waits: looks after the dead. */
  checkPeers?(): void;
}

export class Waiters implements WaitProtocol {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #cell: WaitCell;
  readonly #queue: WaitQueue;
  readonly #awaited: WaitCondition;
  /** Changes that nobody was woken for yet. */
  #unwoken = 0;

  /** @param broadcast Whether a change may be for any waiter and not only for the first. */
  constructor(block: Block, at: number, awaited: WaitCondition, broadcast = false) {
    this.#words = block.int32;
    this.#at = at;
    this.#cell = block.cell(at);
    this.#awaited = awaited;
    this.#queue = new WaitQueue(this.#cell, this, broadcast);
  }

  /** How many wait in this thread without blocking. */
  get length(): number {
    return this.#queue.length;
  }

  /** Whether anybody, anywhere, has said that it sleeps. */
  get someSleep(): boolean {
    return (Atomics.load(this.#words, this.#at) & WAITERS) !== 0;
  }

  /**
   * Waits until `attempt` succeeds: `false` when the time ran out. Rejects with `signal.reason` or
   * with what `attempt` throws.
   * @param actor Who waits, for messages.
   */
  wait(attempt: () => boolean, actor: string, bounds?: Bounds): Promise<boolean> {
    return this.#queue.wait(this.#passingOn(attempt), actor, bounds);
  }

  /**
   * Makes attempts for some microseconds, as long as that pays and the event loop need not turn.
   * Returns whether one succeeded.
   */
  briefly(attempt: () => boolean): boolean {
    return this.#queue.briefly(this.#passingOn(attempt));
  }

  /** As {@link wait}, blocking the thread. */
  waitSync(attempt: () => boolean, timeout?: number): boolean {
    return this.#queue.waitSync(this.#passingOn(attempt), timeout);
  }

  /** The queue was changed: wakes up to `count`, if anybody sleeps. */
  wake(count: number): void {
    if (!claimWakeUp(this.#words, this.#at)) return;
    if (!this.#queue.kick() || count > 1) this.#cell.notify(count);
  }

  /**
   * As {@link wake}, for one more change, at the end of the burst of microtasks in which it is
   * made, or after {@link WAKE_BURST} changes: a system call for many. A thread that
   * blocks meanwhile lets the others sleep on until their next liveness check.
   */
  wakeSoon(): void {
    if (!this.someSleep) return;
    if (++this.#unwoken >= WAKE_BURST) this.wakeNow();
    else if (this.#unwoken === 1) nextTick(this.#onTick);
  }

  /** Wakes those for whom {@link wakeSoon} was called. */
  wakeNow(): void {
    const count = this.#unwoken;
    this.#unwoken = 0;
    if (count > 0) this.wake(count);
  }

  /** The word is about to go. */
  close(): void {
    this.wakeNow();
    this.#queue.kickNow();
  }

  readonly #onTick = (): void => this.wakeNow();

  #passingOn(attempt: () => boolean): Attempt {
    return (urgency) => {
      if (!attempt()) return false;
      if (urgency === Urgency.Fresh) return true;
      keepWaiters(this.#words, this.#at);
      if (this.#awaited.ready()) this.#cell.notify(1);
      return true;
    };
  }

  // ---- as the waiters see it

  announce(): number {
    return announceWaiter(this.#words, this.#at);
  }

  readonly ownerless = true;

  checkPeers(): boolean {
    this.#awaited.checkPeers?.();
    return this.#awaited.ready();
  }

  withdraw(): void {
    keepWaiters(this.#words, this.#at);
    this.#cell.notify(1);
  }
}
