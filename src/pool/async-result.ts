import { inspect } from 'node:util';
import { Observable, Subject } from 'rxjs';
import { ProcessError, TimeoutError } from '../errors/index.js';
import { inOwnContext, type Progress } from '../streams/index.js';
import { staysHere } from '../util/local-class.js';
import { printedAsShown } from '../util/printed.js';
import { queueMicrotask } from '../util/timers.js';
import { boundsOf, settles, type WaitOptions } from '../util/wait-options.js';
import { readyBy, WAITABLE } from '../util/waitable.js';

/** Progress of an asynchronous call, or of a map. `P` is what the task reports. */
export interface AsyncProgress<P = unknown> extends Omit<Progress, 'rate'> {
  /** As that of a stream. Maps only. */
  readonly rate?: number;
  /**
   * What the task passed to `currentTask().report()`, with the notification it caused. Calls only.
   */
  readonly report?: P;
  /**
   * Reports that were dropped so far, because the task reported faster than they could be taken;
   * absent while there are none. The newest is kept. To lose none, send values from a worker by
   * `remote` of `multiprocess/operators`, which waits for its consumer.
   */
  readonly dropped?: number;
}

/**
 * What an AsyncResult stands for.
 *
 * @internal
 */
export interface AsyncWork<R, P = unknown> {
  /** Its value. */
  readonly promise: Promise<R>;
  /** How far it is. */
  readonly progress: Observable<AsyncProgress<P>>;
  /** Gives it up. */
  cancel(reason: unknown): void;
}

/**
 * The result of an asynchronous call: a hot promise that can be asked, waited for and cancelled.
 *
 * Semantics: it settles whether or not somebody looks; a failure that nobody looks at is not an
 * unhandled rejection. As an ObservableInput it emits the value and completes. Python:
 * `multiprocessing.pool.AsyncResult`.
 *
 * @example
 * import { Pool } from 'multiprocess';
 *
 * await using pool = new Pool({ processes: 1 });
 * const result = pool.applyAsync((x: number) => x * 2, [21]);
 * if (!(await result.wait({ timeout: 30_000 }))) result.cancel();
 * console.log(await result); // 42
 */
export class AsyncResult<R, P = unknown> implements PromiseLike<R> {
  readonly #promise: Promise<R>;
  readonly #work: AsyncWork<R, P>;
  #state: 'pending' | 'fulfilled' | 'rejected' = 'pending';

  /**
   * For the library: users get results from a pool. `callback` and `errorCallback` run before the
   * result is ready.
   *
   * @internal
   */
  constructor(work: AsyncWork<R, P>, callback?: (value: R) => void, errorCallback?: (error: unknown) => void) {
    this.#work = work;
    this.#promise = work.promise.then(
      (value) => {
        notify(callback, value);
        this.#state = 'fulfilled';
        return value;
      },
      (error: unknown) => {
        notify(errorCallback, error);
        this.#state = 'rejected';
        throw error;
      },
    );
    this.#promise.catch(() => {});
  }

  /**
   * The value.
   *
   * @param options `timeout` in milliseconds, default: no limit; `signal`. Both end the waiting,
   * not the task.
   * @throws TimeoutError `MP_TIMEOUT` when it is not ready in time; `signal.reason`; the task's
   * error.
   */
  async get(options?: WaitOptions): Promise<R> {
    if (!(await settles(this.#promise, boundsOf('AsyncResult.get', options)))) {
      throw new TimeoutError(
        `AsyncResult.get: not ready after ${options?.timeout} ms; the task goes on. Use cancel() to stop it.`,
      );
    }
    return this.#promise;
  }

  /**
   * Waits until it is ready.
   *
   * @param options `timeout` in milliseconds, default: no limit; `signal`. Both end the waiting,
   * not the task.
   * @returns whether it is ready. Rejects with `signal.reason`.
   */
  async wait(options?: WaitOptions): Promise<boolean> {
    return settles(this.#promise, boundsOf('AsyncResult.wait', options));
  }

  /** For `wait` of `multiprocess/connection`: it is ready when it has settled. */
  [WAITABLE](onReady: () => void): true | (() => void) {
    return this.ready() || readyBy(() => this.#promise, onReady);
  }

  /** Whether there is a value or an error. */
  ready(): boolean {
    return this.#state !== 'pending';
  }

  /** Whether there is a value. @throws ProcessError `MP_NOT_READY` before it is ready. */
  successful(): boolean {
    if (this.#state === 'pending') {
      throw new ProcessError('AsyncResult.successful: it is not ready yet; await wait() first.', {
        code: 'MP_NOT_READY',
      });
    }
    return this.#state === 'fulfilled';
  }

  /** How far it is. Completes when it is ready. */
  get progress(): Observable<AsyncProgress<P>> {
    return this.#work.progress;
  }

  /**
   * Gives it up: it rejects with `reason` (default: an AbortError), and the task is told to stop,
   * then killed.
   */
  cancel(reason: unknown = new DOMException('The task was cancelled.', 'AbortError')): void {
    this.#work.cancel(reason);
  }

  // biome-ignore lint/suspicious/noThenProperty: it is a PromiseLike by contract
  then<A = R, B = never>(
    onValue?: ((value: R) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#promise.then(onValue, onError);
  }

  /** As Promise.prototype.catch. */
  catch<B = never>(onError?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<R | B> {
    return this.#promise.catch(onError);
  }

  /** As Promise.prototype.finally. */
  finally(onSettled?: (() => void) | null): Promise<R> {
    return this.#promise.finally(onSettled);
  }

  /** @internal */
  [inspect.custom](): string {
    return `<AsyncResult ${this.#state}>`;
  }
}
printedAsShown(AsyncResult);

/**
 * An error of a callback is the caller's: it surfaces as an uncaught exception and harms nothing
 * here.
 */
function notify<T>(callback: ((value: T) => void) | undefined, value: T): void {
  if (callback === undefined) return;
  try {
    callback(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** The progress of one call: what it reported, and that it is over. */
export class CallProgress {
  #reports: Subject<AsyncProgress> | null = null;
  #over = false;
  #dropped = 0;

  /** The notifications to come. */
  readonly observable = inOwnContext(
    new Observable<AsyncProgress>((subscriber) => {
      if (this.#over) return subscriber.complete();
      this.#reports ??= new Subject();
      return this.#reports.subscribe(subscriber);
    }),
  );

  /** The task reported something; `dropped` of its reports were lost just before. */
  report(report: unknown, dropped: number): void {
    this.#dropped += dropped;
    this.#reports?.next({
      pulled: 1,
      running: 1,
      buffered: 0,
      delivered: 0,
      failed: 0,
      total: 1,
      report,
      ...this.#lost(),
    });
  }

  #lost(): { readonly dropped?: number } {
    return this.#dropped === 0 ? {} : { dropped: this.#dropped };
  }

  /** The task is over. */
  end(failed: boolean): void {
    this.#over = true;
    this.#reports?.next({
      pulled: 1,
      running: 0,
      buffered: 0,
      delivered: failed ? 0 : 1,
      failed: failed ? 1 : 0,
      total: 1,
      ...this.#lost(),
    });
    this.#reports?.complete();
  }
}

staysHere(AsyncResult, 'await it (`await result.get()`) and send what it gives');
