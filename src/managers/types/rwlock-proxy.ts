import { RwCallers, TRY_READ, TRY_WRITE, timedOut } from '../../synchronize/index.js';
import { checkFunction } from '../../util/options.js';
import { boundsOf, type WaitOptions } from '../../util/wait-options.js';
import { BaseProxy } from '../proxy.js';
import { RemoteHeld } from './remote-held.js';

/** What a call has acquired: the number by which the server knows it. */
interface Hold {
  readonly number: number;
  readonly writes: boolean;
}

/**
 * A manager's `RwLock`, in a client: many readers, or one writer.
 *
 * Semantics, fairness, owner death, deadlock: as `RwLock`, but for every client of the manager,
 * wherever it runs. Cancellation: an aborted wait rejects with `signal.reason`, and leaves nothing
 * behind.
 *
 * Python has none.
 *
 * @example
 * import { manager } from 'multiprocess';
 *
 * await using m = await manager();
 * const [lock, table] = [await m.RwLock(), await m.dict<string, number>()];
 * await lock.runWrite(() => table.set('a', 1));
 * console.log(await lock.runRead(() => table.get('a'))); // 1
 */
export class RwLockProxy extends BaseProxy {
  readonly #callers = new RwCallers<Hold>();

  /**
   * Acquires it for reading, for an `await using` (or `using`) block.
   * @throws TimeoutError `MP_TIMEOUT`; NotOwnerError `MP_DEADLOCK`. Rejects with `signal.reason`.
   */
  async read(options?: WaitOptions): Promise<RemoteHeld> {
    return this.#held(await this.#enter('RwLock.read', false, options));
  }

  /** Acquires it for writing. @throws as {@link read}. */
  async write(options?: WaitOptions): Promise<RemoteHeld> {
    return this.#held(await this.#enter('RwLock.write', true, options));
  }

  /** Acquires it for reading if that is possible at once; `null` if not. */
  async tryRead(): Promise<RemoteHeld | null> {
    const hold = await this.#ask('RwLock.tryRead', false, { timeout: 0 });
    return hold === null ? null : this.#held(hold);
  }

  /** Acquires it for writing if that is possible at once; `null` if not. */
  async tryWrite(): Promise<RemoteHeld | null> {
    const hold = await this.#ask('RwLock.tryWrite', true, { timeout: 0 });
    return hold === null ? null : this.#held(hold);
  }

  /** Runs `fn`, here, while holding it for reading. @throws as {@link read}; what `fn` throws. */
  async runRead<R>(fn: () => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    checkFunction('RwLock.runRead', 'fn', fn);
    const hold = await this.#enter('RwLock.runRead', false, options);
    return this.#callers.run(hold, fn, () => this.#release(hold));
  }

  /** Runs `fn`, here, while holding it for writing. @throws as {@link write}; what `fn` throws. */
  async runWrite<R>(fn: () => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    checkFunction('RwLock.runWrite', 'fn', fn);
    const hold = await this.#enter('RwLock.runWrite', true, options);
    return this.#callers.run(hold, fn, () => this.#release(hold));
  }

  /** Process id of who writes; `null` when nobody does. */
  declare readonly owner: Promise<number | null>;

  /** Whether a writer was gone while it wrote, and nobody has called {@link recover} since. */
  declare readonly ownerDied: Promise<boolean>;

  /** Says that what the lock guards is whole again. */
  async recover(): Promise<void> {
    await this.callMethod('recover');
  }

  async #enter(actor: string, writes: boolean, options: WaitOptions | undefined): Promise<Hold> {
    const hold = await this.#ask(actor, writes, boundsOf(actor, options));
    if (hold === null) throw timedOut(actor, options, writes ? TRY_WRITE : TRY_READ);
    return hold;
  }

  async #ask(actor: string, writes: boolean, bounds: WaitOptions | undefined): Promise<Hold | null> {
    let number: number | null;
    if (writes) {
      this.#callers.checkWriter(actor, bounds);
      number = await this.callMethod<number | null>('write', [bounds]);
    } else {
      const within = this.#callers.reader(actor, bounds)?.number;
      number = await this.callMethod<number | null>('read', [{ ...bounds, within }]);
    }
    return number === null ? null : { number, writes };
  }

  #held(hold: Hold): RemoteHeld {
    return new RemoteHeld(() => this.#release(hold));
  }

  async #release({ number }: Hold): Promise<void> {
    await this.callMethod('release', [number]);
  }
}
