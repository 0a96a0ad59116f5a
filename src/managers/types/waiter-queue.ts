/**
 * Those who wait for something in the server, first come first served: the one kind of waiting of
 * locks, queues, events and pools here.
 *
 * Invariant: a waiter leaves the line exactly once: it is served, its time runs out, its caller
 * gives up, or its caller's agent is gone. So what is given to a waiter never goes to one that is
 * not there any more.
 */
import { onAbort } from '../../util/abort.js';
import { after } from '../../util/after.js';
import { Deque } from '../../util/deque.js';
import type { CurrentCall } from '../server/current-call.js';

interface Waiter<T> {
  readonly call: CurrentCall;
  /** Takes it out of its timer and its signal. */
  unbind(): void;
  resolve(value: T | undefined): void;
  reject(reason: unknown): void;
}

/** A line of waiters; each is given a `T`. */
export class WaitLine<T> {
  readonly #line = new Deque<Waiter<T>>();
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
    return this.#line.length;
  }

  /** Who is served next. */
  get next(): CurrentCall | undefined {
    return this.#line.first()?.call;
  }

  /**
   * Waits to be served.
   * @param timeout Milliseconds; `undefined`: no limit. @returns `undefined` when the time ran out.
   * Rejects with the signal's reason.
   */
  join(call: CurrentCall, timeout?: number): Promise<T | undefined> {
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
      const waiter: Waiter<T> = { call, unbind, resolve, reject };
      const leave = (settle: () => void) => {
        if (!this.#line.remove(waiter)) return;
        unbind();
        settle();
        this.#left?.(call);
      };
      const unset = timeout === undefined ? undefined : after(timeout, () => leave(() => resolve(undefined)));
      const forget = onAbort(signal, () => leave(() => reject(signal.reason)));
      function unbind(): void {
        unset?.();
        forget();
      }
      this.#line.push(waiter);
    });
  }

  /** Gives `value` to the first; `false` when nobody waits. */
  serve(value: T): boolean {
    const waiter = this.#line.shift();
    if (waiter === undefined) return false;
    waiter.unbind();
    waiter.resolve(value);
    return true;
  }

  /** Gives `value` to all who wait now. @returns how many. */
  serveAll(value: T): number {
    const { length } = this.#line;
    for (let left = length; left > 0; left--) this.serve(value);
    return length;
  }

  /** Turns away all who wait now. */
  refuseAll(reason: unknown): void {
    for (let left = this.#line.length; left > 0; left--) {
      const waiter = this.#line.shift() as Waiter<T>;
      waiter.unbind();
      waiter.reject(reason);
    }
  }
}
