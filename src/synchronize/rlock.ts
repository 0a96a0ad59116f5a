import { NotOwnerError } from '../errors/index.js';
import { type Block, osThreadIdOf, registerShareable } from '../memory/index.js';
import { checkFunction } from '../util/options.js';
import { entry } from '../util/package.js';
import type { LockLike } from './lock.js';
import { enter, enterWith, owns, runAs, Token, unused, used } from './owner/async-owner.js';
import { ownerName, ownName } from './owner/owner-name.js';
import { ReleaseOnce } from './owner/release-once.js';
import { SharedObject } from './state/shared-object.js';
import { boundsOf, timedOut, timeoutOf, type WaitOptions } from './wait-options.js';
import { MUTEX_WORDS, Mutex } from './words/mutex.js';

/**
 * Mutual exclusion that its owner may enter again.
 *
 * Owner: process, thread and async context (owner/async-owner.ts says what that is). What runs
 * between an `await lock.acquire()` and the release, and all that it calls or starts, is one owner;
 * two tasks that run side by side are two, and exclude each other.
 *
 * Semantics: it is free again when its owner has released as often as it acquired. Fairness, owner
 * death and cancellation as with {@link Lock}.
 *
 * Gotcha: the owner is who writes `await lock.acquire()`. A helper `async function lockAll() { await
 * lock.acquire(); }` owns the lock itself, not its caller; of `lock.acquire().then(work).finally(…)`
 * each callback is a task of its own, and `Promise.all([a.acquire(), b.acquire()])` owns neither.
 * Use `runExclusive` or `hold()` there.
 *
 * Python: `multiprocessing.RLock`, whose owner is the process and thread.
 * @example
 * import { RLock } from 'multiprocess';
 *
 * const lock = new RLock();
 * const outer = await lock.runExclusive(async () => {
 *   return lock.runExclusive(() => 'the same owner again');
 * });
 * console.log(outer); // the same owner again
 */
export class RLock extends SharedObject implements LockLike {
  readonly #mutex: Mutex;
  /** The owner, when it is of this thread. */
  #token: Token | null = null;

  /**
   * A new lock, which nobody holds.
   * @throws MultiprocessError `MP_SYSTEM` without memory or descriptors.
   */
  constructor();
  /** @internal */
  constructor(block?: Block);
  constructor(block?: Block) {
    super(4 * MUTEX_WORDS, block);
    this.#mutex = new Mutex(this.block, 0, 'RLock');
  }

  acquire(options?: WaitOptions): Promise<boolean> {
    let bounds: WaitOptions | undefined;
    try {
      bounds = boundsOf('RLock.acquire', options);
      if (this.#again('RLock.acquire', bounds)) return Promise.resolve(true);
    } catch (error) {
      return Promise.reject(error);
    }
    return enterWith('RLock.acquire', (token, resolve, reject) => {
      const taking = this.#mutex.acquire('RLock.acquire', bounds);
      if (taking === null) resolve(this.#begin(token));
      else taking.then((had) => resolve(had && this.#begin(token)), reject);
    });
  }

  tryAcquire(): boolean {
    if (this.#again('RLock.tryAcquire')) return true;
    if (!this.#mutex.tryAcquire('RLock.tryAcquire')) return false;
    this.#enter();
    return true;
  }

  acquireSync(options?: WaitOptions): boolean {
    const timeout = timeoutOf('RLock.acquireSync', options);
    if (this.#again('RLock.acquireSync')) return true;
    if (this.#mutex.ownedHere && timeout === undefined) {
      throw new NotOwnerError(
        'RLock.acquireSync: another async task of this thread holds it and could never release it; use acquire().',
        {
          code: 'MP_DEADLOCK',
        },
      );
    }
    if (!this.#mutex.acquireSync('RLock.acquireSync', timeout)) return false;
    this.#enter();
    return true;
  }

  /** Releases it once. @throws NotOwnerError when the caller does not hold it. */
  release(): void {
    this.block.check('RLock.release');
    if (!this.owned) throw this.#notOwner('release');
    this.#giveBack(this.#token as Token);
  }

  locked(): boolean {
    this.block.check('RLock.locked');
    return this.#mutex.owner !== 0;
  }

  hold(options?: WaitOptions): Promise<Disposable> {
    const take = (token: Token) =>
      this.#take(token, options, 'RLock.hold').then(() => new ReleaseOnce(() => this.#giveBack(token)));
    if (this.owned) return take(this.#token as Token);
    return enterWith('RLock.hold', (token, resolve, reject) => void take(token).then(resolve, reject));
  }

  async runExclusive<R>(fn: () => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    checkFunction('RLock.runExclusive', 'fn', fn);
    const token = this.owned ? (this.#token as Token) : new Token();
    await this.#take(token, options, 'RLock.runExclusive');
    try {
      return await runAs(token, fn);
    } finally {
      this.#giveBack(token);
    }
  }

  get ownerDied(): boolean {
    this.block.check('RLock.ownerDied');
    return this.#mutex.ownerDied;
  }

  recover(): void {
    this.block.check('RLock.recover');
    this.#mutex.recover();
  }

  /** Whether the caller holds it: this process, thread and async context. */
  get owned(): boolean {
    return this.#token !== null && owns(this.#token);
  }

  /** Process (or, for a worker thread, thread) id of who holds it; `null` when nobody does. */
  get owner(): number | null {
    this.block.check('RLock.owner');
    return osThreadIdOf(this.#mutex.owner) || null;
  }

  /**
   * `<RLock(None, 0)>`, `<RLock(MainProcess, 2)>`, `<RLock(SomeOtherProcess 4711, nonzero)>`: owner
   * and depth.
   */
  protected override shown(): string {
    const owner = this.#mutex.owner;
    const died = this.ownerDied ? ', owner died' : '';
    if (this.#token === null || !this.#mutex.ownedHere)
      return `<RLock(${ownerName(owner)}, ${owner === 0 ? 0 : 'nonzero'}${died})>`;
    return `<RLock(${this.owned ? ownName() : `SomeOtherTask of ${ownName()}`}, ${this.#token.depth}${died})>`;
  }

  // ---- for conditions

  /** @internal Releases all levels; returns what {@link resume} needs. */
  suspend(): Token {
    const token = this.#token as Token;
    token.suspended = true;
    token.suspendedDepth = token.depth;
    token.depth = 1;
    this.#giveBack(token);
    return token;
  }

  /** @internal Acquires again, as deep as it was. */
  async resume(token: Token): Promise<void> {
    await this.#mutex.acquire('Condition.wait');
    this.#resumed(token);
  }

  /** @internal */
  resumeSync(token: Token): void {
    this.#mutex.acquireSync('Condition.waitSync');
    this.#resumed(token);
  }

  #resumed(token: Token): void {
    this.#begin(token);
    token.depth = token.suspendedDepth;
    token.suspended = false;
  }

  async #take(token: Token, options: WaitOptions | undefined, actor: string): Promise<void> {
    const bounds = boundsOf(actor, options);
    if (this.#again(actor, bounds)) return;
    const taking = this.#mutex.acquire(actor, bounds);
    if (taking !== null && !(await taking)) throw timedOut(actor, options);
    this.#begin(token);
  }

  #again(actor: string, bounds?: WaitOptions): boolean {
    this.block.check(actor);
    if (!this.owned) return false;
    bounds?.signal?.throwIfAborted();
    (this.#token as Token).depth++;
    return true;
  }

  #enter(): void {
    const token = new Token();
    this.#begin(token);
    enter(token);
  }

  #begin(token: Token): true {
    if (!token.suspended) used(token);
    token.depth = 1;
    this.#token = token;
    return true;
  }

  #giveBack(token: Token): void {
    this.block.check('RLock.release');
    if (this.#token !== token) throw this.#notOwner('release');
    if (--token.depth > 0) return;
    if (!token.suspended) unused(token);
    this.#token = null;
    this.#mutex.release('RLock.release');
  }

  #notOwner(method: string): NotOwnerError {
    const { owner } = this.#mutex;
    const who =
      owner === 0
        ? 'nobody holds it'
        : this.#token !== null
          ? 'another async task of this thread holds it'
          : `${ownerName(owner)} holds it`;
    return new NotOwnerError(
      `RLock.${method}: ${who}; only the owner may, once for each acquire. The owner is who awaited acquire() itself, not a \`then\` of it: use hold() or runExclusive() to release elsewhere.`,
    );
  }
}

registerShareable('RLock', {
  module: entry('synchronize/index'),
  class: RLock,
  toHandle: SharedObject.toHandle,
  closed: SharedObject.isClosed,
});
