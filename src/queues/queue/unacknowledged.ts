/** Items that were delivered to be acknowledged, oldest first. */

import { notHeld } from '../shared/messages.js';
import type { Holder } from './consumer-feed.js';

interface Entry {
  readonly value: unknown;
  readonly position: number;
  readonly released: () => void;
}

export class Held implements Holder {
  readonly #entries = new Set<Entry>();

  hold(value: unknown, position: number, released: () => void): void {
    this.#entries.add({ value, position, released });
  }

  /** Lets go of an item, the oldest if none is given; `end` is told its position. @throws ArgumentError `MP_NOT_HELD`. */
  release(actor: string, item: readonly unknown[], end: (position: number) => void): void {
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
