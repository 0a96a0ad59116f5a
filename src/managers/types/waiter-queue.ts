/**
 * Calls that wait for something in the server, first come first served: the one kind of waiting of
 * locks, queues, events and pools here.
 *
 * Invariant: a waiter leaves the queue exactly once: it is served, its time runs out, its caller
 * gives up, or its caller's agent is gone. So what is given to a waiter never goes to one that is
 * not there any more.
 */
import { Deque } from '../../util/deque.js';
import { limitWait } from '../../util/limit-wait.js';
import type { CurrentCall } from '../server/current-call.js';

interface Waiter<T> {
  readonly call: CurrentCall;
  /** Takes it out of its timer and its signal. */
  unlimit(): void;
  resolve(value: T | undefined): void;
  reject(reason: unknown): void;
}

/** Waiters in their order; each is given a `T`. */
export class WaiterQueue<T> {
  readonly #waiters = new Deque<Waiter<T>>();
  readonly #left: ((call: CurrentCall) => void) | undefined;

  /**
   * @param left Called when a waiter goes away by itself: its time ran out, or its caller is not
   * there any more.
   */
  constructor(left?: (call: CurrentCall) => void) {
    this.#left = left;
  }

  /** How many wait. */
  get length(): number {
    return this.#waiters.length;
  }

  /** Who is served next. */
  get next(): CurrentCall | undefined {
    return this.#waiters.first()?.call;
  }

  /**
   * Waits to be served.
   * @param timeout Milliseconds; `undefined`: no limit. @returns `undefined` when the time ran out.
   * Rejects with the signal's reason.
   */
  wait(call: CurrentCall, timeout?: number): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const { signal } = call;
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      if (timeout !== undefined && timeout <= 0) {
        resolve(undefined);
        return;
      }
      const leave = (settle: () => void) => {
        if (!this.#waiters.remove(waiter)) return;
        waiter.unlimit();
        settle();
        this.#left?.(call);
      };
      const unlimit = limitWait(
        { timeout, signal },
        () => leave(() => resolve(undefined)),
        (reason) => leave(() => reject(reason)),
      );
      const waiter: Waiter<T> = { call, unlimit, resolve, reject };
      this.#waiters.push(waiter);
    });
  }

  /** Gives `value` to the first; `false` when nobody waits. */
  serveFirst(value: T): boolean {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) return false;
    waiter.unlimit();
    waiter.resolve(value);
    return true;
  }

  /** Gives `value` to all who wait now. @returns how many. */
  serveAll(value: T): number {
    const { length } = this.#waiters;
    for (let left = length; left > 0; left--) this.serveFirst(value);
    return length;
  }

  /** Turns away all who wait now. */
  rejectAll(reason: unknown): void {
    for (let left = this.#waiters.length; left > 0; left--) {
      const waiter = this.#waiters.shift() as Waiter<T>;
      waiter.unlimit();
      waiter.reject(reason);
    }
  }
}
