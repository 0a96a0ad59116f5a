import { NotOwnerError } from '../errors/index.js';
import { type Block, type Bounds, currentAgent, registerShareable, Urgency } from '../memory/index.js';
import { checkFunction } from '../util/options.js';
import { entry } from '../util/package.js';
import { performance } from '../util/timers.js';
import { owns, runAs, Token, unused, used } from './owner/async-owner.js';
import { ownerName } from './owner/owner-name.js';
import { RW_WORDS, RwState, type Share } from './state/rw-state.js';
import { SharedObject } from './state/shared-object.js';
import { boundsOf, timedOut, timeoutOf, type WaitOptions } from './wait-options.js';

const TRY_READ = 'tryRead(), which answers null';
const TRY_WRITE = 'tryWrite(), which answers null';

/** What one call has acquired: releases it, once, at the end of a `using` block or when told. */
class Hold implements Disposable {
  readonly #lock: RwLock;
  /** Its share of the readers; `null`: it holds the lock for writing. */
  readonly share: Share | null;
  /** Whose it is: a fork has it too. */
  readonly #agent = currentAgent();
  #held = true;

  constructor(lock: RwLock, share: Share | null) {
    this.#lock = lock;
    this.share = share;
  }

  /** Releases. Doing so twice does nothing, nor once the lock was closed here. */
  [Symbol.dispose](): void {
    if (!this.#held) return;
    this.#held = false;
    const { block, state } = this.#lock;
    if (block.closed || this.#agent !== currentAgent()) return;
    if (this.share === null) state.leaveWriter();
    else state.leave(this.share);
  }
}

/** What runs within `runRead` or `runWrite`. */
interface Running {
  readonly hold: Hold;
  readonly token: Token;
}

/**
 * Many readers, or one writer: a lock for what is read far more often than it is changed.
 *
 * Semantics: `read` waits while a writer is inside or waits, `write` until everybody else has left.
 * Each gives a `Disposable` that releases, once; doing so twice does nothing. While no writer comes,
 * a reader takes no lock, makes no system call and does not slow other readers down. A writer looks
 * at each thread that has ever read here, up to 1,024.
 *
 * Fairness: whoever reads when a writer comes is waited for; readers that come later wait, and are
 * let in together when that writer has left, before the next one. So neither starves the other.
 * Among writers it is as with `Lock`.
 *
 * Owner death: what a reader held is given back when its process or thread has ended. When a writer
 * ends inside, the next one to come, reader or writer, gets in with {@link ownerDied} set: what the
 * lock guards may be half changed. Repair it as a writer, then call {@link recover}. Those who wait
 * notice within about 60 ms.
 *
 * Deadlock: who holds it for reading and waits to write waits for itself, and so does a writer that
 * asks again. Within `runRead` and `runWrite` that is refused (`MP_DEADLOCK`), unless the wait has a
 * time limit or a signal; what `fn` calls or starts counts as `fn`. There reading within reading is
 * let in at once, also while a writer waits. The blocking forms refuse where any task of the thread
 * is in the way. What `read()` and `write()` gave may be released by anybody at any time, so with
 * these nothing is refused: release the one before you await the other.
 *
 * Cancellation: an aborted wait leaves nothing behind.
 *
 * Python has none.
 *
 * @example
 * import { RwLock, SharedArray } from 'multiprocess';
 *
 * const lock = new RwLock();
 * const table = new SharedArray('i', 4);
 * await lock.runWrite(() => table.array.fill(7));
 * console.log(await lock.runRead(() => table.array.join())); // 7,7,7,7
 */
export class RwLock extends SharedObject {
  /** @internal */
  readonly state: RwState;
  readonly #running = new Set<Running>();

  /**
   * A new lock, which nobody holds.
   * @throws MultiprocessError `MP_SYSTEM` without memory or descriptors.
   */
  constructor();
  /** @internal */
  constructor(block?: Block);
  constructor(block?: Block) {
    super(4 * RW_WORDS, block);
    this.state = new RwState(this.block);
  }

  /**
   * Acquires it for reading, without blocking.
   * @throws TimeoutError `MP_TIMEOUT`; NotOwnerError `MP_DEADLOCK`; UnsupportedError
   * `MP_TOO_MANY_AGENTS` when 1,024 threads read here. Rejects with `signal.reason`.
   */
  read(options?: WaitOptions): Promise<Disposable> {
    try {
      return Promise.resolve(this.#enterReader('RwLock.read', options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Acquires it for writing, without blocking.
   * @throws TimeoutError `MP_TIMEOUT`; NotOwnerError `MP_DEADLOCK`. Rejects with `signal.reason`.
   */
  write(options?: WaitOptions): Promise<Disposable> {
    return this.#enterWriter('RwLock.write', options);
  }

  /** Acquires it for reading if that is possible at once; `null` if not. */
  tryRead(): Disposable | null {
    this.block.check();
    const share = this.state.arrive();
    if (this.state.passes(share) || this.state.passesAfterAll(share)) return new Hold(this, share);
    this.state.leave(share);
    return null;
  }

  /** Acquires it for writing if that is possible at once; `null` if not. */
  tryWrite(): Disposable | null {
    this.block.check();
    if (!this.state.writers.tryAcquire()) return null;
    this.state.settle();
    if (this.state.tryEnter()) return new Hold(this, null);
    this.state.leaveWriter();
    return null;
  }

  /** As {@link read}, blocking the thread. */
  readSync(options?: WaitOptions): Disposable {
    const timeout = timeoutOf('RwLock.readSync', options);
    this.block.check();
    const share = this.state.arrive();
    if (this.state.passes(share)) return new Hold(this, share);
    // A writer waits for a task of this thread, which cannot go on meanwhile.
    const other = this.state.ownReader(share);
    if (other !== null) return new Hold(this, this.state.join(share, other));
    if (timeout === undefined && this.state.writers.ownedHere) {
      this.state.leave(share);
      throw deadlock('RwLock.readSync', 'a task of this thread holds it for writing, or waits to', 'use read()');
    }
    if (this.state.gate.waitSync(() => this.state.passes(share), timeout)) return new Hold(this, share);
    this.state.leave(share);
    throw timedOut('RwLock.readSync', options, TRY_READ);
  }

  /** As {@link write}, blocking the thread. */
  writeSync(options?: WaitOptions): Disposable {
    const actor = 'RwLock.writeSync';
    const timeout = timeoutOf(actor, options);
    this.block.check();
    if (timeout === undefined && (this.state.readsHere || this.state.writers.ownedHere)) {
      throw deadlock(actor, 'a task of this thread holds it, or waits for it, and could not go on', 'release it first, or use write()');
    }
    const end = endOf(timeout);
    if (!this.state.writers.acquireSync(timeout)) throw timedOut(actor, options, TRY_WRITE);
    this.state.settle();
    if (!this.state.enter(Urgency.Fresh) && !this.state.drain.waitSync(this.state.enter, end - performance.now())) {
      this.state.leaveWriter();
      throw timedOut(actor, options, TRY_WRITE);
    }
    return new Hold(this, null);
  }

  /**
   * Runs `fn` while holding it for reading, and resolves to its result.
   * @throws as {@link read}; what `fn` throws.
   */
  async runRead<R>(fn: () => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    checkFunction('RwLock.runRead', 'fn', fn);
    return this.#run(fn, await this.#enterReader('RwLock.runRead', options));
  }

  /**
   * Runs `fn` while holding it for writing, and resolves to its result.
   * @throws as {@link write}; what `fn` throws.
   */
  async runWrite<R>(fn: () => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    checkFunction('RwLock.runWrite', 'fn', fn);
    return this.#run(fn, await this.#enterWriter('RwLock.runWrite', options));
  }

  /** Whether a writer died inside and nobody has called {@link recover} since. */
  get ownerDied(): boolean {
    this.block.check();
    return this.state.ownerDied;
  }

  /** Says that what the lock guards is whole again. */
  recover(): void {
    this.block.check();
    this.state.recover();
  }

  /**
   * Ends the use of the object in this thread. What its tasks hold is released, and those that wait
   * get a ClosedError. Closing twice does nothing.
   */
  override close(): void {
    if (!this.block.closed) this.state.leaveAll();
    super.close();
  }

  /** `<RwLock(writer=None, readers=2)>`. */
  protected override shown(): string {
    const died = this.ownerDied ? ', owner died' : '';
    return `<RwLock(writer=${ownerName(this.state.writer)}, readers=${this.state.readers}${died})>`;
  }

  // ---- entering

  #enterReader(actor: string, options: WaitOptions | undefined): Hold | Promise<Hold> {
    const bounds = boundsOf(actor, options);
    this.block.check();
    bounds?.signal?.throwIfAborted();
    const share = this.state.arrive();
    if (this.state.passes(share)) return new Hold(this, share);
    const within = this.#callers();
    const reading = within.find((hold) => hold.share !== null)?.share;
    if (reading != null) return new Hold(this, this.state.join(share, reading));
    if (within.length > 0 && isUnbounded(bounds)) {
      this.state.leave(share);
      throw deadlock(actor, 'the caller runs within runWrite()', 'read without it, or after it');
    }
    return this.#awaitGate(share, actor, bounds);
  }

  async #awaitGate(share: Share, actor: string, bounds: Bounds | undefined): Promise<Hold> {
    let had = false;
    try {
      had = await this.state.gate.wait(() => this.state.passes(share), bounds);
    } finally {
      // Closing has taken it back already.
      if (!had && !this.block.closed) this.state.leave(share);
    }
    this.block.check();
    if (!had) throw timedOut(actor, bounds, TRY_READ);
    return new Hold(this, share);
  }

  async #enterWriter(actor: string, options: WaitOptions | undefined): Promise<Hold> {
    const bounds = boundsOf(actor, options);
    this.block.check();
    const within = this.#callers();
    if (within.length > 0 && isUnbounded(bounds)) {
      throw within.some((hold) => hold.share === null)
        ? deadlock(actor, 'the caller runs within runWrite()', 'write without it, or after it')
        : deadlock(actor, 'the caller runs within runRead()', 'write after it, and read again there: another writer may come in between');
    }
    const end = endOf(bounds?.timeout);
    const taking = this.state.writers.acquire(bounds);
    if (taking !== null && !(await taking)) throw timedOut(actor, bounds, TRY_WRITE);
    this.block.check();
    this.state.settle();
    let had = this.state.enter(Urgency.Fresh);
    try {
      had ||= await this.state.drain.wait(this.state.enter, { timeout: end - performance.now(), signal: bounds?.signal });
    } finally {
      if (!had && !this.block.closed) this.state.leaveWriter();
    }
    this.block.check();
    if (!had) throw timedOut(actor, bounds, TRY_WRITE);
    return new Hold(this, null);
  }

  async #run<R>(fn: () => R | PromiseLike<R>, hold: Hold): Promise<R> {
    const running: Running = { hold, token: new Token() };
    running.token.depth = 1;
    used(running.token);
    this.#running.add(running);
    try {
      return await runAs(running.token, fn);
    } finally {
      this.#running.delete(running);
      running.token.depth = 0;
      unused(running.token);
      hold[Symbol.dispose]();
    }
  }

  /** What the caller runs within. */
  #callers(): Hold[] {
    const found: Hold[] = [];
    for (const { hold, token } of this.#running) if (owns(token)) found.push(hold);
    return found;
  }
}

function isUnbounded(bounds: Bounds | undefined): boolean {
  return bounds?.timeout === undefined && bounds?.signal === undefined;
}

function endOf(timeout: number | undefined): number {
  return timeout === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeout;
}

function deadlock(actor: string, why: string, repair: string): NotOwnerError {
  return new NotOwnerError(`${actor}: ${why}, and it would wait for ever; ${repair}.`, { code: 'MP_DEADLOCK' });
}

registerShareable('RwLock', {
  module: entry('synchronize/index'),
  class: RwLock,
  toHandle: SharedObject.toHandle,
});
