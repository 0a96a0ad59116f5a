/**
 * What a stream can read, and how its kind is told.
 *
 * Order of detection: pull brand -> ReadableStream -> Observable -> AsyncIterable -> Iterable ->
 * array-like. A TaskStream is an Observable and an AsyncIterable too; the brand comes first so that
 * it is pulled, in batches and with backpressure.
 *
 * One-shot sources (iterators that return themselves, ReadableStreams, Node.js Readables) are
 * claimed by their first execution, whichever stream it belongs to; a second one gets
 * StreamConsumedError instead of an empty stream.
 */
import type { ReadableStream } from 'node:stream/web';
import { type InteropObservable, type Observable, observable } from 'rxjs';
import { BROKEN_PULL, consumed, notASource } from '../messages.js';
import { type AsyncPull, AsyncReader } from './async-reader.js';
import { ObservableReader, type Subscribable } from './observable-reader.js';
import type { Overflow } from './overflow.js';
import { isPullSource, PULL, type PullReader, type PullSource } from './pull.js';
import { ArrayReader, IteratorReader } from './sync-readers.js';

/** Anything a stream can read items from. */
export type Source<T> =
  | Iterable<T>
  | AsyncIterable<T>
  | ReadableStream<T>
  | Observable<T>
  | Subscribable<T>
  | InteropObservable<T>
  | PullSource<T>
  | ArrayLike<T>;

/** What opening a source needs to know of its reader. */
export interface SourceContext<T> {
  /** Called when a waiting source has something, see {@link PullSource}. */
  wake(): void;
  /** Capacity of the overflow queue of a push source, when the policy names none. */
  capacity(): number;
  /** Overflow policy of a push source. */
  readonly overflow: Overflow<T> | undefined;
  /**
   * What the reader puts in the place of an item as soon as it has that, for the source may use it
   * again. Default: the item.
   */
  readonly admit?: ((item: T, remember?: boolean) => T) | undefined;
  /** The item of what `admit` gave. */
  readonly original?: ((item: T) => T) | undefined;
}

/** A source seen as whatever it might be. */
interface Anything<T> {
  readonly length?: unknown;
  readonly size?: unknown;
  getReader?(): unknown;
  subscribe?: Subscribable<T>['subscribe'];
  readonly [method: symbol | string]: unknown;
}

const claimed = new WeakSet<object>();

/** Refuses what is no source. @throws ArgumentError `MP_INVALID_ARGUMENT`. */
export function checkSource(actor: string, source: unknown): void {
  if (typeof source === 'string') return;
  if (source === null || (typeof source !== 'object' && typeof source !== 'function')) throw notASource(actor, source);
  const s = source as Anything<unknown>;
  const known =
    isPullSource(source) ||
    isReadableStream(s) ||
    subscribable(s) !== undefined ||
    typeof s[Symbol.asyncIterator] === 'function' ||
    typeof s[Symbol.iterator] === 'function' ||
    isArrayLike(s);
  if (!known) throw notASource(actor, source);
}

/** How many items a source holds, where it tells without being read. */
export function sizeOf(source: unknown): number | undefined {
  if (typeof source !== 'object' || source === null || isPullSource(source)) return undefined;
  const s = source as Anything<unknown>;
  const arrayLike =
    Array.isArray(source) || ArrayBuffer.isView(source) || (typeof s[Symbol.iterator] !== 'function' && isArrayLike(s));
  const size = arrayLike ? s.length : source instanceof Set || source instanceof Map ? source.size : undefined;
  return typeof size === 'number' ? size : undefined;
}

/**
 * Opens one reading of a source.
 *
 * @throws StreamConsumedError `MP_STREAM_CONSUMED` when it can be read only once and was; whatever
 *   the source's own iterator factory throws.
 */
export function openSource<T>(source: Source<T>, context: SourceContext<T>): PullReader<T> {
  const wake = (): void => context.wake();
  if (isPullSource(source)) return source[PULL](wake) as PullReader<T>;
  const s = source as unknown as Anything<T>;
  if (isReadableStream(s)) return new AsyncReader(readableStream(source as ReadableStream<T>), wake, context.admit);
  const push = subscribable(s);
  if (push !== undefined && context.overflow === undefined) warnOfBrokenPull(s);
  if (push !== undefined) return new ObservableReader(push, context, wake);
  if (typeof s[Symbol.asyncIterator] === 'function')
    return new AsyncReader(asyncIterator(source as AsyncIterable<T>), wake, context.admit);
  if (Array.isArray(source) && source[Symbol.iterator] === Array.prototype[Symbol.iterator])
    return new ArrayReader<T>(source);
  if (typeof s[Symbol.iterator] !== 'function') return new ArrayReader<T>(source as ArrayLike<T>);
  const iterator = (source as Iterable<T>)[Symbol.iterator]();
  if ((iterator as unknown) === source) claim(iterator);
  return new IteratorReader(iterator, sizeOf(source), context.admit);
}

function claim(source: object): void {
  if (claimed.has(source)) throw consumed(source);
  claimed.add(source);
}

let warned = false;

/**
 * A plain RxJS operator subscribes, so a pull source behind it is no longer pulled. Says so once,
 * in development.
 */
function warnOfBrokenPull(observed: Anything<unknown>): void {
  if (warned || process.env['NODE_ENV'] === 'production') return;
  let behind: unknown = observed['source'];
  while (behind !== undefined && behind !== null && !isPullSource(behind))
    behind = (behind as { source?: unknown }).source;
  if (!isPullSource(behind)) return;
  warned = true;
  process.emitWarning(BROKEN_PULL, { code: 'MP_PULL_BROKEN' });
}

function isReadableStream(s: Anything<unknown>): boolean {
  return typeof s.getReader === 'function';
}

function isArrayLike(s: Anything<unknown>): boolean {
  return typeof s === 'object' && Number.isInteger(s.length) && (s.length as number) >= 0;
}

function subscribable<T>(s: Anything<T>): Subscribable<T> | undefined {
  const interop = s[observable as unknown as symbol] ?? s['@@observable'];
  if (typeof interop === 'function') return interop.call(s) as Subscribable<T>;
  return typeof s.subscribe === 'function' ? (s as Subscribable<T>) : undefined;
}

function readableStream<T>(stream: ReadableStream<T>): AsyncPull<T> {
  if (stream.locked) throw consumed(stream);
  claim(stream);
  const reader = stream.getReader();
  return {
    next: () => reader.read() as Promise<IteratorResult<T, unknown>>,
    return: (reason) => reader.cancel(reason).finally(() => reader.releaseLock()),
    release: () => reader.releaseLock(),
    interruptible: true,
  };
}

function asyncIterator<T>(source: AsyncIterable<T>): AsyncPull<T> {
  const readable = source as { read?: unknown; pipe?: unknown; destroy?: () => void };
  const node =
    typeof readable.read === 'function' &&
    typeof readable.pipe === 'function' &&
    typeof readable.destroy === 'function';
  if (node) claim(source);
  const iterator = source[Symbol.asyncIterator]();
  if ((iterator as unknown) === source) claim(iterator);
  if (!node) return { next: () => iterator.next(), return: () => iterator.return?.(), interruptible: false };
  // A Readable that waits for data is ended by destroy(), which settles the pending next();
  // return() alone would queue behind it.
  return { next: () => iterator.next(), return: () => readable.destroy?.(), interruptible: true };
}
