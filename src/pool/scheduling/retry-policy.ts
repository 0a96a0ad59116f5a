import type { AsyncResource } from 'node:async_hooks';
import { ArgumentError } from '../../errors/index.js';
import { callerContext } from '../../util/caller-context.js';
import { checkFunction, checkNumber, checkOptions, describe } from '../../util/options.js';
import { LONGEST } from '../time-limit.js';

/** When an item that failed is run again. */
export interface RetryOptions {
  /**
   * How often an item is run again after its worker died while running it. Default 0. Infinity ends
   * when ten workers in a row died of items of one function, each within ten seconds of the one
   * before, and none of its items had a result in between. Three deaths in a row while the modules
   * of the function, or the values of its items, were being loaded end an item whatever is left.
   */
  readonly crashes?: number | undefined;
  /**
   * How often an item is run again after it failed with an error, its `timeout` included. One that
   * was told to stop is run again when it has ended. Default 0.
   */
  readonly errors?: number | undefined;
  /**
   * Whether this failure is worth another run. `attempt` is the number of the run that would
   * follow, as `currentTask().attempt` says it there: 1 for the first retry. What it throws is the
   * item's failure, and so is ArgumentError where it gives a promise. Default: each is.
   */
  when?(error: unknown, attempt: number): boolean;
  /**
   * Milliseconds before the next run, or a function of its number that gives them. No worker waits
   * meanwhile. Default 0.
   */
  readonly backoff?: number | ((attempt: number) => number) | undefined;
}

const RETRY_OPTIONS = ['crashes', 'errors', 'when', 'backoff'];
const COUNT = { integer: true, infinite: true };

/** How often a batch ran before, and how many of those runs ended with an error. */
export interface Runs {
  /** Earlier runs that ended with an error, or with their worker's death. */
  readonly attempt: number;
  /** Those of them that ended with an error. */
  readonly failures: number;
}

export const FIRST_RUN: Runs = { attempt: 0, failures: 0 };

/** Decides whether an item is run again, and when. */
export class RetryPolicy {
  static readonly NONE = new RetryPolicy('Pool', 0, 0, undefined, 0, null);

  private constructor(
    private readonly actor: string,
    /** How often an item is run again after its worker died. */
    readonly crashes: number,
    private readonly errors: number,
    private readonly when: ((error: unknown, attempt: number) => unknown) | undefined,
    private readonly backoff: number | ((attempt: number) => unknown),
    /** What the functions are called in. */
    private readonly context: AsyncResource | null,
  ) {}

  /**
   * Checks a `retries` option and returns its policy.
   * @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`.
   */
  static from(actor: string, retries: number | RetryOptions | undefined): RetryPolicy | undefined {
    if (retries === undefined) return undefined;
    if (typeof retries !== 'object' || retries === null) {
      const crashes = checkNumber(actor, 'retries', retries, {
        ...COUNT,
        or: 'an object, { crashes, errors, when, backoff }',
      })!;
      return crashes === 0 ? RetryPolicy.NONE : new RetryPolicy(actor, crashes, 0, undefined, 0, null);
    }
    checkOptions(`${actor}: retries`, retries, RETRY_OPTIONS);
    const crashes = checkNumber(actor, 'retries.crashes', retries.crashes, COUNT) ?? 0;
    const errors = checkNumber(actor, 'retries.errors', retries.errors, COUNT) ?? 0;
    const { when, backoff } = retries;
    if (when !== undefined) checkFunction(actor, 'retries.when', when);
    if (typeof backoff !== 'function')
      checkNumber(actor, 'retries.backoff', backoff, { infinite: false, or: 'a function that gives one' });
    const alone = when !== undefined ? 'when' : backoff !== undefined ? 'backoff' : undefined;
    if (alone !== undefined && retries.crashes === undefined && retries.errors === undefined)
      throw new ArgumentError(
        `${actor}: \`retries.${alone}\` is of no use without \`retries.errors\` or \`retries.crashes\`; give one.`,
      );
    if (crashes === 0 && errors === 0) return RetryPolicy.NONE;
    return new RetryPolicy(actor, crashes, errors, when?.bind(retries), backoff ?? 0, null);
  }

  /** Whether an item is run again however often its worker died. */
  get isEndless(): boolean {
    return this.crashes === Number.POSITIVE_INFINITY;
  }

  /** Whether a run that failed with an error may be repeated. */
  get repeatsErrors(): boolean {
    return this.errors > 0;
  }

  /** The same, with its functions called in the async context of whoever calls this. */
  forCaller(): RetryPolicy {
    if (this.when === undefined && typeof this.backoff !== 'function') return this;
    return new RetryPolicy(this.actor, this.crashes, this.errors, this.when, this.backoff, callerContext());
  }

  /**
   * Returns the milliseconds after which the item is to run again; -1 for not at all.
   * @throws what `when` and `backoff` throw; ArgumentError for a delay that is none.
   */
  delay(error: unknown, crash: boolean, { attempt, failures }: Runs): number {
    if (crash ? attempt - failures >= this.crashes : failures >= this.errors) return -1;
    const next = attempt + 1;
    const { when, backoff } = this;
    if (when !== undefined && !this.#asked(when, error, next)) return -1;
    const delay = typeof backoff === 'function' ? this.#call(() => backoff(next)) : backoff;
    if (typeof delay === 'number' && delay >= 0) return Math.min(delay, LONGEST);
    throw new ArgumentError(
      `${this.actor}: \`retries.backoff\` must give milliseconds, a number of at least 0, not ${describe(delay)}.`,
    );
  }

  #asked(when: NonNullable<RetryPolicy['when']>, error: unknown, next: number): boolean {
    const worth = this.#call<unknown>(() => when(error, next));
    // A promise of `false` would count as true.
    if (typeof (worth as PromiseLike<unknown> | null)?.then !== 'function') return Boolean(worth);
    (worth as PromiseLike<unknown>).then(undefined, () => {});
    throw new ArgumentError(
      `${this.actor}: \`retries.when\` must give true or false at once, not a promise; make it a function that is not async.`,
    );
  }

  #call<V>(fn: () => V): V {
    return this.context === null ? fn() : this.context.runInAsyncScope(fn);
  }
}

/** A run that is to follow one that failed. */
export interface Retry {
  /** Why. */
  readonly error: unknown;
  /** Milliseconds until it may begin. */
  readonly delay: number;
  readonly attempt: number;
  readonly failures: number;
}

/**
 * What is to follow a failure: another run, or the error with which the item fails (`when` and
 * `backoff` may throw one of their own).
 */
export function afterFailure(
  policy: RetryPolicy,
  error: unknown,
  crash: boolean,
  runs: Runs,
): Retry | { readonly fatal: unknown } {
  try {
    const delay = policy.delay(error, crash, runs);
    if (delay < 0) return { fatal: error };
    return { error, delay, attempt: runs.attempt + 1, failures: crash ? runs.failures : runs.failures + 1 };
  } catch (thrown) {
    return { fatal: thrown };
  }
}
