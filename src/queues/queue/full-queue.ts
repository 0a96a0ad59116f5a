/** What `Queue.next` does with an item for which a full queue has no room. */
import type { Overflow } from '../../streams/index.js';
import { queueFull } from '../shared/messages.js';
import { NONE } from './item-reader.js';
import type { QueueCore } from './queue-core.js';

/** What a queue does about an item that was dropped: nobody will say that it is done. */
export const DROPPED = Symbol('dropped');

/** Ways of putting the item. */
export interface PutItem {
  /** Puts it if there is room now. Returns whether there was. */
  tryPut(): boolean;
  /** Puts it once there is room, or never. */
  putLater(): void;
  /** Another one was taken out in its favour: nobody will say that it is done. */
  dropped(): void;
}

/**
 * Puts an item for which there was no room, as the policy says: `buffer` lets it wait,
 * `drop-newest` drops it, `drop-oldest` and `latest` drop others.
 *
 * @throws QueueFullError `MP_QUEUE_FULL` by policy `error`, for a `buffer` that is full, and where
 * nothing can be dropped.
 */
export function putOnFull<T>(core: QueueCore, overflow: Overflow<T>, item: T, way: PutItem): void {
  switch (overflow.policy) {
    case 'buffer':
      if (overflow.capacity !== 'unbounded' && core.writer.waiting >= overflow.capacity)
        throw queueFull('queue', 'Queue.next', undefined);
      way.putLater();
      return;
    case 'error':
      throw queueFull('queue', 'Queue.next', undefined);
    case 'drop-newest':
      overflow.onDrop?.(item);
      return;
  }
  const dropOldest = (): boolean => {
    const oldest = core.reader.tryTakeItem('Queue.next');
    if (oldest === NONE) return false;
    way.dropped();
    overflow.onDrop?.(oldest as T);
    return true;
  };
  do {
    if (dropOldest()) {
      if (overflow.policy === 'latest') while (dropOldest());
    } else if (way.tryPut())
      return; // A consumer has made room meanwhile.
    // All items are claimed by others.
    else throw queueFull('queue', 'Queue.next', undefined);
  } while (!way.tryPut());
}
