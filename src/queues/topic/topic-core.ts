/** A topic as this thread has it. */
import { Subject } from 'rxjs';
import { StreamOverflowError } from '../../errors/index.js';
import type { BlockHandle } from '../../memory/index.js';
import type { TaskStream } from '../../streams/index.js';
import { type End, endOf } from '../shared/end.js';
import { ItemCore } from '../shared/item-core.js';
import type { TopicSettings } from '../topic-options.js';
import { type SubscribedTopic, TopicFeed } from './topic-feed.js';
import { type Gap, TopicMemory } from './topic-memory.js';

export class TopicCore extends ItemCore<TopicMemory, TopicFeed> implements SubscribedTopic {
  readonly gaps = new Subject<Gap>();

  constructor(from: TopicSettings | BlockHandle) {
    super('Topic', new TopicMemory(from));
  }

  /** The core of memory that another thread or process has too. */
  static attach(block: BlockHandle): TopicCore {
    const here = ItemCore.here(block);
    return here instanceof TopicCore ? here.reopen() : new TopicCore(block);
  }

  /** A subscription. */
  subscription(): TaskStream<unknown> {
    return this.stream('Topic.subscribe', (listener, shape) => new TopicFeed(this, listener, shape));
  }

  /** How subscriptions end that have read everything; `null`: they do not. */
  end(): End | null {
    return endOf(this.memory);
  }

  /** A subscription lost items. Returns whether it goes on. */
  missed(gap: Gap, feed: TopicFeed): boolean {
    this.gaps.next(gap);
    if (this.memory.lag !== 'error') return true;
    feed.endWithError(
      new StreamOverflowError(
        `Topic: a subscriber fell behind and ${gap.count} items were dropped before it read them; read faster, give the topic a larger \`capacity\` or \`maxSize\`, or another \`lag\`.`,
        { code: 'MP_TOPIC_LAG' },
      ),
    );
    return false;
  }

  /** Who publishes waits for subscribers, of which the topic itself knows who is gone. */
  get hasRead(): boolean {
    return true;
  }

  protected get ready(): boolean {
    return [...this.feeds].some((feed) => feed.behind) || this.end() !== null;
  }

  protected checkPeers(): void {
    this.memory.members.checkPeers();
  }

  protected readNoMore(): void {
    for (const feed of this.feeds) feed.leave();
  }

  protected override released(): void {
    this.gaps.complete();
  }
}
