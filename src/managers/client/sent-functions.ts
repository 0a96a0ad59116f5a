/**
 * Functions of this client that were arguments: the server has a stub for each, which calls them
 * back by number. A function is kept for as long as a stub lives: its count is the number of times
 * it was sent, less those that the server gave up.
 */
import { badFrame } from '../messages.js';
import { whileSendingTo } from '../proxies.js';
import { sendError } from '../wire/errors.js';
import { Flag, type Frame, Kind, type Wire } from '../wire/frames.js';

export class SentFunctions {
  readonly #functions = new Map<number, { readonly fn: Function; count: number }>();
  readonly #numbers = new WeakMap<Function, number>();
  #last = 0;

  /** Returns the number of a function that is sent now. */
  numberOf(fn: Function): number {
    let number = this.#numbers.get(fn);
    if (number === undefined) {
      number = ++this.#last;
      this.#numbers.set(fn, number);
    }
    const known = this.#functions.get(number);
    if (known === undefined) this.#functions.set(number, { fn, count: 1 });
    else known.count++;
    return number;
  }

  /**
   * Calls a function for the server, and sends its answer.
   * @param peer for whom the answer is encoded.
   * @param isOpen whether the connection is that of the call still.
   */
  callBack(peer: object, wire: Wire, frame: Frame, isOpen: () => boolean): void {
    const answer = async () => {
      const args = (await wire.payload(frame)) as unknown[];
      const fn = this.#functions.get(frame.object)?.fn;
      if (fn === undefined) throw badFrame(`function ${frame.object} is not known`);
      return (await Reflect.apply(fn, undefined, args)) as unknown;
    };
    answer()
      .then((value) => {
        if (isOpen()) whileSendingTo(peer, () => wire.send(value, Kind.answer, frame.id));
      })
      .catch((error: unknown) => {
        if (isOpen()) sendError(wire, error, Kind.answer, frame.id, 0, Flag.error);
      });
  }

  /** The server gave up so many stubs. */
  forget(number: number, count: number): void {
    const known = this.#functions.get(number);
    if (known === undefined) return;
    known.count -= count;
    if (known.count <= 0) this.#functions.delete(number);
  }

  /** Forgets all: the connection has ended. */
  clear(): void {
    this.#functions.clear();
  }
}
