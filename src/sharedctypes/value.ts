import { inspect } from 'node:util';
import { ArgumentError } from '../errors/index.js';
import { ATTACH, type BlockOnly, registerShareable } from '../memory/index.js';
import { timedOut, type WaitOptions } from '../synchronize/index.js';
import { checkFunction, checkOptions } from '../util/options.js';
import { entry } from '../util/package.js';
import { printedAsShown } from '../util/printed.js';
import { boundsOf, timeoutOf } from '../util/wait-options.js';
import { Guarded, lockOf, Pair, type SharedOptions, type ValueLock } from './guarded.js';
import { RawValue } from './raw-value.js';
import { type Settable, sizeOf, type TypeCode, type ValueOf } from './types.js';

/** The class behind Value; `constructors.ts` has what its users see. */
export class Value<K extends TypeCode = TypeCode> extends Guarded implements Disposable {
  readonly #raw: RawValue<K>;

  /**
   * @param type A type code, or a record type of `struct`.
   * @param initial Default: zero.
   * @throws ArgumentError `MP_TYPE_CODE`, `MP_TYPE`, `MP_INVALID_ARGUMENT` for a lock that is none;
   * MultiprocessError `MP_SYSTEM`.
   */
  constructor(type: K, initial?: Settable<K>, options?: SharedOptions);
  /** @internal */
  constructor(pair: Pair<RawValue<K>>);
  constructor(type: K | Pair<RawValue<K>>, initial?: Settable<K>, options?: SharedOptions) {
    if (type instanceof Pair) {
      super(type.lock);
      this.#raw = type.raw;
      return;
    }
    checkOptions('Value', options, ['lock'], { boolean: 'lock' });
    sizeOf('Value', type);
    const raw = new RawValue(type, initial);
    const lock = lockOf('Value', options?.lock, raw);
    super(lock as ValueLock);
    this.#raw = raw;
    // biome-ignore lint/correctness/noConstructorReturn: as in Python, without a lock there is no wrapper.
    if (lock === null) return raw as unknown as this;
  }

  /** @internal */
  static [ATTACH](_: BlockOnly, [raw, lock]: readonly unknown[]): Value {
    return new Value(new Pair(raw as RawValue, lock as ValueLock));
  }

  /** Its type. */
  get type(): K {
    return this.#raw.type;
  }

  /** The value, without taking the lock. See {@link RawValue.value}. */
  get value(): ValueOf<K> {
    this.#raw.block.check('Value.value');
    return this.#raw.value;
  }

  /** Sets it, without taking the lock. */
  set value(value: Settable<K>) {
    this.#raw.block.check('Value.value');
    this.#raw.value = value;
  }

  /** The value without its lock. */
  getObj(): RawValue<K> {
    return this.#raw;
  }

  /**
   * Changes the value in one step: no other process or task that uses the lock comes in between.
   *
   * @param change Gets the value and returns the new one; for a record it may change the fields and
   * return nothing. Synchronous.
   * @returns The new value (of a record: the live one).
   * @throws (rejects) ArgumentError `MP_TYPE`; TimeoutError `MP_TIMEOUT`; `signal.reason`; what
   * `change` throws. The value is then as it was, but for fields already changed.
   */
  async update(change: (value: ValueOf<K>) => Settable<K> | void, options?: WaitOptions): Promise<ValueOf<K>> {
    checkFunction('Value.update', 'change', change);
    const bounds = boundsOf('Value.update', options);
    bounds?.signal?.throwIfAborted();
    if (!this.tryAcquire() && !(await this.acquire(bounds))) throw timedOut('Value.update', bounds);
    try {
      return this.#change('update', change);
    } finally {
      this.release();
    }
  }

  /** As {@link update}, blocking the thread until the lock is free. */
  updateSync(change: (value: ValueOf<K>) => Settable<K> | void, options?: WaitOptions): ValueOf<K> {
    checkFunction('Value.updateSync', 'change', change);
    const timeout = timeoutOf('Value.updateSync', options);
    if (!this.acquireSync(timeout === undefined ? undefined : { timeout })) {
      throw timedOut('Value.updateSync', options, 'acquireSync(), which answers false');
    }
    try {
      return this.#change('updateSync', change);
    } finally {
      this.release();
    }
  }

  /**
   * Ends its use in this thread; the lock stays open. Others are not affected. Closing twice does
   * nothing.
   */
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

  #change(method: string, change: (value: ValueOf<K>) => Settable<K> | void): ValueOf<K> {
    if (this.#raw.block.closed) this.#raw.block.check(`Value.${method}`);
    const changed = change(this.#raw.value);
    if (typeof (changed as { then?: unknown } | undefined)?.then === 'function') {
      throw new ArgumentError(`Value.${method}: the function must not be asynchronous; use runExclusive for that.`, {
        code: 'MP_TYPE',
      });
    }
    if (changed !== undefined || typeof this.#raw.type === 'string') this.#raw.value = changed as Settable<K>;
    return this.#raw.value;
  }
}
printedAsShown(Value);

registerShareable<Value, BlockOnly>('Value', {
  module: entry('sharedctypes/index'),
  class: Value,
  toHandle: (value) => ({ block: value.getObj().block.handle }),
  closed: (value) => value.getObj().block.closed,
  parts: (value) => [value.getObj(), value.getLock()],
});
