/** A call on another host. */
import type { CallOutcome, CallSite, CallWatcher, RetryPolicy } from '../../pool/index.js';
import { onAbort } from '../../util/abort.js';
import type { RunKeeper } from '../durable/index.js';
import type { DistributedEngine } from './engine.js';
import type { RemoteChunk, RemoteRun, RunName } from './run.js';

/** Who is told. */
export type CallObserver = CallOutcome & Partial<CallWatcher>;

export interface CallLimits {
  readonly timeout: number;
  readonly queueTimeout: number;
  readonly signal: AbortSignal | undefined;
  readonly retries: RetryPolicy;
}

export class RemoteCall implements RemoteRun {
  readonly chunks = new Map<string, RemoteChunk>();
  readonly timeout: number;
  readonly queueTimeout: number;
  readonly retries: RetryPolicy;
  readonly id: string;
  readonly driver: string;
  readonly subjectName: string;
  readonly keeper: RunKeeper | null;
  readonly #engine: DistributedEngine;
  readonly #site: CallSite | null;
  readonly #observer: CallObserver;
  readonly #unlisten: (() => void) | undefined;
  #over = false;

  constructor(
    engine: DistributedEngine,
    name: RunName,
    site: CallSite | null,
    { timeout, queueTimeout, signal, retries }: CallLimits,
    observer: CallObserver,
    keeper: RunKeeper | null,
  ) {
    this.#engine = engine;
    this.#site = site;
    this.keeper = keeper;
    this.id = name.id;
    this.driver = name.driver;
    this.subjectName = name.subjectName;
    this.timeout = timeout;
    this.queueTimeout = queueTimeout;
    this.retries = retries;
    this.#observer = observer;
    this.#unlisten = signal === undefined ? undefined : onAbort(signal, () => this.cancel(signal.reason));
  }

  /** Has its task published: of a durable call once the broker knows of it. */
  begin(submit: () => void): void {
    const { keeper } = this;
    if (keeper === null) {
      submit();
      return;
    }
    keeper.ended(1);
    keeper.begin(true).then(
      () => {
        try {
          if (!this.#over) submit();
        } catch (error) {
          this.cancel(error);
        }
      },
      (error: unknown) => {
        // What there is of that name is another's.
        void keeper.release(error);
        this.#engine.drop(this);
        this.fail(error);
      },
    );
  }

  siteOf(): CallSite | null {
    return this.#site;
  }

  cancel(reason: unknown): void {
    this.fail(reason);
    void this.#engine.cancel(this, reason);
  }

  value(_index: number, value: unknown): void {
    this.#over = true;
    this.#unlisten?.();
    this.#observer.resolve(value);
  }

  error(_index: number, error: unknown): void {
    this.fail(error);
  }

  flush(): void {
    // A run after an error may follow.
    if (!this.#over) return;
    this.#engine.finish(this);
    void this.keeper?.forget();
  }

  fail(error: unknown): void {
    this.#over = true;
    this.#unlisten?.();
    this.#observer.reject(error);
  }

  report(progress: unknown): void {
    this.#observer.report?.(progress, 0);
  }

  measure(): void {}

  demand(): void {}

  subject(): string {
    return 'The call';
  }
}
