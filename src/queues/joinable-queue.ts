import { registerShareable } from '../memory/index.js';
import type { Overflow } from '../streams/index.js';
import { entry } from '../util/package.js';
import { boundsOf, timeoutOf, type WaitOptions } from '../util/wait-options.js';
import { DROPPED } from './queue/full-queue.js';
import type { QueueCore } from './queue/queue-core.js';
import { arrivedAgain } from './queue/queue-memory.js';
import { Queue } from './queue.js';
import type { QueueOptions } from './queue-options.js';
import { consumersLost, tooManyDone } from './shared/messages.js';
import { OrphanDetector } from './shared/orphan-detector.js';
import type { Waiters } from './shared/waiters.js';

/**
 * A queue that knows how many of its items are still being worked on.
 *
 * Semantics: each `put` counts up, also in other processes; whoever has finished with an item says
 * so with `taskDone`; `join` waits until nothing is left.
 *
 * Python: `multiprocessing.JoinableQueue`.
 * @example
 * import { JoinableQueue, Pool } from 'multiprocess';
 *
 * const jobs = new JoinableQueue<number>();
 * await using pool = new Pool({ processes: 1 });
 * const worker = pool.apply(async () => {
 *   let done = 0;
 *   for await (const _ of jobs) {
 *     done++;
 *     jobs.taskDone();
 *   }
 *   return done;
 * });
 * for (const job of [1, 2, 3]) await jobs.put(job);
 * await jobs.join(); // all are done
 * jobs.complete();
 * console.log(await worker); // 3
 */
export class JoinableQueue<T = unknown> extends Queue<T> {
  readonly #finished: Waiters;
  readonly #orphans: OrphanDetector;

  /** @throws ArgumentError; MultiprocessError `MP_SYSTEM` without memory or descriptors. */
  constructor(options?: QueueOptions<T>);
  /** @internal */
  constructor(from: QueueOptions<T> | QueueCore | undefined, overflow?: Overflow<T>);
  constructor(from?: QueueOptions<T> | QueueCore, overflow?: Overflow<T>) {
    super(from, overflow);
    const { memory } = this.core;
    const { core } = this;
    const orphans = new OrphanDetector(
      () => memory.unfinished > 0 && memory.travelled && !core.hasRead && !memory.members.others && !memory.onItsWay,
    );
    this.#orphans = orphans;
    // The core holds these two for as long as it is open, so they must not hold the queue.
    this.#finished = memory.joinWaiters({
      ready: () => memory.unfinished <= 0 || orphans.certain,
      checkPeers: () => orphans.look(),
    });
  }

  /**
   * An item that was got is finished.
   *
   * @throws ArgumentError `MP_TOO_MANY_DONE` when it is said more often than items were put.
   * @group Python
   */
  taskDone(): void {
    this.core.use('JoinableQueue.taskDone');
    const left = this.core.memory.taskDone();
    if (left < 0) throw tooManyDone('JoinableQueue.taskDone');
    if (left === 0) this.#finished.wake(Number.POSITIVE_INFINITY);
  }

  /** @internal */
  protected override [DROPPED](): void {
    if (this.core.memory.taskDone() === 0) this.#finished.wake(Number.POSITIVE_INFINITY);
  }

  /**
   * Waits until every item that was put has been finished: `false` when the time ran out.
   *
   * @throws (rejects) `signal.reason`; MultiprocessError `MP_CONSUMERS_LOST` when all others who
   *   had the queue have closed it or ended, and this thread took nothing.
   * @group Python
   */
  join(options?: WaitOptions): Promise<boolean> {
    try {
      if (this.#idle()) return Promise.resolve(true);
      this.#orphans.reset();
      return this.#finished.wait(
        () => this.#done('JoinableQueue.join'),
        'JoinableQueue.join',
        boundsOf('JoinableQueue.join', options),
      );
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * As {@link join}, blocking the thread.
   *
   * @group Python
   */
  joinSync(options?: WaitOptions): boolean {
    if (this.#idle()) return true;
    this.#orphans.reset();
    return this.#finished.waitSync(
      () => this.#done('JoinableQueue.joinSync'),
      timeoutOf('JoinableQueue.joinSync', options),
    );
  }

  #done(actor: string): boolean {
    const { unfinished } = this.core.memory;
    if (unfinished <= 0) return true;
    if (this.#orphans.certain) throw consumersLost(actor, unfinished);
    return false;
  }

  #idle(): boolean {
    if (this.core.closed && !this.core.used) return true;
    this.core.check('JoinableQueue.join');
    return false;
  }
}

registerShareable('JoinableQueue', {
  module: entry('queues/index'),
  class: JoinableQueue,
  toHandle: (queue) => queue.handle,
  closed: ({ core }) => core.closed,
  again: arrivedAgain,
});
