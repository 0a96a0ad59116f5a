import { TimeoutError, type WorkerCrashError } from '../../errors/index.js';
import { onAbort } from '../../util/abort.js';
import { clearTimeout, setTimeout } from '../../util/timers.js';
import type { CallOutcome } from '../call-forms.js';
import { asGiven } from '../time-limit.js';
import type { SerializedFunction } from '../wire/function-registry.js';
import { Flag, MessageKind, NO_ARGUMENTS } from '../wire/protocol.js';
import { inPoolCall } from '../wire/remote-error.js';
import { Batch, isHopeless } from './batch.js';
import { Blame } from './blame.js';
import { crashCopy } from './crash-copy.js';
import { isPrimitive } from './encoded-items.js';
import type { TaskQueue } from './ready-queue.js';
import { afterFailure, type Retry, RetryPolicy } from './retry-policy.js';

/** What the pool must do for a call that ends early. */
export interface CallOwner {
  /** Stops a call that may be queued, sent or running. */
  stopCall(call: Call, reason: unknown): void;
  /** Takes a call back that no worker has started; `false` when one has. */
  withdraw(call: Call): boolean;
  /** Runs a call again that failed: it is off its worker. */
  retry(call: Call, retry: Retry, itemIndex: null): void;
  /** A call is over: it left the pool. */
  callGone(call: Call): void;
}

/** Options of a call, checked. */
export interface CallSettings {
  readonly signal: AbortSignal | undefined;
  readonly timeout: number;
  readonly queueTimeout: number;
  readonly retries: RetryPolicy;
  readonly grace: number;
  readonly onReport: ((progress: unknown, dropped: number) => void) | undefined;
}

/** One run of a function with arguments: a batch of one item. */
export class Call extends Batch {
  #args: readonly unknown[];
  #owned: boolean;
  readonly #owner: CallOwner;
  readonly #observer: CallOutcome;
  readonly #settings: CallSettings | null;
  #queueTimer: NodeJS.Timeout | null = null;
  #unlisten: (() => void) | null = null;
  #settled = false;
  /** The run that is to follow when it has left its worker. */
  #retry: Retry | null = null;

  /** @param settings `null` when no option was given: the fast path. */
  constructor(
    queue: TaskQueue<Batch>,
    serialized: SerializedFunction,
    args: readonly unknown[],
    observer: CallOutcome,
    owner: CallOwner,
    settings: CallSettings | null,
  ) {
    super(queue, serialized, 1, flagsOf(settings));
    this.#args = args;
    this.#owned = args === NO_ARGUMENTS;
    this.#observer = observer;
    this.#owner = owner;
    this.#settings = settings;
    if (settings === null) return;
    this.mayRepeat = settings.retries.repeatsErrors;
    this.#arm(settings);
  }

  get timeout(): number {
    return this.#settings?.timeout ?? 0;
  }

  payload(): readonly unknown[] {
    return this.#args;
  }

  override encode(): void {
    super.encode();
    // They may be large, and nobody asks for them again.
    if (this.encoded !== null) this.#args = NO_ARGUMENTS;
  }

  get owned(): boolean {
    return this.#owned;
  }

  own(): boolean {
    if (this.owned) return true;
    if (!this.#args.every(isPrimitive)) return false;
    this.#args = [...this.#args];
    this.#owned = true;
    return true;
  }

  value(value: unknown): void {
    if (this.#settle()) this.#observer.resolve(value);
  }

  error(error: unknown): void {
    if (this.#settle()) this.#observer.reject(error);
  }

  failed(error: unknown): void {
    if (this.#settled) return;
    if (this.mayRepeat) this.#repeat(error, false);
    else this.error(error);
  }

  overdueEnded(): void {}

  override started(): void {
    if (this.#queueTimer !== null) clearTimeout(this.#queueTimer);
    this.#queueTimer = null;
  }

  expire(_index: number, begun: boolean): number {
    const { timeout } = this;
    const message = begun
      ? `The task ran longer than its timeout of ${asGiven(timeout)} ms; it was told to stop.`
      : notBegun('The task', timeout);
    this.reason = new TimeoutError(message);
    this.failed(this.reason);
    return this.#settings?.grace ?? 0;
  }

  report(progress: unknown, dropped: number): void {
    this.#settings?.onReport?.(progress, dropped);
  }

  place(): null {
    return null;
  }

  subject(): string {
    return 'the task';
  }

  refused(error: unknown): Batch[] {
    this.error(inPoolCall(error, this.actor, this.site, (path) => path.replace(/\[(\d+)\]$/, 'argument $1')));
    return [];
  }

  unreadable(error: unknown): Batch[] {
    return this.refused(error);
  }

  orphaned(blame: Blame, error: WorkerCrashError | undefined): Batch[] {
    const blamed = blame !== Blame.None;
    // One that is to run again does so when it is released.
    if (this.#settled || this.#retry !== null) return [];
    if (blamed) {
      // Where several ran at once others may have it already.
      const own = error !== undefined && this.account !== null ? crashCopy(error) : error;
      if (isHopeless(this.fn, blame, this.#settings?.retries ?? RetryPolicy.NONE)) this.error(own);
      else this.#repeat(own, true);
      return [];
    }
    this.position = -1;
    this.account = null;
    return [this];
  }

  /** Has it run again after a failure, or fails it. */
  #repeat(error: unknown, crash: boolean): void {
    const next = afterFailure(this.#settings?.retries ?? RetryPolicy.NONE, error, crash, this);
    // `when` may have cancelled it.
    if (this.#settled) return;
    if ('fatal' in next) this.error(next.fatal);
    else this.#retry = next;
  }

  onReleased(): void {
    const retry = this.#retry;
    if (retry !== null && !this.#settled) {
      this.#retry = null;
      this.attempt = retry.attempt;
      this.failures = retry.failures;
      this.received = 0;
      this.position = -1;
      this.overdue = -1;
      this.account = null;
      this.holder = null;
      this.#owner.retry(this, retry, null);
      return;
    }
    if (this.freights !== null) this.releaseFreights();
    this.#owner.callGone(this);
  }

  /** Ends it early, wherever it is. */
  cancel(reason: unknown): void {
    if (this.#settled) return;
    this.error(reason);
    this.#owner.stopCall(this, reason);
  }

  #arm(settings: CallSettings): void {
    const { signal } = settings;
    if (signal !== undefined) {
      this.#unlisten = onAbort(signal, () => this.cancel(signal.reason));
    }
    this.waits();
  }

  override waits(): void {
    const queueTimeout = this.#settings?.queueTimeout ?? 0;
    if (queueTimeout > 0) {
      this.#queueTimer ??= setTimeout(() => {
        if (!this.#owner.withdraw(this)) return;
        const message = `The task waited longer than its queueTimeout of ${asGiven(queueTimeout)} ms for a worker; it was not run.`;
        this.error(new TimeoutError(message, { code: 'MP_QUEUE_TIMEOUT' }));
      }, queueTimeout);
    }
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    if (this.#settings !== null) {
      this.started();
      this.#unlisten?.();
    }
    return true;
  }
}

/** What is said of an item that its worker does not begin. */
export function notBegun(subject: string, timeout: number): string {
  return `${subject} was handed to a worker that did not begin it within its timeout of ${asGiven(timeout)} ms: the worker is stopped or busy with something that an earlier task left behind, or the modules of the function do not load.`;
}

function flagsOf(settings: CallSettings | null): number {
  const announce = settings !== null && (settings.timeout > 0 || settings.queueTimeout > 0) ? Flag.Announce : 0;
  return MessageKind.Call | announce;
}
