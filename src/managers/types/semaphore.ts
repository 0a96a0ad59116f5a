import { ArgumentError, NotOwnerError } from '../../errors/index.js';
import { checkBoolean, checkNumber } from '../../util/options.js';
import { checkWaitOptions } from '../../util/wait-options.js';
import type { ClientAgent, CurrentCall } from '../server/current-call.js';
import { caller } from './caller.js';
import type { ServerWait } from './server-wait.js';
import { WaiterQueue } from './waiter-queue.js';

/** Whether a permit is held, and comes back when its agent is gone. */
export interface Holding {
  /** Default `false`: nobody knows who will release it. */
  readonly held?: boolean | undefined;
}

interface Share {
  permits: number;
  readonly forget: () => void;
}

/**
 * The semaphore that a manager's `Semaphore(value?)` makes, in the server.
 *
 * Semantics: as `Semaphore`: any client may release, also beyond the initial value. Permits taken
 * by `hold` or `runExclusive` come back when their agent is gone; those taken by `acquire` do not.
 *
 * Python: `threading.Semaphore` in the server.
 */
export class ManagedSemaphore {
  /** Most permits it may have. */
  protected readonly most: number = Number.POSITIVE_INFINITY;
  readonly #waiters = new WaiterQueue<true>();
  readonly #shares = new Map<ClientAgent, Share>();
  #value: number;

  /** @param value Permits at the start; default 1. @throws ArgumentError. */
  constructor(value = 1) {
    checkNumber('Semaphore', 'value', value, { integer: true });
    this.#value = value;
  }

  /** Takes a permit: `false` when the time ran out. */
  acquire(options?: ServerWait & Holding): boolean | Promise<boolean> {
    checkWaitOptions('Semaphore.acquire', options, ['held']);
    const call = caller();
    const held = checkBoolean('Semaphore.acquire', 'held', options?.held) ?? false;
    if (this.#value > 0) {
      this.#value--;
      if (held) this.#hold(call);
      return true;
    }
    return this.#waiters.wait(call, options?.timeout).then((had) => {
      if (had !== true) return false;
      if (held) this.#hold(call);
      return true;
    });
  }

  /**
   * Gives permits.
   * @throws NotOwnerError when a bounded semaphore would have more than at first; ArgumentError.
   */
  release(count = 1, options?: Holding): void {
    checkNumber('Semaphore.release', 'count', count, { integer: true, min: 1 });
    const { client } = caller();
    if (checkBoolean('Semaphore.release', 'held', options?.held) === true) {
      const share = this.#shares.get(client);
      if (share === undefined)
        throw new ArgumentError(
          'Semaphore.release: the caller holds no permit by hold() or runExclusive(); release without `held`.',
        );
      if (--share.permits === 0) this.#drop(client, share);
    }
    this.#give(count);
  }

  /** Permits that are there now. */
  permits(): number {
    return this.#value;
  }

  /** `<Semaphore(value=2)>`. */
  toString(): string {
    return `<Semaphore(value=${this.#value})>`;
  }

  #give(count: number): void {
    if (this.#value + count > this.most) {
      throw new NotOwnerError(
        `BoundedSemaphore.release: it has all of its ${this.most} permits or would have more; release once for each acquire that answered true.`,
      );
    }
    let left = count;
    while (left > 0 && this.#waiters.serveFirst(true)) left--;
    this.#value += left;
  }

  #hold({ client }: CurrentCall): void {
    const share = this.#shares.get(client);
    if (share !== undefined) {
      share.permits++;
      return;
    }
    const mine: Share = {
      permits: 1,
      forget: client.onEnd(() => {
        if (this.#shares.get(client) !== mine) return;
        this.#shares.delete(client);
        this.#give(mine.permits);
      }),
    };
    this.#shares.set(client, mine);
  }

  #drop(client: ClientAgent, share: Share): void {
    this.#shares.delete(client);
    share.forget();
  }
}

/**
 * The semaphore that a manager's `BoundedSemaphore(value?)` makes: it never has more permits than
 * at first.
 *
 * Python: `threading.BoundedSemaphore` in the server.
 */
export class ManagedBoundedSemaphore extends ManagedSemaphore {
  protected override readonly most: number;

  /** @param value Permits at the start, and at most; default 1. @throws ArgumentError. */
  constructor(value = 1) {
    super(value);
    this.most = value;
  }

  /** `<BoundedSemaphore(value=2, maxvalue=2)>`. */
  override toString(): string {
    return `<BoundedSemaphore(value=${this.permits()}, maxvalue=${this.most})>`;
  }
}
