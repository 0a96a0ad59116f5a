/**
 * The root of every error this library throws, and the brand that lets `instanceof` work across
 * duplicate installs of the package and across processes.
 *
 * A prototype carries the list of its ancestors' names under a registered symbol; `instanceof`
 * first asks the ordinary prototype chain and then, for the library's own classes, that list.
 */
const LINEAGE = Symbol.for('multiprocess.error.lineage');

/** What every error constructor of the library takes beside its message. */
export interface ErrorDetails {
  /** Stable, machine-readable reason. Each class has a default. */
  readonly code?: string | undefined;
  /** The error that led to this one. */
  readonly cause?: unknown;
}

/**
 * Base class of all errors of this library. `code` is stable and starts with `MP_`.
 * @example
 * import { MultiprocessError, Pool } from 'multiprocess';
 *
 * await using pool = new Pool({ processes: 1 });
 * const error = await pool.apply(() => process.exit(1)).catch((reason) => reason);
 * if (error instanceof MultiprocessError) console.log(error.code); // MP_WORKER_CRASH
 */
export class MultiprocessError extends Error {
  /** Stable reason, `MP_…`. */
  readonly code: string;
  /** Which item of a map or stream it belongs to, from 0 on. An error of a task's own class has it too. */
  declare readonly itemIndex?: number;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    const type = new.target as unknown as { defaultCode?: string };
    // Not enumerable: util.inspect prints `code` once, from the stack's header line, as Node's own
    // errors do.
    this.code = details.code ?? type.defaultCode ?? 'MP_ERROR';
  }

  /** `true` for instances of the same-named class from any copy of this package. */
  static override [Symbol.hasInstance](this: unknown, value: unknown): boolean {
    const self = this as Function;
    if (Function.prototype[Symbol.hasInstance].call(self, value)) return true;
    const brand: unknown = Object.hasOwn(self, 'brand') ? (self as unknown as { brand: unknown }).brand : undefined;
    if (typeof brand !== 'string' || typeof value !== 'object' || value === null) return false;
    const lineage: unknown = (value as Record<symbol, unknown>)[LINEAGE];
    return Array.isArray(lineage) && lineage.includes(brand);
  }
}

interface Branded {
  readonly prototype: Error;
  readonly name: string;
}

/**
 * Gives an error class its stable name, default code and lineage. Called once for each class, where
 * it is defined.
 */
export function brand(type: Branded, code: string): void {
  const parent: unknown = (Object.getPrototypeOf(type.prototype) as Record<symbol, unknown>)[LINEAGE];
  const lineage = [type.name, ...(Array.isArray(parent) ? (parent as string[]) : [])];
  Object.defineProperty(type, 'brand', { value: type.name });
  Object.defineProperty(type, 'defaultCode', { value: code });
  Object.defineProperty(type.prototype, 'name', { value: type.name, writable: true, configurable: true });
  Object.defineProperty(type.prototype, LINEAGE, { value: Object.freeze(lineage) });
}

brand(MultiprocessError, 'MP_ERROR');
