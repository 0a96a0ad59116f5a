import { ArgumentError } from '../../errors/index.js';
import type { Freight, Payload } from '../../memory/index.js';
import {
  CodeBook,
  type CodeRecord,
  Encoder,
  LARGE_CAPTURE,
  type Message,
  warnAboutCaptures,
} from '../../reduction/index.js';
import { crypto } from '../../util/crypto.js';
import { burstTime } from '../../util/monotonic.js';
import { describe, MODULE_FORM } from '../../util/options.js';

/** Numbers the code that this process sends to workers, in functions and in arguments. */
export const codeBook = new CodeBook();

/** Milliseconds between two crashes that count as in a row. */
const SOON = 10_000;

/** A function as it is sent to workers: its bytes, and a number they know it by. */
export class SerializedFunction implements Payload {
  /** Batches that need it. It leaves the cache only at 0. */
  uses = 0;
  /** Whether it is in the cache. */
  cached = true;
  /**
   * What its captures refer to: held while a batch needs it, since a worker may be told of it at
   * any time.
   */
  freight: Freight | null = null;
  /**
   * Workers in a row that died while they loaded what it or its items need; no item of it got a
   * result in between.
   */
  deaths = 0;
  #crashes = 0;
  #crashed = 0;

  /**
   * @param reusable Whether one rebuilt copy serves all of its batches; otherwise each call gets a
   * fresh one.
   */
  constructor(
    readonly id: number,
    readonly bytes: Uint8Array,
    readonly reusable: boolean,
    /** The code records that its bytes name. */
    readonly codes: readonly CodeRecord[],
  ) {}

  /**
   * A worker died while it ran an item. Returns how many did so in a row, each soon after the one
   * before, without a result in between.
   */
  crashed(): number {
    const now = burstTime();
    this.#crashes = now - this.#crashed > SOON ? 1 : this.#crashes + 1;
    this.#crashed = now;
    return this.#crashes;
  }

  /** An item of it got a result. */
  progressed(): void {
    this.deaths = 0;
    this.#crashes = 0;
  }

  /** One more batch needs it. */
  enter(): void {
    if (this.uses++ === 0) this.freight?.hold();
  }

  /** A batch needs it no more. */
  leave(): void {
    if (--this.uses === 0) this.freight?.release();
  }

  get total(): number {
    return this.bytes.length;
  }

  layout(target: Uint8Array, offset: number): void {
    target.set(this.bytes, offset);
  }
}

/** A function and its key in the cache. */
interface Keyed {
  readonly key: string;
  readonly serialized: SerializedFunction;
}

const MAX_CACHED_FUNCTIONS = 512;
/** Functions that take more together leave, the latest excepted. */
const MAX_CACHED_BYTES = 1 << 26;
/** Functions of at most so many bytes are known by these; longer ones by their digest. */
const TEXT_BYTES = 1 << 10;
/** From here on bytes are compared: to digest them would take longer than to encode them. */
const DIGESTED_BYTES = 1 << 14;

/**
 * Serializes functions. Equal bytes give the same SerializedFunction, so a function that is made
 * anew for each call (`pool.apply(() => 1)` in a loop) is still sent once to each worker.
 */
export class FunctionRegistry {
  /** Functions whose bytes never change. */
  readonly #constant = new WeakMap<object, SerializedFunction>();
  /** All functions by their bytes, the least recently used first. */
  readonly #functions = new Map<string, SerializedFunction>();
  /** Bytes of all of them. */
  #bytes = 0;
  readonly #encoder = new Encoder(codeBook);
  #next = 1;

  /**
   * @param forget Called with a function that leaves the cache, so that workers drop their copies.
   */
  constructor(readonly forget: (fn: SerializedFunction) => void) {}

  /**
   * Returns `callable`, serialized with its captures as they are now.
   * @throws ArgumentError when it is neither a function nor a module URL; SerializationError when
   * it cannot be sent.
   */
  serialize(actor: string, callable: unknown): SerializedFunction {
    const known = this.#constant.get(callable as object);
    if (known?.cached === true) return known;
    checkCallable(actor, callable);
    const message = this.#encoder.encode(callable);
    const { total, freight, constant } = message;
    const { key, serialized } = total > DIGESTED_BYTES ? this.#large(message) : this.#small(message);
    this.#encoder.forget();
    // The same handles as before, if it is in use; otherwise new ones.
    if (serialized.uses === 0) serialized.freight = freight;
    this.#functions.set(key, serialized);
    this.#bytes += total;
    if (constant) this.#constant.set(callable, serialized);
    while (
      this.#functions.size > 1 &&
      (this.#functions.size > MAX_CACHED_FUNCTIONS || this.#bytes > MAX_CACHED_BYTES)
    ) {
      if (!this.#evict(serialized)) break;
    }
    if (total > LARGE_CAPTURE && typeof callable === 'function') warnAboutCaptures(callable, total);
    return serialized;
  }

  /** The function of a message, taken out of the cache if it is there. */
  #small(message: Message): Keyed {
    const bytes = this.#laidOut(message);
    const key = keyOf(bytes);
    const known = this.#functions.get(key);
    if (known === undefined) return { key, serialized: this.#made(message, bytes) };
    this.#take(key, known);
    return { key, serialized: known };
  }

  /** The same, for bytes that are dear to copy and to digest. */
  #large(message: Message): Keyed {
    for (const [key, known] of this.#functions) {
      if (known.bytes.length !== message.total || !this.#encoder.matches(known.bytes)) continue;
      this.#take(key, known);
      return { key, serialized: known };
    }
    const serialized = this.#made(message, this.#laidOut(message));
    return { key: `large ${serialized.id}`, serialized };
  }

  #laidOut({ total }: Message): Uint8Array {
    const bytes = new Uint8Array(total);
    this.#encoder.layout(bytes, 0);
    return bytes;
  }

  #made({ stateless, codes }: Message, bytes: Uint8Array): SerializedFunction {
    return new SerializedFunction(this.#next++, bytes, stateless, codes);
  }

  #take(key: string, { bytes }: SerializedFunction): void {
    this.#functions.delete(key);
    this.#bytes -= bytes.length;
  }

  /**
   * Returns the function for all items of one job: a function that keeps state gets a copy of its
   * own, so that a job sees what its own items did in that worker, and nothing of other jobs.
   * {@link release} it at the job's end.
   */
  forJob(serialized: SerializedFunction): SerializedFunction {
    if (serialized.reusable) return serialized;
    const own = new SerializedFunction(this.#next++, serialized.bytes, true, serialized.codes);
    own.cached = false;
    return own;
  }

  /** Ends the use of a function that {@link forJob} gave. */
  release(serialized: SerializedFunction): void {
    if (!serialized.cached) this.forget(serialized);
  }

  /** Drops the function that was used least recently. Returns `false` when all are in use. */
  #evict(latest: SerializedFunction): boolean {
    for (const [key, serialized] of this.#functions) {
      if (serialized.uses > 0 || serialized === latest) continue;
      this.#take(key, serialized);
      serialized.cached = false;
      this.forget(serialized);
      return true;
    }
    return false;
  }
}

/** @throws ArgumentError when `callable` is neither a function nor a module URL. */
export function checkCallable(actor: string, callable: unknown): asserts callable is Function | URL {
  if (typeof callable === 'function' || callable instanceof URL) return;
  throw new ArgumentError(
    `${actor}: expected a function, a task() or the URL of a module with a default export, not ${describe(callable)}.${formOf(callable)}`,
  );
}

/** What whoever passed no callable most likely meant. */
function formOf(value: unknown): string {
  if (typeof value === 'string') return MODULE_FORM;
  const iterable = typeof (value as Iterable<unknown> | null | undefined)?.[Symbol.iterator] === 'function';
  return iterable ? ' The function comes first, then the items.' : '';
}

/** Equal for equal bytes only. A digest takes several times as long as the text of a few bytes. */
function keyOf(bytes: Uint8Array): string {
  return bytes.length > TEXT_BYTES
    ? `sha256 ${crypto().createHash('sha256').update(bytes).digest('base64')}`
    : `bytes ${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')}`;
}
