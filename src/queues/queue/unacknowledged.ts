/** Items that were delivered to be acknowledged, oldest first. */

import { notHeld } from '../shared/messages.js';
import type { ItemHolder } from './consumer-feed.js';

interface Entry<P> {
  readonly value: unknown;
  readonly position: P;
  readonly released: () => void;
}

/** @typeParam P What says where an item is. */
export class UnacknowledgedItems<P = number> implements ItemHolder<P> {
  readonly #entries = new Set<Entry<P>>();

  holdItem(value: unknown, position: P, released: () => void): void {
    this.#entries.add({ value, position, released });
  }

  /**
   * Lets go of an item, the oldest if none is given; `end` is told its position.
   * @throws ArgumentError `MP_NOT_HELD`.
   */
  releaseItem(actor: string, item: readonly unknown[], end: (position: P) => void): void {
    for (const entry of this.#entries) {
      if (item.length > 0 && !Object.is(entry.value, item[0])) continue;
      this.#entries.delete(entry);
      end(entry.position);
      entry.released();
      return;
    }
    throw notHeld(actor);
  }
}
