import { Subject } from 'rxjs';
import { inOwnContext } from '../../streams/index.js';
import { nextTick } from '../../util/timers.js';
import type { PoolEvent } from '../events.js';

/** What happens in a pool, as its users are told of it. */
export class EventFeed {
  readonly #events = new Subject<PoolEvent>();
  /** For subscribers: each is called in its own async context. */
  readonly observed = inOwnContext(this.#events);
  /** What is to be told at the end of this turn; `null`: it is told at once. */
  #held: PoolEvent[] | null = null;

  /**
   * Holds events back until this turn ends: whoever subscribes right after the pool was made is told
   * of its first workers too, as of a child's `spawn` by Node.
   */
  holdThisTurn(): void {
    this.#held = [];
    nextTick(() => {
      const events = this.#held ?? [];
      this.#held = null;
      for (const event of events) this.#events.next(event);
    });
  }

  tell(event: PoolEvent): void {
    if (this.#held === null) this.#events.next(event);
    else this.#held.push(event);
  }
}
