import { ArgumentError, NotOwnerError } from '../errors/index.js';
import {
  type Attempt,
  Block,
  type Bounds,
  registerShareable,
  Urgency,
  type WaitCell,
  WaitQueue,
} from '../memory/index.js';
import { checkFunction, checkNumber } from '../util/options.js';
import { entry } from '../util/package.js';
import { ReleaseOnce } from './owner/release-once.js';
import { PERMIT_LEDGER_WORDS, PermitLedger } from './state/permit-ledger.js';
import { SharedObject } from './state/shared-object.js';
import { boundsOf, timedOut, timeoutOf, type WaitOptions } from './wait-options.js';
import { FairnessReserve } from './words/fairness.js';
import { LivenessThrottle } from './words/liveness-throttle.js';
import {
  announce,
  FAIR,
  give,
  MAX_PERMITS,
  PERMIT_UNIT,
  permits,
  take,
  WAITERS,
  withdraw,
} from './words/semaphore-word.js';

/** Words of a semaphore: its word, its bound, its holders. */
const WORDS = 2 + PERMIT_LEDGER_WORDS;
const AT_ONCE = Promise.resolve(true);

/**
 * A number of permits, taken and given by any process, thread and task.
 *
 * Semantics: `acquire` takes one and waits while there is none; `release` gives one, also beyond
 * the initial value (see {@link BoundedSemaphore}). While nobody waits both are a compare-and-set,
 * without a system call. Fairness and cancellation as with `Lock`.
 *
 * Owner death: permits that were taken by `hold` or `runExclusive` come back when the process or
 * thread that took them ends without giving them back. Those taken by `acquire` do not: nobody can
 * know who will release them.
 *
 * Python: `multiprocessing.Semaphore`.
 * @example
 * import { Pool, Semaphore } from 'multiprocess';
 *
 * const licences = new Semaphore(2);
 * await using pool = new Pool({ processes: 4 });
 * const work = async (n: number) => {
 *   using _ = await licences.hold(); // two at a time, whoever asks
 *   return n * 2;
 * };
 * console.log(await pool.map(work, [1, 2, 3, 4])); // [ 2, 4, 6, 8 ]
 */
export class Semaphore extends SharedObject {
  readonly #words: Int32Array;
  readonly #cell: WaitCell;
  readonly #queue: WaitQueue;
  readonly #ledger: PermitLedger;
  readonly #reserve = new FairnessReserve();
  readonly #throttle = new LivenessThrottle();

  /**
   * @param value Permits at the start; default 1.
   * @throws ArgumentError; MultiprocessError `MP_SYSTEM`.
   */
  constructor(value?: number);
  /** @internal */
  constructor(value: number | Block | undefined);
  constructor(value: number | Block = 1) {
    const attached = value instanceof Block;
    if (!attached) {
      checkNumber(new.target.name, 'value', value, { integer: true });
      if (value > MAX_PERMITS)
        throw new ArgumentError(`${new.target.name}: \`value\` must be at most ${MAX_PERMITS}, not ${value}.`);
    }
    super(4 * WORDS, attached ? value : undefined);
    this.#words = this.block.int32;
    this.#cell = this.block.cell(0);
    this.#queue = new WaitQueue(this.#cell, {
      announce: (patient) => announce(this.#words, patient),
      checkPeers: () => this.#reclaim(),
      withdraw: () => {
        if (withdraw(this.#words)) this.#cell.notify(1);
      },
    });
    this.#ledger = new PermitLedger(this.block, 2, (count) => this.#cell.notify(count));
    if (attached) return;
    Atomics.store(this.#words, 1, value);
    Atomics.store(this.#words, 0, value * PERMIT_UNIT);
  }

  /**
   * Takes a permit without blocking: `false` when the time ran out. Rejects with `signal.reason`.
   */
  acquire(options?: WaitOptions): Promise<boolean> {
    if (options === undefined && !this.block.closed && this.#queue.length === 0 && take(this.#words, false, 0, 0) >= 0)
      return AT_ONCE;
    return this.#wait(this.#attempt, 'acquire', options);
  }

  /** Takes a permit if one is there. */
  tryAcquire(): boolean {
    this.#check('tryAcquire');
    return take(this.#words, false, 0, 0) >= 0 || this.#tryHarder();
  }

  /** Takes a permit, blocking the thread: `false` when the time ran out. */
  acquireSync(options?: WaitOptions): boolean {
    this.#check('acquireSync');
    const timeout = options === undefined ? undefined : timeoutOf(`${this.constructor.name}.acquireSync`, options);
    return take(this.#words, false, 0, 0) >= 0 || this.#queue.waitSync(this.#attempt, timeout);
  }

  /**
   * Gives permits.
   * @param count Default 1.
   * @throws NotOwnerError when a bounded semaphore would have more than at first; ArgumentError.
   */
  release(count = 1): void {
    this.#check('release');
    if (count !== 1) checkNumber(`${this.constructor.name}.release`, 'count', count, { integer: true, min: 1 });
    const word = give(this.#words, count, this.most, 0);
    if (word < 0) throw this.#tooMany();
    this.#wake(word, count);
  }

  /** Permits that are there now. */
  getValue(): number {
    this.#check('getValue');
    return permits(Atomics.load(this.#words, 0));
  }

  /**
   * Takes a permit for a `using` block; it comes back too when this process or thread ends.
   * @throws TimeoutError `MP_TIMEOUT`.
   */
  hold(options?: WaitOptions): Promise<Disposable> {
    return this.#hold('hold', options);
  }

  async #hold(method: string, options: WaitOptions | undefined): Promise<Disposable> {
    if (!(await this.#wait(this.#attemptHold, method, options)))
      throw timedOut(`${this.constructor.name}.${method}`, options);
    return new ReleaseOnce(() => {
      this.#check('release');
      this.#wake(this.#ledger.give(), 1);
    });
  }

  /** Runs `fn` while holding a permit. @throws TimeoutError `MP_TIMEOUT`; what `fn` throws. */
  async runExclusive<R>(fn: () => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    checkFunction(`${this.constructor.name}.runExclusive`, 'fn', fn);
    const held = await this.#hold('runExclusive', options);
    try {
      return await fn();
    } finally {
      held[Symbol.dispose]();
    }
  }

  /** `<Semaphore(value=2)>`. */
  protected override shown(): string {
    return `<Semaphore(value=${this.getValue()})>`;
  }

  /** @internal Most permits. */
  protected get most(): number {
    return MAX_PERMITS;
  }

  /** @internal Permits at the start. */
  protected get initial(): number {
    return Atomics.load(this.#words, 1);
  }

  /** @throws ClosedError that names the method. */
  #check(method: string): void {
    if (this.block.closed) this.block.check(`${this.constructor.name}.${method}`);
  }

  #wait(attempt: Attempt, method: string, options: WaitOptions | undefined): Promise<boolean> {
    let bounds: Bounds | undefined;
    try {
      this.#check(method);
      if (options !== undefined) bounds = boundsOf(`${this.constructor.name}.${method}`, options);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#queue.wait(attempt, `${this.constructor.name}.${method}`, bounds);
  }

  readonly #attempt: Attempt = (urgency) =>
    this.#had(urgency, take(this.#words, urgency === Urgency.Patient, urgency === Urgency.Fresh ? 0 : WAITERS, 0));

  readonly #attemptHold: Attempt = (urgency) =>
    permits(Atomics.load(this.#words, 0)) > 0 &&
    this.#had(urgency, this.#ledger.take(urgency === Urgency.Patient, urgency === Urgency.Fresh ? 0 : WAITERS));

  #had(urgency: Urgency, left: number): boolean {
    if (left > 0 && urgency !== Urgency.Fresh) this.#cell.notify(1);
    return left >= 0;
  }

  #wake(word: number, count: number): void {
    if ((word & FAIR) !== 0) {
      this.#cell.notify();
      this.#queue.kick();
    } else if ((word & WAITERS) !== 0 && (!this.#queue.kick() || count > 1)) this.#cell.notify(count);
  }

  #tryHarder(): boolean {
    const word = Atomics.load(this.#words, 0);
    if (permits(word) > 0) return this.#reserve.allows((word & FAIR) !== 0) && take(this.#words, true, 0, 0) >= 0;
    this.#reserve.allows(false);
    return this.#throttle.mayCheckNow() && this.#reclaim() && take(this.#words, false, 0, 0) >= 0;
  }

  #tooMany(): NotOwnerError {
    return new NotOwnerError(
      `${this.constructor.name}.release: it would have more than ${this.most} permits; release once for each acquire that answered true.`,
      { code: 'MP_OVER_RELEASE' },
    );
  }

  /** What died holders held comes back. Returns whether a permit is there. */
  #reclaim(): boolean {
    return this.#ledger.reclaim() > 0 || permits(Atomics.load(this.#words, 0)) > 0;
  }
}

registerShareable('Semaphore', {
  module: entry('synchronize/index'),
  class: Semaphore,
  toHandle: SharedObject.toHandle,
  closed: SharedObject.isClosed,
});
