/** What `Queue.next` does with an item for which a full queue has no room. */
import type { Overflow } from '../../streams/index.js';
import { queueFull } from '../shared/messages.js';
import { NONE } from './item-reader.js';
import type { QueueCore } from './queue-core.js';

/** Ways of putting the item. */
export interface PutItem {
  /** Puts it if there is room now. Returns whether there was. */
  tryPut(): boolean;
  /** Puts it once there is room, or never. */
  putLater(): void;
}

/**
 * Puts an item for which there was no room, as the policy says: `buffer` lets it wait,
 * `drop-newest` drops it, `drop-oldest` and `latest` drop others.
 *
 * @throws QueueFullError `MP_QUEUE_FULL` by policy `error`, for a `buffer` that is full, and where
 * nothing can be dropped.
 */
export function putOnFull<T>(core: QueueCore, overflow: Overflow<T>, item: T, { tryPut, putLater }: PutItem): void {
  switch (overflow.policy) {
    case 'buffer':
      if (overflow.capacity !== 'unbounded' && core.writer.waiting >= overflow.capacity)
        throw queueFull('queue', 'Queue.next', undefined);
      putLater();
      return;
    case 'error':
      throw queueFull('queue', 'Queue.next', undefined);
    case 'drop-newest':
      overflow.onDrop?.(item);
      return;
  }
  for (let had = false; !had; had = tryPut()) {
    // Nothing can be dropped while all items are claimed by others.
    if (!dropOldest(core, overflow) && !tryPut()) throw queueFull('queue', 'Queue.next', undefined);
    else if (overflow.policy === 'latest') while (dropOldest(core, overflow));
  }
}

function dropOldest<T>(core: QueueCore, overflow: Overflow<T>): boolean {
  const item = core.reader.tryTakeItem('Queue.next');
  if (item === NONE) return false;
  if (overflow.policy !== 'buffer') overflow.onDrop?.(item as T);
  return true;
}
