import { NotOwnerError } from '../../errors/index.js';
import { enterWith, owns, runAs, Token, timedOut } from '../../synchronize/index.js';
import { checkFunction } from '../../util/options.js';
import { boundsOf, checkWaitOptions, type WaitOptions } from '../../util/wait-options.js';
import { BaseProxy } from '../proxy.js';
import type { LockProxyLike, Suspended } from './lock-proxy.js';
import { RemoteHeld } from './remote-held.js';

/**
 * An acquisition of this agent: its number, which the server knows it by, and the token that its
 * async context carries.
 */
interface Acquisition {
  readonly task: number;
  readonly token: Token;
}

let last = 0;

/**
 * A manager's `RLock`, in a client.
 *
 * Owner: process, thread and async context, as with `RLock`: what runs between an `await
 * lock.acquire()` and the release, and all that it calls or starts. The levels of an owner are
 * counted here; the server is asked for the first, and told of the last.
 *
 * Python: `SyncManager.RLock`, whose owner is the client's thread.
 * @example
 * import { manager } from 'multiprocess';
 *
 * await using m = await manager();
 * const lock = await m.RLock();
 * const log: string[] = [];
 * const note = (text: string) => lock.runExclusive(() => log.push(text));
 * await lock.runExclusive(async () => {
 *   await note('both lines,'); // its owner may enter again
 *   await note('and nobody between');
 * });
 * console.log(log.join(' '), await lock.locked()); // both lines, and nobody between false
 */
export class RLockProxy extends BaseProxy {
  /** The acquisition of this agent that has the lock. */
  #holder: Acquisition | null = null;

  /**
   * Acquires, once more where the caller owns it: `false` when the time ran out. Rejects with
   * `signal.reason`.
   */
  acquire(options?: WaitOptions): Promise<boolean> {
    if (this.owned) {
      return this.#again('RLock.acquire', this.#holder as Acquisition, options).then(() => true);
    }
    return enterWith(
      'RLock.acquire',
      (token, resolve, reject) =>
        void this.#take('RLock.acquire', RLockProxy.#next(token), options).then(resolve, reject),
    );
  }

  /** Acquires if that is possible at once. */
  tryAcquire(): Promise<boolean> {
    return this.acquire({ timeout: 0 });
  }

  /** Releases it once. @throws NotOwnerError when the caller does not hold it. */
  async release(): Promise<void> {
    if (!this.owned) {
      const who =
        this.#holder === null ? 'this process does not hold it' : 'another async task of this thread holds it';
      throw new NotOwnerError(
        `RLock.release: ${who}; only the owner may, once for each acquire. See hold() and runExclusive() to release elsewhere.`,
      );
    }
    await this.#give(this.#holder as Acquisition);
  }

  /** Returns whether anybody, in any client, holds it. */
  locked(): Promise<boolean> {
    return this.callMethod<boolean>('locked');
  }

  /** Acquires for an `await using` (or `using`) block. @throws TimeoutError `MP_TIMEOUT`. */
  hold(options?: WaitOptions): Promise<RemoteHeld> {
    const take = (mine: Acquisition, own: boolean) =>
      this.#enter(mine, own, options, 'RLock.hold').then(() => new RemoteHeld(() => this.#give(mine)));
    if (this.owned) return take(this.#holder as Acquisition, true);
    return enterWith(
      'RLock.hold',
      (token, resolve, reject) => void take(RLockProxy.#next(token), false).then(resolve, reject),
    );
  }

  /** Runs `fn`, here, while holding it. @throws TimeoutError `MP_TIMEOUT`; what `fn` throws. */
  async runExclusive<R>(fn: () => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    checkFunction('RLock.runExclusive', 'fn', fn);
    const own = this.owned;
    const mine = own ? (this.#holder as Acquisition) : RLockProxy.#next();
    await this.#enter(mine, own, options, 'RLock.runExclusive');
    try {
      return await runAs(mine.token, fn);
    } finally {
      await this.#give(mine);
    }
  }

  /** Whether an owner was gone while it held it, and nobody has called {@link recover} since. */
  declare readonly ownerDied: Promise<boolean>;

  /** Says that what the lock guards is whole again. */
  async recover(): Promise<void> {
    await this.callMethod('recover');
  }

  /** Process id of who holds it; `null` when nobody does. */
  declare readonly owner: Promise<number | null>;

  /** Whether the caller holds it: this process, thread and async context. */
  get owned(): boolean {
    return this.#holder !== null && owns(this.#holder.token);
  }

  /** @internal */
  get task(): number {
    return this.owned ? (this.#holder as Acquisition).task : 0;
  }

  /** @internal */
  suspend(): Suspended {
    const holder = this.#holder as Acquisition;
    const { token } = holder;
    token.suspended = true;
    token.suspendedDepth = token.depth;
    this.#holder = null;
    const resume = () => {
      token.suspended = false;
      token.depth = token.suspendedDepth;
      this.#holder = holder;
    };
    return { task: holder.task, resume };
  }

  /**
   * Acquires a lock that is still asked for: the caller's continuation owns it, as with {@link
   * acquire}.
   * @internal
   */
  static acquireOf(found: Promise<LockProxyLike>, options?: WaitOptions): Promise<boolean> {
    return enterWith('Condition.acquire', (token, resolve, reject) => {
      const mine = RLockProxy.#next(token);
      const taken = found.then((lock) =>
        lock instanceof RLockProxy && !lock.owned
          ? lock.#take('Condition.acquire', mine, options)
          : lock.acquire(options),
      );
      taken.then(resolve, reject);
    });
  }

  /** As {@link acquireOf}, for a block. @internal */
  static holdOf(found: Promise<LockProxyLike>, options?: WaitOptions): Promise<RemoteHeld> {
    return enterWith('Condition.hold', (token, resolve, reject) => {
      const mine = RLockProxy.#next(token);
      const taken = found.then(async (lock) => {
        if (!(lock instanceof RLockProxy) || lock.owned) return lock.hold(options);
        await lock.#enter(mine, false, options, 'Condition.hold');
        return new RemoteHeld(() => lock.#give(mine));
      });
      taken.then(resolve, reject);
    });
  }

  static #next(token = new Token()): Acquisition {
    return { task: ++last, token };
  }

  async #enter(mine: Acquisition, own: boolean, options: WaitOptions | undefined, actor: string): Promise<void> {
    if (own) await this.#again(actor, mine, options);
    else if (!(await this.#take(actor, mine, options))) throw timedOut(actor, options);
  }

  /** Once more for its owner. The depth is counted at once. */
  async #again(actor: string, { token }: Acquisition, options: WaitOptions | undefined): Promise<void> {
    boundsOf(actor, options)?.signal?.throwIfAborted();
    token.depth++;
  }

  async #take(actor: string, mine: Acquisition, options: WaitOptions | undefined): Promise<boolean> {
    checkWaitOptions(actor, options);
    if (!(await this.callMethod('acquire', [{ ...options, task: mine.task }]))) return false;
    mine.token.depth = 1;
    this.#holder = mine;
    return true;
  }

  async #give(mine: Acquisition): Promise<void> {
    if (this.#holder !== mine)
      throw new NotOwnerError('RLock.release: it was released before; release once for each acquire.');
    if (--mine.token.depth > 0) return;
    this.#holder = null;
    await this.callMethod('release', [{ task: mine.task }]);
  }
}
