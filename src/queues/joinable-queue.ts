import { type BlockHandle, registerShareable } from '../memory/index.js';
import { boundsOf, timeoutOf, type WaitOptions } from '../synchronize/wait-options.js';
import { tooManyDone } from './messages.js';
import { Queue } from './queue.js';
import type { QueueOptions } from './queue-options.js';
import type { Waiters } from './waiters.js';

/**
 * A queue that knows how many of its items are still being worked on.
 *
 * Semantics: each `put` counts up, also in other processes; whoever has finished with an item says so with `taskDone`; `join` waits until
 * nothing is left.
 *
 * Python: `multiprocessing.JoinableQueue`.
 */
export class JoinableQueue<T = unknown> extends Queue<T> {
  readonly #finished: Waiters;

  /** @throws ArgumentError; MultiprocessError `MP_SYSTEM` without memory or descriptors. */
  constructor(options?: QueueOptions<T>) {
    super(options);
    const { memory } = this.core;
    this.#finished = memory.joinWaiters({ ready: () => memory.unfinished <= 0 });
  }

  /** An item that was got is finished. @throws ArgumentError `MP_TOO_MANY_DONE` when it is said more often than items were put. */
  taskDone(): void {
    this.core.use('JoinableQueue.taskDone');
    const left = this.core.memory.taskDone();
    if (left < 0) throw tooManyDone('JoinableQueue.taskDone');
    if (left === 0) this.#finished.wake(Number.POSITIVE_INFINITY);
  }

  /** Waits until every item that was put has been finished: `false` when the time ran out. Rejects with `signal.reason`. */
  join(options?: WaitOptions): Promise<boolean> {
    try {
      if (this.#idle()) return Promise.resolve(true);
      return this.#finished.wait(() => this.core.memory.unfinished <= 0, boundsOf('JoinableQueue.join', options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As {@link join}, blocking the thread. */
  joinSync(options?: WaitOptions): boolean {
    return this.#idle() || this.#finished.waitSync(() => this.core.memory.unfinished <= 0, timeoutOf('JoinableQueue.joinSync', options));
  }

  #idle(): boolean {
    if (this.core.closed && !this.core.used) return true;
    this.core.check('JoinableQueue.join');
    return false;
  }
}

interface Handle {
  readonly block: BlockHandle;
}

registerShareable<JoinableQueue, Handle>('JoinableQueue', {
  module: new URL(import.meta.url),
  class: JoinableQueue,
  toHandle: (queue) => queue.handle,
  fromHandle: (handle) => new JoinableQueue(handle as unknown as QueueOptions),
});
