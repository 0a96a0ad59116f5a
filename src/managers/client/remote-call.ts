/**
 * What a call of a proxy returns: a promise of the result, which can also be read as the stream
 * that the result may be.
 */
import type { Observable, Observer, Subscription } from 'rxjs';
import type { Connection } from '../../connection/index.js';
import { RemoteError } from '../../errors/index.js';
import type { Queue, Topic } from '../../queues/index.js';
import {
  DONE,
  FAILED,
  PULL,
  type PullReader,
  type PullSource,
  type ReadState,
  type ResultIterator,
  streamOf,
  TaskStream,
  WAIT,
} from '../../streams/index.js';

/**
 * A call that is under way.
 *
 * Semantics: a promise of the result. Where the method returns an Observable or an async iterable,
 * the result is a {@link TaskStream}, and the call can be read, subscribed to and piped without
 * awaiting it first. Such a reading of another result fails with RemoteError `MP_NO_STREAM`. A
 * shareable object, such as a Queue, is a result as others.
 * @example
 * import { BaseManager } from 'multiprocess/managers';
 *
 * class Log {
 *   *lines(count: number) {
 *     for (let n = 1; n <= count; n++) yield `line ${n}`;
 *   }
 * }
 * class Logs extends BaseManager.with({ Log }) {}
 *
 * await using logs = new Logs();
 * await logs.start();
 * const log = await logs.Log();
 * for await (const line of log.lines(2)) console.log(line); // line 1 line 2
 */
export class RemoteCall<T> extends Promise<T> {
  /** Returns the result as a stream. */
  stream(): TaskStream<StreamItem<T>> {
    return streamOf<StreamItem<T>>((wake) => new LaterReader<StreamItem<T>>(this as Promise<unknown>, wake));
  }

  /** `<RemoteCall>`. */
  override toString(): string {
    return '<RemoteCall>';
  }

  /** Iterates the stream that the method returned. */
  [Symbol.asyncIterator](): ResultIterator<StreamItem<T>> {
    return this.stream()[Symbol.asyncIterator]();
  }

  /** Opens a reading of its own for a pull-aware stage. */
  [PULL](wake: () => void): PullReader<StreamItem<T>> {
    return new LaterReader<StreamItem<T>>(this as Promise<unknown>, wake);
  }

  /** Subscribes to the stream that the method returned. */
  subscribe(observer?: Partial<Observer<StreamItem<T>>> | ((value: StreamItem<T>) => void)): Subscription {
    return this.stream().subscribe(observer as Partial<Observer<StreamItem<T>>>);
  }

  /** As `Observable.pipe`, of the stream that the method returned. */
  get pipe(): Observable<StreamItem<T>>['pipe'] {
    const stream = this.stream();
    return stream.pipe.bind(stream) as Observable<StreamItem<T>>['pipe'];
  }

  /** Runs the stream that the method returned and collects what it gives. */
  toArray(): Promise<StreamItem<T>[]> {
    return this.stream().toArray();
  }
}

/**
 * Shareable objects that can be iterated or subscribed to. A method that returns one gives that
 * object, and no stream of its items.
 */
// biome-ignore lint/suspicious/noExplicitAny: of any items
export type SharedSource = Queue<any> | Topic<any> | Connection<any, any>;

/** What a stream's items are. A {@link SharedSource} is no stream. */
export type StreamItem<T> = T extends SharedSource ? never : T extends AsyncIterable<infer I> ? I : never;

// `await` takes a promise as it is only if this says that it is one; what is derived from it by
// `then` is an ordinary one.
void Object.defineProperty(RemoteCall.prototype, 'constructor', { value: Promise, writable: true, configurable: true });

/** Returns the stream that a call returns; each reading of it is a call of its own. */
export function streamOfCalls<T>(call: () => Promise<unknown>): TaskStream<T> {
  return streamOf<T>((wake) => new LaterReader<T>(call(), wake));
}

/** Returns a call that was not made. */
export function refused(error: unknown): RemoteCall<never> {
  return new RemoteCall<never>((_, reject) => reject(error));
}

/** Reads what a promise promises. */
class LaterReader<T> implements PullReader<T> {
  error: unknown = undefined;
  #reader: PullReader<T> | null = null;
  #state: ReadState = WAIT;
  #started = false;
  #cancelled = false;

  constructor(promise: PromiseLike<unknown>, wake: () => void) {
    promise.then(
      (result) => {
        if (this.#cancelled) return;
        if (result instanceof TaskStream) {
          this.#reader = (result as unknown as PullSource<T>)[PULL](wake);
          if (this.#started) this.#reader.start?.();
        } else {
          this.error = new RemoteError('The method returned no stream; await the call instead of reading it.', {
            code: 'MP_NO_STREAM',
          });
          this.#state = FAILED;
        }
        wake();
      },
      (error: unknown) => {
        this.error = error;
        this.#state = FAILED;
        wake();
      },
    );
  }

  start(): void {
    this.#started = true;
    this.#reader?.start?.();
  }

  read(into: T[], max: number): ReadState {
    if (this.#reader === null) return this.#state;
    const state = this.#reader.read(into, max);
    if (state === FAILED) this.error = this.#reader.error;
    return state;
  }

  async cancel(reason?: unknown): Promise<void> {
    this.#cancelled = true;
    this.#state = DONE;
    await this.#reader?.cancel(reason);
  }
}
