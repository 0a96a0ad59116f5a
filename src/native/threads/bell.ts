import { LoopHolder } from './loop-holder.js';
import { WordListener } from './word-listener.js';

/** A doorbell of this thread: what rings a bell calls back on its event loop. */
export class Bell {
  readonly #listener: WordListener;
  readonly #holder = new LoopHolder();
  readonly #onClose: () => void;

  /** It is told of rings that came before it was made, too. */
  constructor(memory: SharedArrayBuffer, onRing: () => void, onClose: () => void) {
    this.#listener = new WordListener(new Int32Array(memory), 0, onRing, 0);
    this.#onClose = onClose;
    this.#holder.hold(true);
  }

  /** Whether it keeps the event loop alive. At first it does. */
  hold(on: boolean): void {
    this.#holder.hold(on);
  }

  /** No callback starts after this. */
  close(): void {
    this.#holder.hold(false);
    this.#listener.close();
    this.#onClose();
  }
}
