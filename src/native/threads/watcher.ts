import { clearImmediate, setImmediate } from '../../util/timers.js';
import { LoopHolder } from './loop-holder.js';
import { eventsOf, readyEvents } from './pipes.js';
import { WordListener } from './word-listener.js';

const ADD = 1;
const REMOVE = 2;

interface Watched {
  readonly number: number;
  events: number;
  readonly listener: WordListener;
}

/**
 * Which streams and listeners are ready, told on this thread's event loop: what epoll is to
 * descriptors, level-triggered. What is told and still ready is told again on the next turn.
 */
export class Watcher {
  readonly #onReady: (count: number) => void;
  readonly #told: Int32Array;
  readonly #watched = new Map<number, Watched>();
  readonly #holder = new LoopHolder();
  #held = false;
  #turn: NodeJS.Immediate | null = null;

  /** @param told Where it writes pairs of token and events before it calls. */
  constructor(onReady: (count: number) => void, told: Int32Array) {
    this.#onReady = onReady;
    this.#told = told;
  }

  /** As epoll_ctl. Returns 0. */
  control(operation: number, number: number, events: number, token: number): number {
    const known = this.#watched.get(token);
    if (operation === REMOVE) {
      known?.listener.close();
      this.#watched.delete(token);
      return 0;
    }
    if (operation === ADD && known === undefined) {
      const word = eventsOf(number);
      // The caller looks at what there is by itself: nobody has it any more, which is always ready.
      const { words, index } = word ?? { words: new Int32Array(new SharedArrayBuffer(4)), index: 0 };
      const listener = new WordListener(words, index, this.#look);
      this.#watched.set(token, { number, events, listener });
    } else if (known !== undefined) known.events = events;
    if (readyEvents(number, events) !== 0) this.#lookLater();
    return 0;
  }

  /** Whether it keeps the event loop alive. */
  hold(on: boolean): void {
    this.#held = on;
    this.#holder.hold(on);
    if (on) this.#turn?.ref();
    else this.#turn?.unref();
  }

  /** Ends it. */
  close(): void {
    for (const { listener } of this.#watched.values()) listener.close();
    this.#watched.clear();
    this.hold(false);
    if (this.#turn !== null) clearImmediate(this.#turn);
    this.#turn = null;
  }

  #lookLater(): void {
    this.#turn ??= setImmediate(this.#onTurn);
    if (!this.#held) this.#turn.unref();
  }

  readonly #onTurn = (): void => {
    this.#turn = null;
    this.#look();
  };

  readonly #look = (): void => {
    let count = 0;
    for (const [token, { number, events }] of this.#watched) {
      const ready = readyEvents(number, events);
      if (ready === 0) continue;
      this.#told[2 * count] = token;
      this.#told[2 * count + 1] = ready;
      if (2 * ++count === this.#told.length) break;
    }
    if (count === 0) return;
    try {
      this.#onReady(count);
    } finally {
      for (const { number, events } of this.#watched.values()) if (readyEvents(number, events) !== 0) this.#lookLater();
    }
  };
}
