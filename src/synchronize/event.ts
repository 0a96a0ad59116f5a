import { Observable } from 'rxjs';
import { type Block, type Bounds, registerShareable, type WaitCell, WaitQueue } from '../memory/index.js';
import { entry } from '../util/package.js';
import { readyBy, WAITABLE } from '../util/waitable.js';
import { SharedObject } from './state/shared-object.js';
import { boundsOf, timeoutOf, type WaitOptions } from './wait-options.js';
import { announce, change, generation, passes, SET, WAITERS } from './words/event-word.js';

const AT_ONCE = Promise.resolve(true);

/**
 * A flag that processes, threads and tasks wait for.
 *
 * Semantics: `wait` ends when the flag is set, at once if it is; a set that is cleared right away
 * still ends all waits that had begun. Setting never waits, also when a waiter has died.
 *
 * Python: `multiprocessing.Event`.
 * @example
 * import { Event, Pool } from 'multiprocess';
 *
 * const go = new Event();
 * await using pool = new Pool({ processes: 1 });
 * const waiting = pool.apply(async () => go.wait());
 * go.set();
 * console.log(await waiting); // true
 */
export class Event extends SharedObject {
  readonly #words: Int32Array;
  readonly #cell: WaitCell;
  readonly #queue: WaitQueue;

  /** A new event, not set. @throws MultiprocessError `MP_SYSTEM` without memory or descriptors. */
  constructor();
  /** @internal */
  constructor(block?: Block);
  constructor(block?: Block) {
    super(4, block);
    this.#words = this.block.int32;
    this.#cell = this.block.cell(0);
    this.#queue = new WaitQueue(this.#cell, { announce: () => announce(this.#words) }, true);
  }

  /** Whether the flag is set. */
  isSet(): boolean {
    return (this.#word('isSet') & SET) !== 0;
  }

  /** Sets the flag and ends all waits, in every process. */
  set(): void {
    this.#change('set', true);
  }

  /** Takes the flag back. */
  clear(): void {
    this.#change('clear', false);
  }

  /**
   * Waits for the flag without blocking: `false` when the time ran out first. Rejects with
   * `signal.reason`.
   */
  wait(options?: WaitOptions): Promise<boolean> {
    let bounds: Bounds | undefined;
    try {
      bounds = boundsOf('Event.wait', options);
      bounds?.signal?.throwIfAborted();
      if ((this.#word('wait') & SET) !== 0) return AT_ONCE;
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#queue.wait(this.#passes(), 'Event.wait', bounds);
  }

  /** For `wait` of `multiprocess/connection`: it is ready when the flag is set. */
  [WAITABLE](onReady: () => void): true | (() => void) {
    return this.isSet() || readyBy((signal) => this.wait({ signal }), onReady);
  }

  /** Waits for the flag, blocking the thread: `false` when the time ran out first. */
  waitSync(options?: WaitOptions): boolean {
    const timeout = timeoutOf('Event.waitSync', options);
    return (this.#word('waitSync') & SET) !== 0 || this.#queue.waitSync(this.#passes(), timeout);
  }

  /**
   * The flag as it is now, and each change of it.
   *
   * Hot: what changes while nobody is subscribed is not seen. Changes that follow each other faster
   * than they are seen come as one, but a set in between is never left out. Each subscription
   * waits, and so keeps the event loop alive.
   */
  asObservable(): Observable<boolean> {
    return new Observable((subscriber) => {
      const gone = new AbortController();
      let seen = this.#word('asObservable') & ~WAITERS;
      const differs = () => (this.#word('asObservable') & ~WAITERS) !== seen;
      const watch = () => {
        this.#queue.wait(differs, 'Event.asObservable', { signal: gone.signal }).then(
          () => {
            const [before, now] = [seen, this.#word('asObservable') & ~WAITERS];
            seen = now;
            const wasSet = generation(before) !== generation(now);
            if (wasSet) {
              if ((before & SET) !== 0) subscriber.next(false);
              subscriber.next(true);
            }
            if ((now & SET) === 0) subscriber.next(false);
            if (!subscriber.closed) watch();
          },
          (error) => {
            if (!gone.signal.aborted) subscriber.error(error);
          },
        );
      };
      subscriber.next((seen & SET) !== 0);
      if (!subscriber.closed) watch();
      return () => gone.abort();
    });
  }

  /** `<Event set>`, `<Event unset>`. */
  protected override shown(): string {
    return `<Event ${this.isSet() ? 'set' : 'unset'}>`;
  }

  #word(method: string): number {
    if (this.block.closed) this.block.check(`Event.${method}`);
    return Atomics.load(this.#words, 0);
  }

  #passes(): () => boolean {
    const start = generation(Atomics.load(this.#words, 0));
    return () => passes(this.#words, start);
  }

  #change(method: string, set: boolean): void {
    if (this.block.closed) this.block.check(`Event.${method}`);
    const word = change(this.#words, set);
    if (word < 0) return;
    if ((word & WAITERS) !== 0) this.#cell.notify();
    this.#queue.kick();
  }
}

registerShareable('Event', {
  module: entry('synchronize/index'),
  class: Event,
  toHandle: SharedObject.toHandle,
  closed: SharedObject.isClosed,
});
