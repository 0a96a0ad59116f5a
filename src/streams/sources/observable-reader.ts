/**
 * Reader of Observables, which push and cannot be paused: what the window cannot take waits in a
 * bounded queue, and the overflow policy says what happens when that is full.
 *
 * Invariants: the subscription is made once, in `start`, when the window is already open; it ends
 * exactly once. Items accepted before an error, an overflow or the completion are read before it.
 */
import { Observable, type Observer, type Subscriber, type Unsubscribable } from 'rxjs';
import { callerContext } from '../../util/caller-context.js';
import { Deque } from '../../util/deque.js';
import { overflowed } from '../messages.js';
import type { Overflow } from './overflow.js';
import { DONE, FAILED, MORE, type PullReader, type ReadState, WAIT } from './pull.js';

/** The part of an Observable that is needed, of whatever library it is. */
export interface Subscribable<T> {
  /** Begins to push; the result ends it. */
  subscribe(observer: Partial<Observer<T>>): Unsubscribable;
}

/** What it needs to know of its reader: of a SourceContext. */
export interface ObservableContext<T> {
  readonly overflow: Overflow<T> | undefined;
  capacity(): number;
  readonly admit?: ((item: T, remember?: boolean) => T) | undefined;
  readonly original?: ((item: T) => T) | undefined;
}

const OPEN = 0;
const COMPLETED = 1;
const ERRORED = 2;

/** Subscribes when started, queues what is pushed. */
export class ObservableReader<T> implements PullReader<T> {
  error: unknown = undefined;
  readonly #source: Subscribable<T>;
  readonly #overflow: Overflow<T>;
  readonly #defaultCapacity: () => number;
  readonly #wake: () => void;
  readonly #admit: (item: T, remember?: boolean) => T;
  readonly #original: (item: T) => T;
  readonly #remember: boolean;
  readonly #queue = new Deque<T>();
  readonly #context = callerContext();
  #state = OPEN;
  #waiting = false;
  #subscriber: Subscriber<T> | undefined;

  constructor(source: Subscribable<T>, context: ObservableContext<T>, wake: () => void) {
    this.#source = source;
    this.#overflow = context.overflow ?? { policy: 'error' };
    this.#defaultCapacity = () => context.capacity();
    this.#admit = context.admit ?? ((item) => item);
    this.#remember = this.#overflow.policy !== 'buffer' && this.#overflow.onDrop !== undefined;
    this.#original = context.original ?? ((item) => item);
    this.#wake = wake;
  }

  start(): void {
    if (this.#state !== OPEN) return;
    // The subscriber is known before the source emits, so that a source that emits inside
    // subscribe() can be stopped there.
    const source = new Observable<T>((subscriber) => {
      this.#subscriber = subscriber;
      return this.#source.subscribe(subscriber);
    });
    source.subscribe({
      next: (item) => this.#push(item),
      error: (error: unknown) => this.#end(ERRORED, error),
      complete: () => this.#end(COMPLETED, undefined),
    });
  }

  read(into: T[], max: number): ReadState {
    const queue = this.#queue;
    this.#waiting = false;
    let n = 0;
    for (; n < max && queue.length > 0; n++) into.push(queue.shift() as T);
    if (queue.length === 0 && this.#state !== OPEN) return this.#state === ERRORED ? FAILED : DONE;
    if (n === max) return MORE;
    this.#waiting = true;
    return WAIT;
  }

  cancel(): Promise<void> {
    this.#state = COMPLETED;
    this.#waiting = false;
    this.#queue.clear();
    this.#subscriber?.unsubscribe();
    return Promise.resolve();
  }

  #push(item: T): void {
    if (this.#state !== OPEN) return;
    if (this.#queue.length >= this.#capacity() && !this.#makeRoom(item)) return;
    // Who is told of what is dropped gets the very item.
    this.#queue.push(this.#admit(item, this.#remember));
    if (this.#waiting) {
      this.#waiting = false;
      this.#wake();
    }
  }

  #capacity(): number {
    const { policy, capacity } = this.#overflow;
    if (policy === 'latest') return 1;
    if (capacity === 'unbounded') return Number.POSITIVE_INFINITY;
    return capacity ?? this.#defaultCapacity();
  }

  /** The queue is full. Whether `item` may enter all the same. */
  #makeRoom(item: T): boolean {
    const overflow = this.#overflow;
    if (overflow.policy === 'error' || overflow.policy === 'buffer') {
      this.#fail(overflowed(this.#capacity()));
      return false;
    }
    const enters = overflow.policy !== 'drop-newest';
    const lost = enters ? this.#original(this.#queue.shift() as T) : item;
    try {
      this.#context.runInAsyncScope(() => overflow.onDrop?.(lost));
    } catch (error) {
      this.#fail(error);
    }
    return enters && this.#state === OPEN;
  }

  #fail(error: unknown): void {
    this.#end(ERRORED, error);
    this.#subscriber?.unsubscribe();
  }

  #end(state: typeof COMPLETED | typeof ERRORED, error: unknown): void {
    if (this.#state !== OPEN) return;
    this.#state = state;
    this.error = error;
    if (this.#waiting) {
      this.#waiting = false;
      this.#wake();
    }
  }
}
