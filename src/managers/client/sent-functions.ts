/**
 * Functions of this client that were arguments: the server has a stand-in for each, which calls
 * them back by number. A function is kept for as long as a stand-in lives: its count is the number
 * of times it was sent, less those that the server gave up.
 */
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

  /** Returns the function of a number, unless the server gave it up. */
  get(number: number): Function | undefined {
    return this.#functions.get(number)?.fn;
  }

  /** The server gave up so many stand-ins. */
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
