import type { PullSource } from '../../streams/index.js';
import { caller } from './caller.js';
import { ChangeLog, type WatchOptions } from './change-log.js';
import { type ServerWait, timeoutIn } from './server-wait.js';
import { WaiterQueue } from './waiter-queue.js';

/**
 * The flag that a manager's `Event()` makes, in the server.
 *
 * Semantics: as `Event`; a set that is cleared right away still ends all waits that had begun.
 *
 * Python: `threading.Event` in the server.
 */
export class ManagedEvent {
  readonly #waiters = new WaiterQueue<true>();
  readonly #changes = new ChangeLog<boolean>('Event.watch', { state: () => this.#flag });
  #flag = false;

  /** Returns whether the flag is set. */
  isSet(): boolean {
    return this.#flag;
  }

  /** Sets the flag and ends all waits. */
  set(): Promise<void> | undefined {
    const wait = this.#change(true);
    this.#waiters.serveAll(true);
    return wait;
  }

  /** Takes the flag back. */
  clear(): Promise<void> | undefined {
    return this.#change(false);
  }

  /** Waits for the flag: `false` when the time ran out first. */
  wait(options?: ServerWait): boolean | Promise<boolean> {
    const timeout = timeoutIn('Event.wait', options);
    if (this.#flag) return true;
    return this.#waiters.wait(caller(), timeout).then((had) => had === true);
  }

  /** Returns the flag as it is now, and each change of it. */
  watch(options?: WatchOptions): PullSource<boolean> {
    return this.#changes.watch(options);
  }

  /** `<Event set>`, `<Event unset>`. */
  toString(): string {
    return `<Event ${this.#flag ? 'set' : 'unset'}>`;
  }

  #change(flag: boolean): Promise<void> | undefined {
    if (this.#flag === flag) return undefined;
    this.#flag = flag;
    return this.#changes.add(flag);
  }
}
