/**
 * Readers of synchronous sources. They stay synchronous: no promise, no closure for an item.
 *
 * Invariant: `return()` is called at most once, never after the iterator ended or threw, and never
 * while its `next()` is on the stack (a source may stop its own stream; a running generator refuses
 * `return()`). Both are called in the async context in which the reading was begun.
 */
import { callerContext } from '../../util/caller-context.js';
import { DONE, FAILED, MORE, type PullReader, type ReadState } from './pull.js';

/** Reads an array by index, and knows its end with the last item. */
export class ArrayReader<T> implements PullReader<T> {
  readonly error = undefined;
  readonly #items: ArrayLike<T>;
  #next = 0;

  constructor(items: ArrayLike<T>) {
    this.#items = items;
  }

  get size(): number {
    return this.#items.length;
  }

  read(into: T[], max: number): ReadState {
    const items = this.#items;
    const end = Math.min(this.#next + max, items.length);
    for (let i = this.#next; i < end; i++) into.push(items[i] as T);
    this.#next = end;
    return end >= items.length ? DONE : MORE;
  }

  cancel(): Promise<void> {
    return Promise.resolve();
  }
}

/** Reads any iterator. */
export class IteratorReader<T> implements PullReader<T> {
  error: unknown = undefined;
  readonly size: number | undefined;
  readonly #iterator: Iterator<T>;
  readonly #next: Iterator<T>['next'];
  readonly #admit: ((item: T) => T) | undefined;
  readonly #context = callerContext();
  #over = false;
  #reading = false;
  #cancelled = false;

  /** @param admit What takes the place of an item before the next one is asked for. */
  constructor(iterator: Iterator<T>, size: number | undefined, admit?: (item: T) => T) {
    this.#admit = admit;
    this.#iterator = iterator;
    this.#next = iterator.next;
    this.size = size;
  }

  read(into: T[], max: number): ReadState {
    return this.#context.runInAsyncScope(this.#read, this, into, max);
  }

  #read(into: T[], max: number): ReadState {
    if (this.#over) return DONE;
    const iterator = this.#iterator;
    const next = this.#next;
    const admit = this.#admit;
    this.#reading = true;
    try {
      for (let n = 0; n < max && !this.#cancelled; n++) {
        const result = next.call(iterator);
        if (result.done === true) {
          this.#over = true;
          return DONE;
        }
        into.push(admit === undefined ? result.value : admit(result.value));
      }
    } catch (error) {
      this.#over = true;
      this.error = error;
      return FAILED;
    } finally {
      this.#reading = false;
    }
    if (this.#cancelled) this.#return().catch(() => {});
    return MORE;
  }

  cancel(): Promise<void> {
    this.#cancelled = true;
    return this.#reading ? Promise.resolve() : this.#return();
  }

  async #return(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#context.runInAsyncScope(() => this.#iterator.return?.());
  }
}
