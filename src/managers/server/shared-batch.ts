/**
 * Items that many clients are sent alike, encoded once for all whose payloads have the same form.
 *
 * Only plain data is: what stands for something else in another process (proxies, functions, locks)
 * is counted, or made, for each receiver.
 */
import type { PullReader, ReadState } from '../../streams/index.js';
import type { Wire } from '../wire/frames.js';

/**
 * Parts of values that are looked at in a batch before it is taken for something else than plain
 * data.
 */
const MAX_PARTS = 20_000;

/** A reader whose batches others read too. */
export interface SharedReader<T> extends PullReader<T> {
  /** As `read`: a batch of at most `max` items, `null` for none. */
  readShared(max: number): { readonly batch: SharedBatch | null; readonly state: ReadState };
}

/** Returns whether a reader has batches that others read too. */
export function isSharedReader(reader: PullReader<unknown>): reader is SharedReader<unknown> {
  return typeof (reader as Partial<SharedReader<unknown>>).readShared === 'function';
}

export class SharedBatch {
  readonly items: readonly unknown[];
  #plain: boolean | undefined;
  #encoded: Map<object, Uint8Array> | undefined;

  constructor(items: readonly unknown[]) {
    this.items = items;
  }

  /**
   * Returns the payload for a peer; `null` when it has to be encoded for it alone.
   * @throws SerializationError.
   */
  encoded(wire: Wire): Uint8Array | null {
    this.#plain ??= plain(this.items, { left: MAX_PARTS });
    if (!this.#plain) return null;
    this.#encoded ??= new Map();
    let bytes = this.#encoded.get(wire.kindred);
    if (bytes === undefined) {
      bytes = wire.encoded(this.items);
      this.#encoded.set(wire.kindred, bytes);
    }
    return bytes;
  }
}

/** Returns whether a value is nothing but data: the same in every process. */
function plain(value: unknown, parts: { left: number }): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'function' && typeof value !== 'symbol';
  if (--parts.left < 0) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Array.prototype) return (value as unknown[]).every((part) => plain(part, parts));
  if (prototype === Map.prototype)
    return [...(value as Map<unknown, unknown>)].every(([key, part]) => plain(key, parts) && plain(part, parts));
  if (prototype === Set.prototype) return [...(value as Set<unknown>)].every((part) => plain(part, parts));
  if (prototype === Date.prototype) return true;
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const key in value) if (!plain((value as Record<string, unknown>)[key], parts)) return false;
  return Object.getOwnPropertySymbols(value).length === 0;
}
