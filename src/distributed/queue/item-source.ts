/** A queue as those see it who take from it in this process: streams, and who waits for one item. */
import type { MultiprocessError } from '../../errors/index.js';
import type { UnacknowledgedItems } from '../../queues/index.js';
import type { Channel, End } from '../channel/index.js';
import type { HeldItem, HeldItems } from './held-items.js';
import type { ItemConsumer } from './item-consumer.js';

/** Milliseconds for which others have an item before a consumer that cannot read it. */
export const UNREADABLE_DELAY_MS = 1_000;

/** Who waits for items. */
export interface Waiting {
  /** Whether it has none, and is given none. */
  readonly idle: boolean;
  /** None will come. */
  ended(end: End): void;
  /** The queue was made anew. */
  renew(): void;
}

export interface ItemSource {
  readonly channel: Channel;
  readonly held: HeldItems;
  readonly unacknowledged: UnacknowledgedItems<HeldItem>;
  /** A consumer of this process. */
  consumer(came: () => void): ItemConsumer;
  /** Takes an item if one is there. @throws (rejects) TimeoutError `MP_BROKER_AWAY`. */
  glance(actor: string): Promise<HeldItem | undefined>;
  /** The value of an item, or a promise of it. @throws what decoding throws. */
  decode(item: HeldItem): unknown;
  /** An item is done with, and its parts. Resolves when the broker knows. */
  acknowledge(item: HeldItem): Promise<void>;
  /** Somebody leaves: resolves when the broker has what it had. */
  leaving(work: Promise<void>): void;
  /** Someone waits for items: told when none will come. */
  await(waiting: Waiting): void;
  forget(waiting: Waiting): void;
  /** One that waits has none. */
  changed(): void;
  /** Calls `listener` when nothing is taken here any more. Returns what takes that back. */
  onEnded(listener: (reason: MultiprocessError) => void): () => void;
}
