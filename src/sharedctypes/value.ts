import { inspect } from 'node:util';
import { ArgumentError } from '../errors/index.js';
import { type BlockHandle, registerShareable } from '../memory/index.js';
import { checkOptions } from '../util/options.js';
import { printedAsShown } from '../util/printed.js';
import { Guarded, lockOf, type SharedOptions, type ValueLock } from './guarded.js';
import { RawValue } from './raw-value.js';
import { type Settable, sizeOf, type TypeCode, type ValueOf } from './types.js';

/** The class behind Value; `constructors.ts` has what its users see. */
export class Value<K extends TypeCode = TypeCode> extends Guarded implements Disposable {
  readonly #raw: RawValue<K>;

  /**
   * @param type A type code, or a record type of `struct`.
   * @param initial Default: zero.
   * @throws ArgumentError `MP_TYPE_CODE`, `MP_TYPE`, `MP_INVALID_ARGUMENT` for a lock that is none; MultiprocessError `MP_SYSTEM`.
   */
  constructor(type: K, initial?: Settable<K>, options?: SharedOptions);
  /** @internal */
  constructor(raw: RawValue<K>, initial: undefined, options: { readonly lock: ValueLock });
  constructor(type: K | RawValue<K>, initial?: Settable<K>, options?: SharedOptions) {
    checkOptions('Value', options, ['lock'], { boolean: 'lock' });
    const given = type instanceof RawValue;
    if (!given) sizeOf('Value', type);
    const raw = given ? type : new RawValue(type, initial);
    const lock = lockOf('Value', options?.lock, given ? null : raw);
    super(lock as ValueLock);
    this.#raw = raw;
    // biome-ignore lint/correctness/noConstructorReturn: as in Python, without a lock there is no wrapper.
    if (lock === null) return raw as unknown as this;
  }

  /** Its type. */
  get type(): K {
    return this.#raw.type;
  }

  /** The value, without taking the lock. See {@link RawValue.value}. */
  get value(): ValueOf<K> {
    return this.#raw.value;
  }

  /** Sets it, without taking the lock. */
  set value(value: Settable<K>) {
    this.#raw.value = value;
  }

  /** The value without its lock. */
  getObj(): RawValue<K> {
    return this.#raw;
  }

  /**
   * Changes the value in one step: no other process or task that uses the lock comes in between.
   *
   * @param change Gets the value and returns the new one; for a record it may change the fields and return nothing. Synchronous.
   * @returns The new value (of a record: the live one).
   * @throws ArgumentError (as rejection) `MP_TYPE`; what `change` throws. The value is then as it was, but for fields already changed.
   */
  async update(change: (value: ValueOf<K>) => Settable<K> | void): Promise<ValueOf<K>> {
    if (!this.tryAcquire()) await this.acquire();
    try {
      return this.#change(change);
    } finally {
      this.release();
    }
  }

  /** As {@link update}, blocking the thread until the lock is free. */
  updateSync(change: (value: ValueOf<K>) => Settable<K> | void): ValueOf<K> {
    this.acquireSync();
    try {
      return this.#change(change);
    } finally {
      this.release();
    }
  }

  /** Ends its use in this thread; the lock stays open. Others are not affected. Closing twice does nothing. */
  close(): void {
    this.#raw.close();
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  [inspect.custom](): string {
    return this.#raw.block.closed ? 'Value (closed)' : `Value(${inspect(this.value)})`;
  }

  #change(change: (value: ValueOf<K>) => Settable<K> | void): ValueOf<K> {
    const changed = change(this.#raw.value);
    if (typeof (changed as { then?: unknown } | undefined)?.then === 'function') {
      throw new ArgumentError('Value.update: the function must not be asynchronous; use runExclusive for that.', { code: 'MP_TYPE' });
    }
    if (changed !== undefined || typeof this.#raw.type === 'string') this.#raw.value = changed as Settable<K>;
    return this.#raw.value;
  }
}
printedAsShown(Value);

registerShareable<Value, { readonly block: BlockHandle }>('Value', {
  module: new URL(import.meta.url),
  class: Value as abstract new (...args: never[]) => Value,
  toHandle: (value) => ({ block: value.getObj().block.handle }),
  parts: (value) => [value.getObj(), value.getLock()],
  fromHandle: (_handle, [raw, lock]) => new Value(raw as RawValue, undefined, { lock: lock as ValueLock }),
});
