import { ArgumentError, NotOwnerError } from '../../errors/index.js';
import { checkNumber, describe } from '../../util/options.js';
import type { CurrentCall } from '../server/current-call.js';
import { caller } from './caller.js';
import { type ConditionLock, ManagedLock } from './lock.js';
import { ManagedRLock } from './rlock.js';
import { lockWait, type OfTask, type ServerWait, taskOf } from './server-wait.js';
import { referentOf } from './shared.js';
import { WaiterQueue } from './waiter-queue.js';

/**
 * The condition that a manager's `Condition(lock?)` makes, in the server.
 *
 * Semantics: as `Condition`. A waiter whose agent is gone is forgotten. A wait that is given up has
 * not got the lock back; its proxy acquires it.
 *
 * Python: `threading.Condition` in the server.
 */
export class ManagedCondition {
  readonly #lock: ConditionLock;
  readonly #sleepers = new WaiterQueue<true>();

  /**
   * @param lock A manager's Lock or RLock of the same server. Default: a new RLock.
   * @throws ArgumentError.
   */
  constructor(lock?: object) {
    const under = lock === undefined ? new ManagedRLock() : (referentOf(lock) ?? lock);
    if (!(under instanceof ManagedLock || under instanceof ManagedRLock)) {
      throw new ArgumentError(`Condition: \`lock\` must be a Lock or an RLock of this manager, not ${describe(lock)}.`);
    }
    this.#lock = under;
  }

  /**
   * Releases the lock, waits for a notification and acquires the lock again: `false` when the time
   * ran out.
   * @throws NotOwnerError.
   */
  async wait(options?: ServerWait & OfTask): Promise<boolean> {
    const call = caller();
    const { timeout, task } = lockWait('Condition.wait', options);
    this.#checkHeld(call, task, 'wait');
    const sleeping = this.#sleepers.wait(call, timeout);
    const depth = this.#lock.suspend();
    let notified = false;
    try {
      notified = (await sleeping) === true;
      await this.#lock.resume(call, task, depth);
      return notified;
    } catch (error) {
      // Who gives up has not got the lock back: its proxy acquires it. What it was notified of is
      // another one's.
      if (notified) this.#sleepers.serveFirst(true);
      throw error;
    }
  }

  /** Wakes up to `n` of those who wait, who came first first. @throws NotOwnerError. */
  notify(n = 1, options?: OfTask): void {
    checkNumber('Condition.notify', 'n', n, { integer: true, infinite: true });
    this.#checkHeld(caller(), taskOf('Condition.notify', options), 'notify');
    for (let left = n; left > 0 && this.#sleepers.serveFirst(true); left--);
  }

  /** Wakes all who wait. @throws NotOwnerError. */
  notifyAll(options?: OfTask): void {
    this.#checkHeld(caller(), taskOf('Condition.notifyAll', options), 'notifyAll');
    this.#sleepers.serveAll(true);
  }

  acquire(options?: ServerWait & OfTask): boolean | Promise<boolean> {
    return this.#lock.acquire(options);
  }

  release(options?: OfTask): void {
    this.#lock.release(options);
  }

  locked(): boolean {
    return this.#lock.locked();
  }

  get ownerDied(): boolean {
    return this.#lock.ownerDied;
  }

  recover(): void {
    this.#lock.recover();
  }

  /** Returns the kind of its lock: whether `rlock` or `lock` gives its proxy. */
  recursive(): boolean {
    return this.#lock instanceof ManagedRLock;
  }

  /** Its lock, for the proxy, which counts an owner's levels. */
  lock(): ConditionLock {
    return this.#lock;
  }

  /** As {@link lock}. */
  rlock(): ConditionLock {
    return this.#lock;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#sleepers.length;
  }

  /** `<Condition(<RLock(None, 0)>, 2)>`: the lock, and how many wait. */
  toString(): string {
    return `<Condition(${String(this.#lock)}, ${this.#sleepers.length})>`;
  }

  #checkHeld(call: CurrentCall, task: number, method: string): void {
    if (!this.#lock.heldBy(call, task)) {
      throw new NotOwnerError(`Condition.${method}: the caller does not hold the lock; acquire it first.`);
    }
  }
}
