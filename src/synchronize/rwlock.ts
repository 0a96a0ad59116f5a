import { type Block, type Bounds, currentAgent, registerShareable, Urgency } from '../memory/index.js';
import { checkFunction } from '../util/options.js';
import { entry } from '../util/package.js';
import { performance } from '../util/timers.js';
import { ownerName } from './owner/owner-name.js';
import { deadlock, RwCallers } from './owner/rw-callers.js';
import { RW_WORDS, RwState, type Share } from './state/rw-state.js';
import { SharedObject } from './state/shared-object.js';
import { boundsOf, timedOut, timeoutOf, type WaitOptions } from './wait-options.js';

/** What can be called in place of a read or a write that did not come in in time. */
export const TRY_READ = 'tryRead(), which answers null';
export const TRY_WRITE = 'tryWrite(), which answers null';

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

  /** Whether it was acquired for writing. */
  get writes(): boolean {
    return this.share === null;
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
  readonly #callers = new RwCallers<Hold>();

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
    this.block.check('RwLock.tryRead');
    const share = this.state.arrive();
    if (this.state.passes(share) || this.state.passesAfterAll(share)) return new Hold(this, share);
    this.state.leave(share);
    return null;
  }

  /** Acquires it for writing if that is possible at once; `null` if not. */
  tryWrite(): Disposable | null {
    this.block.check('RwLock.tryWrite');
    if (!this.state.writers.tryAcquire('RwLock.tryWrite')) return null;
    this.state.settle();
    if (this.state.tryEnter()) return new Hold(this, null);
    this.state.leaveWriter();
    return null;
  }

  /** As {@link read}, blocking the thread. */
  readSync(options?: WaitOptions): Disposable {
    const timeout = timeoutOf('RwLock.readSync', options);
    this.block.check('RwLock.readSync');
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
    this.block.check(actor);
    if (timeout === undefined && (this.state.readsHere || this.state.writers.ownedHere)) {
      throw deadlock(
        actor,
        'a task of this thread holds it, or waits for it, and could not go on',
        'release it first, or use write()',
      );
    }
    const end = endOf(timeout);
    if (!this.state.writers.acquireSync(actor, timeout)) throw timedOut(actor, options, TRY_WRITE);
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
    const hold = await this.#enterReader('RwLock.runRead', options);
    return this.#callers.run(hold, fn, () => hold[Symbol.dispose]());
  }

  /**
   * Runs `fn` while holding it for writing, and resolves to its result.
   * @throws as {@link write}; what `fn` throws.
   */
  async runWrite<R>(fn: () => R | PromiseLike<R>, options?: WaitOptions): Promise<R> {
    checkFunction('RwLock.runWrite', 'fn', fn);
    const hold = await this.#enterWriter('RwLock.runWrite', options);
    return this.#callers.run(hold, fn, () => hold[Symbol.dispose]());
  }

  /** Whether a writer died inside and nobody has called {@link recover} since. */
  get ownerDied(): boolean {
    this.block.check('RwLock.ownerDied');
    return this.state.ownerDied;
  }

  /** Says that what the lock guards is whole again. */
  recover(): void {
    this.block.check('RwLock.recover');
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
    this.block.check(actor);
    bounds?.signal?.throwIfAborted();
    const share = this.state.arrive();
    if (this.state.passes(share)) return new Hold(this, share);
    let within: Hold | undefined;
    try {
      within = this.#callers.reader(actor, bounds);
    } catch (error) {
      this.state.leave(share);
      throw error;
    }
    if (within !== undefined) return new Hold(this, this.state.join(share, within.share!));
    return this.#awaitGate(share, actor, bounds);
  }

  async #awaitGate(share: Share, actor: string, bounds: Bounds | undefined): Promise<Hold> {
    let had = false;
    try {
      had = await this.state.gate.wait(() => this.state.passes(share), actor, bounds);
    } finally {
      // Closing has taken it back already.
      if (!had && !this.block.closed) this.state.leave(share);
    }
    this.block.check(actor);
    if (!had) throw timedOut(actor, bounds, TRY_READ);
    return new Hold(this, share);
  }

  async #enterWriter(actor: string, options: WaitOptions | undefined): Promise<Hold> {
    const bounds = boundsOf(actor, options);
    this.block.check(actor);
    this.#callers.checkWriter(actor, bounds);
    const end = endOf(bounds?.timeout);
    const taking = this.state.writers.acquire(actor, bounds);
    if (taking !== null && !(await taking)) throw timedOut(actor, bounds, TRY_WRITE);
    this.block.check(actor);
    this.state.settle();
    let had = this.state.enter(Urgency.Fresh);
    try {
      had ||= await this.state.drain.wait(this.state.enter, actor, {
        timeout: end - performance.now(),
        signal: bounds?.signal,
      });
    } finally {
      if (!had && !this.block.closed) this.state.leaveWriter();
    }
    this.block.check(actor);
    if (!had) throw timedOut(actor, bounds, TRY_WRITE);
    return new Hold(this, null);
  }
}

function endOf(timeout: number | undefined): number {
  return timeout === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeout;
}

registerShareable('RwLock', {
  module: entry('synchronize/index'),
  class: RwLock,
  toHandle: SharedObject.toHandle,
  closed: SharedObject.isClosed,
});
