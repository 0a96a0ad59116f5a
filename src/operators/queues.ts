import { type MonoTypeOperatorFunction, Observable, type OperatorFunction } from 'rxjs';
import { ArgumentError } from '../errors/index.js';
import type { Queue } from '../queues/index.js';
import { checkOverflow, checkSource, type Overflow, type TaskStream } from '../streams/index.js';
import { checkBoolean, checkOptions, describe } from '../util/options.js';
import { pour } from './pour.js';

/** How a source is put into a queue. */
export interface ToQueueOptions<T> {
  /**
   * What may be lost when the source is an Observable that runs ahead of the queue. Default `{
   * policy: 'error' }`, 1,024 items ahead.
   */
  readonly overflow?: Overflow<T> | undefined;
  /**
   * Whether the end of the source completes this thread's writing, and its error ends the queue.
   * Default `true`.
   */
  readonly end?: boolean | undefined;
}

/**
 * Puts every item of the source into a queue and emits nothing.
 *
 * Semantics: as subscribing the queue to the source, but waiting for room. Completes when every
 * item was put, after `queue.complete()`; an error of the source goes to `queue.error` and to the
 * subscriber.
 *
 * Backpressure: a source that can be pulled (a TaskStream, a Queue, a Topic) is read as there is
 * room. An Observable cannot be paused: what the queue cannot take waits here, and `overflow` says
 * what happens when that is too much.
 *
 * Cancellation: unsubscribing returns the source and takes back the put that waits. The writer is
 * not completed then.
 *
 * @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`.
 * @example
 * import { Queue } from 'multiprocess';
 * import { toQueue } from 'multiprocess/operators';
 * import { from } from 'rxjs';
 *
 * const queue = new Queue<number>({ maxSize: 2 });
 * from([1, 2, 3]).pipe(toQueue(queue)).subscribe();
 * for await (const item of queue) console.log(item); // 1 2 3
 */
export function toQueue<T>(queue: Queue<T>, options: ToQueueOptions<T> = {}): OperatorFunction<T, never> {
  return putting('toQueue', queue, options);
}

function putting<T>(actor: string, queue: Queue<T>, options: ToQueueOptions<T> = {}): OperatorFunction<T, never> {
  checkQueue(actor, queue);
  checkOptions(actor, options, ['overflow', 'end']);
  checkOverflow(actor, options.overflow);
  checkBoolean(actor, 'end', options.end);
  const { overflow, end = true } = options;
  return (source) => {
    checkSource(actor, source);
    return new Observable<never>((subscriber) => {
      const gone = new AbortController();
      const pouring = pour<T>(source, overflow, (item) => queue.put(item, { signal: gone.signal }));
      pouring.done.then(
        () => {
          // Nobody may have the queue any more, or it was closed here: the subscriber learns of it.
          try {
            if (end) queue.complete();
          } catch (error) {
            subscriber.error(error);
            return;
          }
          subscriber.complete();
        },
        (error: unknown) => {
          if (end) failQueue(queue, error);
          subscriber.error(error);
        },
      );
      return () => {
        pouring.cancel();
        gone.abort();
      };
    });
  };
}

/**
 * The items of a queue, as `queue.consume()`: this thread is one of the competing consumers, with
 * backpressure.
 * @throws ArgumentError.
 * @example
 * import { Queue } from 'multiprocess';
 * import { fromQueue } from 'multiprocess/operators';
 *
 * const queue = new Queue<number>();
 * for (const item of [1, 2, 3]) await queue.put(item);
 * queue.complete();
 * console.log(await fromQueue(queue).toArray()); // [ 1, 2, 3 ]
 */
export function fromQueue<T>(queue: Queue<T>): TaskStream<T> {
  checkQueue('fromQueue', queue);
  return queue.consume();
}

/**
 * Puts every item of the source into a queue and emits what this thread takes from it, which may be
 * others' items, while others may take these.
 *
 * Semantics: completes when the queue does: when it is empty and all its writers, this one too,
 * have completed. Backpressure, Cancellation: as {@link toQueue} and {@link fromQueue}.
 * @example
 * import { Queue } from 'multiprocess';
 * import { throughQueue } from 'multiprocess/operators';
 * import { from } from 'rxjs';
 *
 * const queue = new Queue<number>();
 * const taken = from([1, 2, 3]).pipe(throughQueue(queue));
 * await taken.forEach((item) => console.log(item)); // 1 2 3
 */
export function throughQueue<T>(queue: Queue<T>, options?: ToQueueOptions<T>): MonoTypeOperatorFunction<T> {
  const into = putting('throughQueue', queue, options);
  return (source) => {
    const put = into(source);
    return new Observable<T>((subscriber) => {
      const taking = fromQueue(queue).subscribe(subscriber);
      taking.add(put.subscribe({ error: (error: unknown) => subscriber.error(error) }));
      return taking;
    });
  };
}

/** Ends a queue with an error, as far as it is open; with why that cannot be sent where it cannot. */
function failQueue<T>(queue: Queue<T>, error: unknown): void {
  try {
    queue.error(error);
  } catch (cause) {
    try {
      queue.error(cause);
    } catch {
      // It is closed.
    }
  }
}

/** By what it can do: a queue may come from another copy of this package. */
function checkQueue(actor: string, queue: unknown): void {
  const { consume, complete } = (queue ?? {}) as Partial<Queue>;
  if (typeof consume === 'function' && typeof complete === 'function') return;
  throw new ArgumentError(`${actor}: \`queue\` must be a Queue or a JoinableQueue, not ${describe(queue)}.`);
}
