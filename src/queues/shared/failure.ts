/**
 * The error that ended a queue or topic, for all who have it and will have it.
 *
 *   word 0   bytes of the encoded error, written last; 0: there is none
 *   then     the bytes
 *
 * The first one stays. It is written under a lock of the owner's; who dies in between has written
 * nothing.
 */
import type { Block } from '../../memory/index.js';
import { dumps, isError, loads, sendableError } from '../../reduction/index.js';

const MAX_ERROR_BYTES = 4096;
const MAX_MESSAGE_CHARACTERS = 1_000;
/** Other texts of an error that is too large are kept up to here. */
const MAX_TEXT_CHARACTERS = 100;
/** And lists. */
const MAX_LIST_ITEMS = 4;

/** Words it takes. */
export const FAILURE_WORDS = 1 + MAX_ERROR_BYTES / 4;

/**
 * An error, encoded so that it fits: without what cannot be sent; if it is too large, with the
 * beginning of its texts and without what it holds; if even that is, as its message alone. @throws
 * SerializationError.
 */
export function failureBytes(error: unknown): Uint8Array {
  const sent = isError(error) && !canSend(error) ? sendableError(error, canSend) : error;
  const bytes = dumps(sent);
  if (bytes.length <= MAX_ERROR_BYTES) return bytes;
  if (isError(sent)) {
    const short = dumps(shortened(sent));
    if (short.length <= MAX_ERROR_BYTES) return short;
  }
  return dumps(new Error(String((error as Error | null)?.message ?? error).slice(0, MAX_MESSAGE_CHARACTERS)));
}

/** Of the same class and code. */
function shortened(error: Error): Error {
  const short = sendableError(
    error,
    (part) => part === null || (typeof part !== 'object' && String(part).length <= MAX_TEXT_CHARACTERS),
  );
  for (const key of Reflect.ownKeys(short)) {
    const value = (short as unknown as Record<string | symbol, unknown>)[key];
    if (Array.isArray(value)) Object.defineProperty(short, key, { value: value.slice(0, MAX_LIST_ITEMS) });
  }
  for (const key of ['message', 'stack'] as const) {
    const value = String(error[key] ?? '').slice(0, MAX_MESSAGE_CHARACTERS);
    if (Object.hasOwn(short, key)) Object.defineProperty(short, key, { value });
  }
  return short;
}

function canSend(value: unknown): boolean {
  try {
    dumps(value);
    return true;
  } catch {
    return false;
  }
}

export class SharedFailure {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #bytes: Uint8Array;
  #read: { readonly error: unknown } | null = null;

  /** @param at Index in the block of the first of its words. */
  constructor(block: Block, at: number) {
    this.#words = block.int32;
    this.#at = at;
    this.#bytes = block.bytes.subarray(4 * (at + 1), 4 * (at + 1) + MAX_ERROR_BYTES);
  }

  /** Sets it, unless it is set. Under a lock. */
  write(bytes: Uint8Array): void {
    if (Atomics.load(this.#words, this.#at) !== 0) return;
    this.#bytes.set(bytes);
    Atomics.store(this.#words, this.#at, bytes.length);
  }

  /** The error, if there is one. */
  read(): { readonly error: unknown } | null {
    const length = Atomics.load(this.#words, this.#at);
    if (length === 0) return null;
    this.#read ??= { error: loads(this.#bytes.slice(0, length)) };
    return this.#read;
  }
}
