/** A queue as this thread has it. */
import type { BlockHandle } from '../../memory/index.js';
import type { TaskStream } from '../../streams/index.js';
import type { QueueSettings } from '../queue-options.js';
import { ItemCore } from '../shared/item-core.js';
import { ConsumerFeed, type ItemHolder } from './consumer-feed.js';
import { ItemReader } from './item-reader.js';
import { QueueMemory } from './queue-memory.js';

export class QueueCore extends ItemCore<QueueMemory, ConsumerFeed> {
  readonly reader: ItemReader;

  constructor(from: QueueSettings | BlockHandle) {
    super('Queue', new QueueMemory(from));
    this.reader = new ItemReader(this.memory, this.items, () => this.writer.roomMade());
  }

  /** The core of memory that another thread or process has too. */
  static attach(block: BlockHandle): QueueCore {
    const here = ItemCore.here(block);
    return here instanceof QueueCore ? here.reopen() : new QueueCore(block);
  }

  /** A stream of what this thread's consumer takes. */
  consume(actor: string, prefetch: number, holder: ItemHolder | null): TaskStream<unknown> {
    return this.stream(actor, (listener, shape) => new ConsumerFeed(this.reader, prefetch, holder, listener, shape));
  }

  protected get ready(): boolean {
    return this.reader.ready;
  }

  get hasRead(): boolean {
    return this.reader.hasRead;
  }

  protected checkPeers(): void {
    this.reader.checkPeers();
  }

  // What its streams have claimed goes back when the process has ended; they do not keep others
  // from putting by being there.
  protected readNoMore(): void {}
}
