import { ArgumentError, NotOwnerError } from '../errors/index.js';
import { ATTACH, attachBlock, type Block, type BlockOnly, type Bounds, registerShareable } from '../memory/index.js';
import { checkFunction, checkNumber, describe } from '../util/options.js';
import { entry } from '../util/package.js';
import { performance } from '../util/timers.js';
import type { Lock, LockLike } from './lock.js';
import type { Token } from './owner/async-owner.js';
import { RLock } from './rlock.js';
import { CONDITION_WORDS, ConditionState } from './state/condition-state.js';
import { SharedObject } from './state/shared-object.js';
import { boundsOf, timeoutOf, type WaitOptions } from './wait-options.js';

/** A lock as a wait uses it: released whatever its depth, and acquired again as it was. */
interface Suspendable {
  readonly owned: boolean;
  suspend(): Token | null;
  resume(token: Token | null): Promise<void>;
  resumeSync(token: Token | null): void;
}

/**
 * Waiting, under a lock, until somebody says that something has changed.
 *
 * Semantics: `wait` releases the lock, whatever its depth, waits for a notification and acquires
 * the lock again, also when the time ran out or the wait was aborted. `notify(n)` wakes n of those
 * who wait, each process and thread in turn, and who came first in each. Both need the lock.
 *
 * Owner death: a waiter that dies is forgotten, and what it was notified of and had not begun to
 * act upon goes to another one. `notify` never waits for a waiter. The lock's own `ownerDied` is to
 * be seen on the condition too.
 *
 * Cancellation: an aborted wait rejects with `signal.reason` once it has the lock again; its
 * notification goes to another waiter.
 *
 * Python: `multiprocessing.Condition`.
 *
 * @example
 * import { Condition, Process, Value } from 'multiprocess';
 *
 * const changed = new Condition();
 * const jobs = new Value('i', 0);
 * const child = await new Process(async () => {
 *   await changed.runExclusive(async () => {
 *     jobs.value += 1;
 *     changed.notify();
 *   });
 * }).start();
 * console.log(await changed.runExclusive(() => changed.waitFor(() => jobs.value > 0))); // true
 * await child.join();
 */
export class Condition extends SharedObject implements LockLike {
  /** The lock under which it is used. */
  readonly lock: Lock | RLock;
  readonly #lock: Suspendable;
  readonly #state: ConditionState;

  /**
   * @param lock Default: a new RLock.
   * @throws MultiprocessError `MP_SYSTEM` without memory or descriptors.
   */
  constructor(lock?: Lock | RLock);
  /** @internal */
  constructor(lock: Lock | RLock | undefined, block: Block);
  constructor(lock: Lock | RLock = new RLock(), block?: Block) {
    if (typeof (lock as Suspendable | null)?.suspend !== 'function')
      throw new ArgumentError(`Condition: \`lock\` must be a Lock or an RLock, not ${describe(lock)}.`);
    super(4 * CONDITION_WORDS, block);
    this.lock = lock;
    this.#lock = lock as Suspendable;
    this.#state = new ConditionState(this.block);
  }

  /** @internal */
  static override [ATTACH]({ block }: BlockOnly, [lock]: readonly unknown[]): Condition {
    return new Condition(lock as Lock | RLock, attachBlock(block));
  }

  /**
   * Releases the lock, waits for a notification without blocking, and acquires the lock again.
   * @returns `false` when the time ran out. Rejects with `signal.reason`. @throws NotOwnerError
   * when the caller does not hold the lock.
   */
  async wait(options?: WaitOptions): Promise<boolean> {
    const bounds = boundsOf('Condition.wait', options);
    this.#checkOwned('wait');
    bounds?.signal?.throwIfAborted();
    return this.#wait('Condition.wait', bounds);
  }

  /** As {@link wait}, blocking the thread. */
  waitSync(options?: WaitOptions): boolean {
    const timeout = timeoutOf('Condition.waitSync', options);
    this.#checkOwned('waitSync');
    const queue = this.#state.join();
    const token = this.#lock.suspend();
    try {
      return queue.waitSync(this.#state.take, timeout) || this.#state.leave(false);
    } finally {
      this.#lock.resumeSync(token);
    }
  }

  /**
   * Waits until `predicate` answers something true; it is asked with the lock held.
   * @returns its last answer, a false one when the time ran out. Rejects with `signal.reason`.
   * @throws NotOwnerError.
   */
  async waitFor<R>(predicate: () => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    checkFunction('Condition.waitFor', 'predicate', predicate);
    const bounds = boundsOf('Condition.waitFor', options);
    this.#checkOwned('waitFor');
    const end = performance.now() + (bounds?.timeout ?? Number.POSITIVE_INFINITY);
    for (;;) {
      const answer = await predicate();
      const left = end - performance.now();
      if (answer || left <= 0) return answer;
      bounds?.signal?.throwIfAborted();
      await this.#wait('Condition.waitFor', { ...bounds, timeout: left });
    }
  }

  /** As {@link waitFor}, blocking the thread. */
  waitForSync<R>(predicate: () => R, options?: WaitOptions): R {
    checkFunction('Condition.waitForSync', 'predicate', predicate);
    const timeout = timeoutOf('Condition.waitForSync', options);
    this.#checkOwned('waitForSync');
    const end = performance.now() + (timeout ?? Number.POSITIVE_INFINITY);
    for (;;) {
      const answer = predicate();
      const left = end - performance.now();
      if (answer || left <= 0) return answer;
      this.waitSync({ timeout: left });
    }
  }

  /**
   * Wakes up to `n` of those who wait.
   * @param n Default 1.
   * @throws NotOwnerError when the caller does not hold the lock.
   */
  notify(n = 1): void {
    checkNumber('Condition.notify', 'n', n, { integer: true, infinite: true });
    this.#checkOwned('notify');
    this.#state.notify(n);
  }

  /** Wakes all who wait. @throws NotOwnerError when the caller does not hold the lock. */
  notifyAll(): void {
    this.#checkOwned('notifyAll');
    this.#state.notify(Number.POSITIVE_INFINITY);
  }

  acquire(options?: WaitOptions): Promise<boolean> {
    return this.lock.acquire(options);
  }

  tryAcquire(): boolean {
    return this.lock.tryAcquire();
  }

  acquireSync(options?: WaitOptions): boolean {
    return this.lock.acquireSync(options);
  }

  release(): void {
    this.lock.release();
  }

  locked(): boolean {
    return this.lock.locked();
  }

  hold(options?: WaitOptions): Promise<Disposable> {
    return this.lock.hold(options);
  }

  runExclusive<R>(fn: () => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    return this.lock.runExclusive(fn, options);
  }

  get ownerDied(): boolean {
    return this.lock.ownerDied;
  }

  recover(): void {
    this.lock.recover();
  }

  /** `<Condition(<RLock(None, 0)>, 2)>`: the lock, and how many wait. */
  protected override shown(): string {
    return `<Condition(${String(this.lock)}, ${this.#state.count})>`;
  }

  async #wait(actor: string, bounds: Bounds | undefined): Promise<boolean> {
    const queue = this.#state.join();
    const token = this.#lock.suspend();
    try {
      return (await queue.wait(this.#state.take, actor, bounds)) || this.#state.leave(false);
    } catch (error) {
      if (!this.block.closed) this.#state.leave(true);
      throw error;
    } finally {
      await this.#lock.resume(token);
    }
  }

  #checkOwned(method: string): void {
    if (this.block.closed) this.block.check(`Condition.${method}`);
    if (!this.#lock.owned)
      throw new NotOwnerError(`Condition.${method}: the caller does not hold the lock; acquire it first.`);
  }
}

registerShareable<Condition, BlockOnly>('Condition', {
  module: entry('synchronize/index'),
  class: Condition,
  toHandle: SharedObject.toHandle,
  closed: SharedObject.isClosed,
  parts: (condition) => [condition.lock],
});
