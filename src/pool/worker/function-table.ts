import { RemoteError } from '../../errors/index.js';
import { defaultExport } from '../../process/child/default-export.js';
import { type CodeLookup, type CodeTable, type Decoder, PendingValue } from '../../reduction/receiving.js';

/** A rebuilt function. */
export type TaskFunction = (...args: unknown[]) => unknown;

type Entry =
  | { readonly fn: TaskFunction }
  | { readonly loading: Promise<TaskFunction> }
  | { readonly error: unknown }
  | { readonly bytes: Uint8Array; readonly codes: CodeLookup; readonly reusable: boolean };

/**
 * The functions a worker was sent, by id. They stay bytes until a batch needs them, so that what
 * rebuilding does (it imports modules) is that batch's doing; those that keep state are rebuilt for
 * each use.
 */
export class FunctionTable {
  readonly #entries = new Map<number, Entry>();
  readonly #decoder: Decoder;
  readonly #codes: CodeTable;

  constructor(decoder: Decoder, codes: CodeTable) {
    this.#decoder = decoder;
    this.#codes = codes;
  }

  /**
   * Takes a serialized function in: `source[start, end)`, which the caller may overwrite afterwards
   * unless it is `owned`.
   */
  define(id: number, reusable: boolean, source: Uint8Array, start: number, end: number, owned: boolean): void {
    this.#entries.set(id, this.#keep(reusable, source, start, end, owned));
  }

  /** Returns the function of an id, if it was rebuilt before and need not be again. */
  rebuilt(id: number): TaskFunction | undefined {
    const entry = this.#entries.get(id);
    return entry !== undefined && 'fn' in entry ? entry.fn : undefined;
  }

  /** Drops a function. */
  forget(id: number): void {
    this.#entries.delete(id);
  }

  /**
   * Returns the function of an id, or a promise of it while its modules load.
   * @throws whatever kept it from being rebuilt.
   */
  get(id: number): TaskFunction | Promise<TaskFunction> {
    let entry = this.#entries.get(id);
    if (entry === undefined) throw new RemoteError(`This worker was not sent function ${id}.`);
    if ('fn' in entry) return entry.fn;
    if ('bytes' in entry) {
      const { reusable } = entry;
      entry = this.#rebuild(entry.bytes, entry.codes);
      if (reusable) this.#remember(id, entry);
    }
    if ('fn' in entry) return entry.fn;
    if ('loading' in entry) return entry.loading;
    throw (entry as { error: unknown }).error;
  }

  #keep(reusable: boolean, source: Uint8Array, start: number, end: number, owned: boolean): Entry {
    try {
      // By the time it is rebuilt, the records may be dropped.
      const codes = this.#decoder.codesOf(source, start, end, this.#codes);
      return { bytes: owned ? source.subarray(start, end) : source.slice(start, end), codes, reusable };
    } catch (error) {
      return { error };
    }
  }

  #remember(id: number, entry: Entry): void {
    this.#entries.set(id, entry);
    if (!('loading' in entry)) return;
    const settle = (settled: Entry) => {
      // It may have been dropped meanwhile.
      if (this.#entries.get(id) === entry) this.#entries.set(id, settled);
    };
    entry.loading.then(
      (fn) => settle({ fn }),
      (error: unknown) => settle({ error }),
    );
  }

  #rebuild(bytes: Uint8Array, codes: CodeLookup): Entry {
    try {
      const value = this.#decoder.decode(bytes, 0, bytes.length, false, codes);
      if (value instanceof URL) return { loading: defaultExport(value.href) };
      if (value instanceof PendingValue) return { loading: value.ready as Promise<TaskFunction> };
      return { fn: value as TaskFunction };
    } catch (error) {
      return { error };
    }
  }
}
