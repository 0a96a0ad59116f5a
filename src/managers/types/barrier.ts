import { ArgumentError, BrokenBarrierError } from '../../errors/index.js';
import { checkNumber, checkOptions, describe } from '../../util/options.js';
import type { CurrentCall } from '../server/current-call.js';
import { caller } from './caller.js';
import { type ServerWait, timeoutIn } from './server-wait.js';
import { WaiterQueue } from './waiter-queue.js';

/** How a manager's barrier behaves; the action is called in the client that made the barrier. */
export interface ManagedBarrierOptions {
  /** What one of the parties has the server do when all are there: `action(…)`. */
  readonly action?: (() => unknown) | undefined;
  /** Milliseconds that a wait takes at most, where it says nothing itself. Default: no limit. */
  readonly timeout?: number | undefined;
}

/**
 * The barrier that a manager's `Barrier(parties, options?)` makes, in the server.
 *
 *   state     | a wait                                        | ends by
 *   FILLING   | is one of the parties                         | the last party, reset; an abort, a
 *             |                                               | timeout, an agent that is gone: BROKEN
 *   ACTION    | waits with the next round                     | the end of the action
 *   BROKEN    | is refused                                    | reset
 *
 * Semantics: as `Barrier`. A party whose agent is gone while it waits breaks the round.
 *
 * Python: `threading.Barrier` in the server.
 */
export class ManagedBarrier {
  readonly #parties: number;
  readonly #action: (() => unknown) | undefined;
  readonly #timeout: number | undefined;
  #round = this.#open();
  #broken = false;

  /** @param parties At least 1. @throws ArgumentError. */
  constructor(parties: number, options?: ManagedBarrierOptions) {
    checkOptions('Barrier', options, ['action', 'timeout']);
    if (parties === undefined)
      throw new ArgumentError('Barrier: `parties` is missing; give the number of those who wait.');
    checkNumber('Barrier', 'parties', parties, { integer: true, min: 1 });
    checkNumber('Barrier', 'timeout', options?.timeout, { infinite: true });
    if (options?.action !== undefined && typeof options.action !== 'function') {
      throw new ArgumentError(`Barrier: \`action\` must be a function, not ${describe(options.action)}.`);
    }
    this.#parties = parties;
    this.#action = options?.action;
    this.#timeout = options?.timeout;
  }

  /**
   * Waits for the others.
   * @returns the index of this party in the round.
   * @throws BrokenBarrierError.
   */
  async wait(options?: ServerWait): Promise<number> {
    const timeout = timeoutIn('Barrier.wait', options) ?? this.#timeout;
    const call = caller();
    if (this.#broken) throw broken('it was broken before');
    const round = this.#round;
    const index = round.length;
    if (index + 1 < this.#parties) {
      let passed: true | undefined;
      if (timeout !== undefined && timeout <= 0) this.#break(broken('a party did not wait for the others'));
      else passed = await round.wait(call, timeout);
      if (passed === true) return index;
      throw broken(`a party has waited for ${timeout} ms`);
    }
    // Who comes while the action runs belongs to the next round.
    this.#round = this.#open();
    try {
      await this.#action?.();
    } catch (error) {
      this.#broken = true;
      const reason = broken('its action failed', error);
      round.rejectAll(reason);
      this.#round.rejectAll(reason);
      throw error;
    }
    round.serveAll(true);
    return index;
  }

  /** Ends the round for those who wait, with an error; the next round is a new one. */
  reset(): void {
    const round = this.#round;
    this.#round = this.#open();
    this.#broken = false;
    round.rejectAll(broken('it was reset'));
  }

  /** Breaks the barrier until it is reset. */
  abort(): void {
    this.#break(broken('it was aborted'));
  }

  /** How many must come. */
  get parties(): number {
    return this.#parties;
  }

  /** How many wait. */
  get nWaiting(): number {
    return this.#round.length;
  }

  /** Whether it is broken. */
  get broken(): boolean {
    return this.#broken;
  }

  /** `<Barrier(waiters=2/5)>`, `<Barrier(broken)>`. */
  toString(): string {
    return this.#broken ? '<Barrier(broken)>' : `<Barrier(waiters=${this.#round.length}/${this.#parties})>`;
  }

  #open(): WaiterQueue<true> {
    const queue: WaiterQueue<true> = new WaiterQueue<true>((call: CurrentCall) => {
      if (queue === this.#round)
        this.#break(broken(call.signal.aborted ? 'a party gave up or died' : 'a party has waited too long'));
      else queue.rejectAll(broken('a party gave up while the action ran'));
    });
    return queue;
  }

  #break(reason: BrokenBarrierError): void {
    this.#broken = true;
    this.#round.rejectAll(reason);
  }
}

function broken(why: string, cause?: unknown): BrokenBarrierError {
  const details = cause === undefined ? {} : { cause };
  return new BrokenBarrierError(
    `Barrier.wait: the barrier is broken: ${why}; reset() it once all parties have noticed.`,
    details,
  );
}
