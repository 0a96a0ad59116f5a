/** The receive calls of a connection that wait, served in the order they were made. */
import { Deque } from '../../util/deque.js';
import { limitWait } from '../../util/limit-wait.js';
import type { WaitOptions } from '../../util/wait-options.js';
import { timedOut } from '../messages.js';

/** One call that waits. */
export interface Receiver {
  /** Whether it wants the bytes, not the value. */
  readonly raw: boolean;
  /** Most bytes of a message. */
  readonly most: number;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export class Receivers {
  readonly #queue = new Deque<Receiver>();
  readonly #onChange: () => void;

  /** @param onChange called when a receiver was added, or gave up. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get length(): number {
    return this.#queue.length;
  }

  first(): Receiver | undefined {
    return this.#queue.first();
  }

  shift(): Receiver | undefined {
    return this.#queue.shift();
  }

  /**
   * Waits for a message.
   * @throws (as rejection) TimeoutError; `signal.reason`; what `reject` is called with.
   */
  wait(actor: string, raw: boolean, most: number, options: WaitOptions | undefined): Promise<unknown> {
    return new Promise((resolve, reject) => {
      let free = () => {};
      const receiver: Receiver = {
        raw,
        most,
        resolve(value) {
          free();
          resolve(value);
        },
        reject(error) {
          free();
          reject(error);
        },
      };
      if (options !== undefined) {
        const giveUp = (why: unknown) => {
          if (!this.#queue.remove(receiver)) return;
          receiver.reject(why);
          this.#onChange();
        };
        free = limitWait(options, () => giveUp(timedOut(actor, options.timeout)), giveUp);
      }
      this.#queue.push(receiver);
      this.#onChange();
    });
  }

  /** Nobody waits here. */
  forget(): void {
    this.#queue.clear();
  }

  /** Nothing will come any more. */
  rejectAll(error: unknown): void {
    for (let one = this.#queue.shift(); one !== undefined; one = this.#queue.shift()) one.reject(error);
  }
}
