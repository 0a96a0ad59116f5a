import { ArgumentError, BrokenBarrierError } from '../errors/index.js';
import { ATTACH, attachBlock, type Block, type BlockOnly, type Bounds, registerShareable } from '../memory/index.js';
import { checkNumber, checkOptions, describe } from '../util/options.js';
import { entry } from '../util/package.js';
import { type Arrival, BarrierState, barrierWords } from './state/barrier-state.js';
import { releaseAtExit } from './state/release-on-exit.js';
import { SharedObject } from './state/shared-object.js';
import { boundsOf, timeoutOf, type WaitOptions } from './wait-options.js';

/** How a {@link Barrier} behaves. */
export interface BarrierOptions {
  /**
   * Run by the party that arrives last, once a round, before anybody passes. If it throws, the
   * barrier breaks.
   */
  readonly action?: (() => unknown) | undefined;
  /** Milliseconds for waits that give none. Default: no limit. */
  readonly timeout?: number | undefined;
}

/** Where the barrier is found by others. */
interface BarrierHandle extends BlockOnly {
  readonly parties: number;
  readonly timeout: number | null;
}

/**
 * A point that a fixed number of parties pass together, again and again.
 *
 * Semantics: `wait` ends for all when the last party has come and its `action` has run; each gets
 * another index, from 0 to `parties` - 1. A wait whose time runs out or that is aborted breaks the
 * barrier: all who wait get a BrokenBarrierError, and so does everybody after them, until `reset`.
 *
 * Party death: a process or thread that has waited here breaks the round when it dies without
 * ending in good order, at once if others wait and else when the next ones come, unless all who
 * were here have gone: then it is a new crew.
 *
 * Python: `multiprocessing.Barrier`. The action travels with the barrier and may be asynchronous,
 * but not under `waitSync`.
 * @example
 * import { Barrier, Pool } from 'multiprocess';
 *
 * const barrier = new Barrier(2);
 * await using pool = new Pool({ processes: 2 });
 * const meet = async () => barrier.wait();
 * console.log((await Promise.all([pool.apply(meet), pool.apply(meet)])).sort()); // [ 0, 1 ]
 */
export class Barrier extends SharedObject {
  /** How many must come. */
  readonly parties: number;
  readonly #action: (() => unknown) | undefined;
  readonly #timeout: number | undefined;
  readonly #state: BarrierState;

  /**
   * @param parties At least 1.
   * @throws ArgumentError; MultiprocessError `MP_SYSTEM` without memory or descriptors.
   */
  constructor(parties: number, options?: BarrierOptions);
  /** @internal */
  constructor(parties: number, options: BarrierOptions | undefined, block: Block);
  constructor(parties: number, options?: BarrierOptions, block?: Block) {
    checkOptions('Barrier', options, ['action', 'timeout'], { function: 'action', number: 'timeout' });
    if (parties === undefined)
      throw new ArgumentError('Barrier: `parties` is missing; give the number of those who wait.');
    checkNumber('Barrier', 'parties', parties, { integer: true, min: 1 });
    checkNumber('Barrier', 'timeout', options?.timeout, { infinite: true });
    if (options?.action !== undefined && typeof options.action !== 'function') {
      throw new ArgumentError(`Barrier: \`action\` must be a function, not ${describe(options.action)}.`);
    }
    super(4 * barrierWords(parties), block);
    this.parties = parties;
    this.#action = options?.action;
    this.#timeout = options?.timeout;
    this.#state = new BarrierState(this.block, parties);
    releaseAtExit(this.#state);
  }

  /** @internal */
  static override [ATTACH]({ block, parties, timeout }: BarrierHandle, [action]: readonly unknown[]): Barrier {
    return new Barrier(
      parties,
      { action: action as (() => unknown) | undefined, timeout: timeout ?? undefined },
      attachBlock(block),
    );
  }

  /**
   * Waits for all parties, without blocking.
   * @returns this party's index. @throws BrokenBarrierError, also when the time runs out; what the
   * action throws; `signal.reason`.
   */
  async wait(options?: WaitOptions): Promise<number> {
    const { timeout = this.#timeout, signal } = boundsOf('Barrier.wait', options) ?? {};
    signal?.throwIfAborted();
    const bounds: Bounds = { timeout, signal };
    const arrival = this.#arrive('Barrier.wait');
    const { phase } = arrival;
    if (arrival.kind === 'last') {
      await this.#run(phase, this.#action);
      return this.#passed(arrival, this.#state.pass(phase));
    }
    try {
      if (!(await this.#state.queue.wait(() => this.#state.over(phase), 'Barrier.wait', bounds)))
        this.#state.abort(phase);
    } catch (error) {
      if (this.block.closed) throw error;
      if (!this.#state.over(phase)) {
        this.#state.abort(phase);
        throw error;
      }
      if (arrival.kind !== 'full' && !this.#state.passed(phase)) throw error;
    }
    if (arrival.kind === 'full') return this.wait(options);
    return this.#passed(arrival, this.#state.passed(phase));
  }

  /** As {@link wait}, blocking the thread. */
  waitSync(options?: WaitOptions): number {
    const timeout = timeoutOf('Barrier.waitSync', options) ?? this.#timeout;
    const arrival = this.#arrive('Barrier.waitSync');
    const { phase } = arrival;
    if (arrival.kind === 'last') {
      try {
        const result = this.#action?.();
        if (typeof (result as PromiseLike<unknown> | undefined)?.then === 'function') {
          throw new ArgumentError('Barrier.waitSync: the action is asynchronous; use wait().');
        }
      } catch (error) {
        this.#state.abort(phase);
        throw error;
      }
      return this.#passed(arrival, this.#state.pass(phase));
    }
    if (!this.#state.queue.waitSync(() => this.#state.over(phase), timeout)) this.#state.abort(phase);
    if (arrival.kind === 'full') return this.waitSync(options);
    return this.#passed(arrival, this.#state.passed(phase));
  }

  /** Makes the barrier new: who waits gets a BrokenBarrierError, who comes later begins a round. */
  reset(): void {
    this.block.check('Barrier.reset');
    this.#state.reset();
  }

  /** Breaks the barrier for all who wait and all who come, until {@link reset}. */
  abort(): void {
    this.block.check('Barrier.abort');
    this.#state.abort();
  }

  override close(): void {
    this.#state.leaveInOrder();
    super.close();
  }

  /** How many wait. */
  get nWaiting(): number {
    this.block.check('Barrier.nWaiting');
    return this.#state.arrived % this.parties;
  }

  /** Whether it is broken. */
  get broken(): boolean {
    this.block.check('Barrier.broken');
    return this.#state.broken;
  }

  /** `<Barrier waiters=1/3>`, `<Barrier broken>`. */
  protected override shown(): string {
    return `<Barrier ${this.broken ? 'broken' : `waiters=${this.nWaiting}/${this.parties}`}>`;
  }

  /** @internal */
  get handle(): BarrierHandle {
    return { block: this.block.handle, parties: this.parties, timeout: this.#timeout ?? null };
  }

  /** @internal */
  get action(): (() => unknown) | undefined {
    return this.#action;
  }

  #arrive(actor: string): Arrival {
    this.block.check(actor);
    const arrival = this.#state.arrive(this.parties);
    if (arrival.kind === 'broken') throw this.#error();
    return arrival;
  }

  async #run(phase: number, action: (() => unknown) | undefined): Promise<void> {
    if (action === undefined) return;
    try {
      await action();
    } catch (error) {
      this.#state.abort(phase);
      throw error;
    }
  }

  #passed({ index }: Arrival, passed: boolean): number {
    if (!passed) throw this.#error();
    return index;
  }

  #error(): BrokenBarrierError {
    return new BrokenBarrierError(
      'Barrier.wait: the barrier was broken, by a timeout, an abort, a reset, a failed action or the death of a party; call reset() to use it again.',
    );
  }
}

registerShareable<Barrier, BarrierHandle>('Barrier', {
  module: entry('synchronize/index'),
  class: Barrier,
  toHandle: (barrier) => barrier.handle,
  closed: SharedObject.isClosed,
  parts: (barrier) => (barrier.action === undefined ? [] : [barrier.action]),
});
