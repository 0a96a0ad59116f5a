/** A call on another host. */
import type { CallSite } from '../../pool/index.js';
import { onAbort } from '../../util/abort.js';
import type { DistributedEngine } from './engine.js';
import type { RemoteChunk, RemoteRun } from './run.js';

/** Who is told how it ended. */
export interface CallObserver {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** Absent: reports are not asked for. */
  report?(progress: unknown): void;
}

export interface CallLimits {
  readonly timeout: number;
  readonly queueTimeout: number;
  readonly signal: AbortSignal | undefined;
}

export class RemoteCall implements RemoteRun {
  readonly chunks = new Map<number, RemoteChunk>();
  readonly timeout: number;
  readonly queueTimeout: number;
  readonly id: string;
  readonly subjectName: string;
  readonly #engine: DistributedEngine;
  readonly #site: CallSite | null;
  readonly #observer: CallObserver;
  readonly #unlisten: (() => void) | undefined;

  constructor(
    engine: DistributedEngine,
    name: { readonly id: string; readonly subjectName: string },
    site: CallSite | null,
    { timeout, queueTimeout, signal }: CallLimits,
    observer: CallObserver,
  ) {
    this.#engine = engine;
    this.#site = site;
    this.id = name.id;
    this.subjectName = name.subjectName;
    this.timeout = timeout;
    this.queueTimeout = queueTimeout;
    this.#observer = observer;
    this.#unlisten = signal === undefined ? undefined : onAbort(signal, () => this.cancel(signal.reason));
  }

  siteOf(): CallSite | null {
    return this.#site;
  }

  cancel(reason: unknown): void {
    this.fail(reason);
    void this.#engine.cancel(this, reason);
  }

  value(_index: number, value: unknown): void {
    this.#unlisten?.();
    this.#observer.resolve(value);
  }

  error(_index: number, error: unknown): void {
    this.fail(error);
  }

  flush(): void {
    this.#engine.finish(this);
  }

  fail(error: unknown): void {
    this.#unlisten?.();
    this.#observer.reject(error);
  }

  report(progress: unknown): void {
    this.#observer.report?.(progress);
  }

  measure(): void {}

  demand(): void {}

  subject(): string {
    return 'The call';
  }
}
