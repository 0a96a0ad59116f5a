import { ClosedError } from '../../errors/index.js';
import type { WaitOptions } from '../../util/wait-options.js';
import { BaseProxy } from '../proxy.js';

/**
 * A manager's `Queue`, in a client.
 *
 * Semantics: as `Queue` where they have the same methods. The items are in the server: they outlive
 * whoever put them, and clients on other machines use it too. Iterating takes item after item until
 * the queue was shut down and is empty.
 *
 * Cancellation: an aborted `get` takes nothing, and an aborted `put` puts nothing; a process that
 * dies in the moment an item is on its way to it takes the item along.
 *
 * Python: `SyncManager.Queue`. Where all processes run on one machine, a `Queue` needs no server.
 *
 * @example
 * import { manager } from 'multiprocess';
 *
 * await using m = await manager();
 * const jobs = await m.Queue<string>();
 * await jobs.put('a');
 * await jobs.shutdown();
 * for await (const job of jobs) console.log(job); // a
 */
export class QueueProxy<T = unknown> extends BaseProxy<T[]> implements AsyncIterable<T> {
  /**
   * Puts an item, waiting for room.
   * @throws QueueFullError when the time ran out; ClosedError `MP_QUEUE_SHUT_DOWN`;
   * `signal.reason`.
   */
  put(item: T, options?: WaitOptions): Promise<void> {
    return this.callMethod<void>('put', [item, options]);
  }

  /**
   * Puts an item if there is room now.
   * @throws QueueFullError; ClosedError `MP_QUEUE_SHUT_DOWN`.
   */
  putNowait(item: T): Promise<void> {
    return this.callMethod<void>('putNowait', [item]);
  }

  /**
   * Takes the oldest item, waiting for one.
   * @throws QueueEmptyError when the time ran out; ClosedError `MP_QUEUE_SHUT_DOWN`;
   * `signal.reason`.
   */
  get(options?: WaitOptions): Promise<T> {
    return this.callMethod<T>('get', [options]);
  }

  /**
   * Takes the oldest item if there is one.
   * @throws QueueEmptyError; ClosedError `MP_QUEUE_SHUT_DOWN`.
   */
  getNowait(): Promise<T> {
    return this.callMethod<T>('getNowait');
  }

  /** Returns how many items are in it. */
  qsize(): Promise<number> {
    return this.callMethod<number>('qsize');
  }

  /** Returns whether it has no item. */
  empty(): Promise<boolean> {
    return this.callMethod<boolean>('empty');
  }

  /** Returns whether it has `maxSize` items. */
  full(): Promise<boolean> {
    return this.callMethod<boolean>('full');
  }

  /** Lets nothing in any more. @param options `immediate`: drops what is in it. Default `false`. */
  shutdown(options?: { readonly immediate?: boolean }): Promise<void> {
    return this.callMethod<void>('shutdown', [options]);
  }

  /** Takes items, one when the last one was used, until the queue was shut down and is empty. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      let item: T;
      try {
        item = await this.get();
      } catch (error) {
        if (error instanceof ClosedError && error.code === 'MP_QUEUE_SHUT_DOWN') return;
        throw error;
      }
      yield item;
    }
  }
}

/**
 * A manager's `JoinableQueue`, in a client.
 *
 * Python: `SyncManager.JoinableQueue`.
 * @example
 * import { manager, Process } from 'multiprocess';
 *
 * await using m = await manager();
 * const jobs = await m.JoinableQueue<string>();
 * const worker = await new Process(async () => {
 *   for await (const job of jobs) {
 *     console.log(job); // wash dry
 *     await jobs.taskDone();
 *   }
 * }).start();
 * for (const job of ['wash', 'dry']) await jobs.put(job);
 * await jobs.join(); // both are done
 * await jobs.shutdown();
 * await worker.join();
 */
export class JoinableQueueProxy<T = unknown> extends QueueProxy<T> {
  /** Says that an item that was got is done with. @throws ArgumentError `MP_TOO_MANY_DONE`. */
  taskDone(): Promise<void> {
    return this.callMethod<void>('taskDone');
  }

  /**
   * Waits until every item that was put is done with: `false` when the time ran out. Rejects with
   * `signal.reason`.
   */
  join(options?: WaitOptions): Promise<boolean> {
    return this.callMethod<boolean>('join', [options]);
  }
}
