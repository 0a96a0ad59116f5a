import { RemoteError } from '../errors/index.js';
import { enterBootstrapping, leaveBootstrapping } from '../process/bootstrapping.js';
import { defaultExport } from '../process/default-export.js';
import { type CodeLookup, type CodeTable, type Decoder, PendingValue } from '../reduction/receiving.js';

/** A rebuilt function. */
export type TaskFunction = (...args: unknown[]) => unknown;

type Entry =
  | { readonly fn: TaskFunction }
  | { readonly loading: Promise<TaskFunction> }
  | { readonly error: unknown }
  | { readonly bytes: Uint8Array; readonly codes: CodeLookup };

/** The functions a worker was sent, by image id. Those that keep state stay bytes and are rebuilt for each use. */
export class FunctionTable {
  readonly #entries = new Map<number, Entry>();
  readonly #decoder: Decoder;
  readonly #codes: CodeTable;

  constructor(decoder: Decoder, codes: CodeTable) {
    this.#decoder = decoder;
    this.#codes = codes;
  }

  /** Takes an image in: `source[start, end)`, which the caller may overwrite afterwards unless it is `owned`. */
  define(id: number, reusable: boolean, source: Uint8Array, start: number, end: number, owned: boolean): void {
    if (!reusable) {
      // By the time it is rebuilt again, the records may be dropped.
      this.#entries.set(id, this.#keep(source, start, end));
      return;
    }
    const entry = this.#rebuild(source, start, end, owned, this.#codes);
    this.#entries.set(id, entry);
    if ('loading' in entry) {
      entry.loading.then(
        (fn) => this.#entries.set(id, { fn }),
        (error) => this.#entries.set(id, { error }),
      );
    }
  }

  /** Drops an image. */
  forget(id: number): void {
    this.#entries.delete(id);
  }

  /**
   * The function of an image, or a promise of it while its modules load.
   * @throws whatever kept it from being rebuilt.
   */
  get(id: number): TaskFunction | Promise<TaskFunction> {
    let entry = this.#entries.get(id);
    if (entry === undefined) throw new RemoteError(`This worker was not sent function ${id}.`);
    if ('fn' in entry) return entry.fn;
    if ('bytes' in entry) entry = this.#rebuild(entry.bytes, 0, entry.bytes.length, false, entry.codes);
    if ('fn' in entry) return entry.fn;
    if ('loading' in entry) return entry.loading;
    throw (entry as { error: unknown }).error;
  }

  #keep(source: Uint8Array, start: number, end: number): Entry {
    try {
      return { bytes: source.slice(start, end), codes: this.#decoder.codesOf(source, start, end, this.#codes) };
    } catch (error) {
      return { error };
    }
  }

  #rebuild(source: Uint8Array, start: number, end: number, owned: boolean, codes: CodeLookup): Entry {
    try {
      const value = this.#decoder.decode(source, start, end, owned, codes);
      if (value instanceof URL) return { loading: loading(defaultExport(value.href)) };
      if (value instanceof PendingValue) return { loading: loading(value.ready as Promise<TaskFunction>) };
      return { fn: value as TaskFunction };
    } catch (error) {
      return { error };
    }
  }
}

/** Marks the time in which modules load on behalf of the parent; see isBootstrapping. */
function loading(promise: Promise<TaskFunction>): Promise<TaskFunction> {
  enterBootstrapping();
  return promise.finally(leaveBootstrapping);
}
