import { ATTACH, type BlockOnly, registerShareable } from '../memory/index.js';
import { loads } from '../reduction/index.js';
import { checkOptions } from '../util/options.js';
import { entry } from '../util/package.js';
import { TopicCore } from './topic/topic-core.js';
import { Topic } from './topic.js';
import type { TopicOptions } from './topic-options.js';

/** Of a topic's options those that a state leaves open. */
const OPTIONS = ['capacity', 'onWriterLost', 'context'];

/**
 * A value that changes, for everybody: each subscriber in every process gets the value there is,
 * and then each later one, of which it may skip those that were replaced before it looked.
 *
 * Semantics: setting never waits. A subscriber that is slow sees the newest value next, never one
 * that is older than what it saw.
 *
 * Python: there is none; as an rxjs BehaviorSubject between processes.
 *
 * @example
 * import { StateTopic } from 'multiprocess';
 *
 * const state = new StateTopic({ done: 0 });
 * state.next({ done: 1 });
 * for await (const { done } of state) {
 *   console.log(done); // 1
 *   break;
 * }
 */
export class StateTopic<T = unknown> extends Topic<T> {
  /**
   * @param initial The first value.
   * @param options `capacity` and `onWriterLost` of a topic.
   * @throws ArgumentError; SerializationError; MultiprocessError `MP_SYSTEM`.
   */
  constructor(initial: T, options?: Pick<TopicOptions, 'capacity' | 'onWriterLost' | 'context'>);
  /** @internal */
  constructor(initial: undefined, core: TopicCore);
  constructor(initial: T | undefined, from?: Pick<TopicOptions, 'capacity' | 'onWriterLost' | 'context'> | TopicCore) {
    if (from instanceof TopicCore) {
      super(from);
      return;
    }
    checkOptions('StateTopic', from, OPTIONS);
    super({ ...from, replay: 1, lag: 'latest' });
    try {
      this.next(initial as T);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** @internal */
  static override [ATTACH]({ block }: BlockOnly): StateTopic {
    return new StateTopic(undefined, TopicCore.attach(block));
  }

  /**
   * The value there is now: a copy of its own for each call.
   * @throws ClosedError; SerializationError.
   */
  getValue(): T {
    this.core.check('StateTopic.getValue');
    return loads<T>(this.core.memory.newest() as Uint8Array);
  }

  /** As {@link getValue}. */
  get value(): T {
    return this.getValue();
  }
}

registerShareable('StateTopic', {
  module: entry('queues/index'),
  class: StateTopic,
  toHandle: (topic) => topic.handle,
  closed: ({ core }) => core.closed,
});
