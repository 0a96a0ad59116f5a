/**
 * How records of a structure are read: by a loop over its keys at first, and by a function made for
 * just these keys when many were. That function is an object literal, so that V8 makes the object
 * in one piece with its final hidden class.
 *
 * What was learned is kept across messages, found by the bytes of the definition.
 */
import { badPayload } from '../messages.js';

/** What a record's members are read with. */
export interface MemberReader {
  value(): unknown;
}

type Build = (reader: MemberReader) => Record<string, unknown>;

/** Records read by the loop before a function is made. */
const OFTEN = 24;
/** Structures with more keys are dictionaries, and V8 stores large literals as such. */
const WIDEST = 64;
/** Shapes kept; beyond, all are forgotten. */
const MAX_SHAPES = 512;

const known = new Map<string, RecordShape>();

export class RecordShape {
  readonly #keys: readonly string[];
  /** The bytes that define it; `null`: they are not kept. */
  readonly #definition: Uint8Array | null;
  #build: Build | undefined;
  #read = 0;

  private constructor(keys: readonly string[], definition: string | undefined) {
    if (keys.includes('__proto__')) throw badPayload('a key is not plain');
    this.#keys = keys;
    this.#definition = definition === undefined ? null : Buffer.from(definition, 'latin1');
  }

  /** Whether it is defined by the `length` bytes of `source` at `at`. */
  isDefinedBy(source: Uint8Array, at: number, length: number): boolean {
    const definition = this.#definition;
    if (definition === null || definition.length !== length) return false;
    for (let i = 0; i < length; i++) if (definition[i] !== source[at + i]) return false;
    return true;
  }

  /** The shape that is defined by these bytes, or else by the keys that `read` finds in them. */
  static of(definition: string | undefined, read: () => string[]): RecordShape {
    if (definition === undefined) return new RecordShape(read(), undefined);
    const found = known.get(definition);
    if (found !== undefined) return found;
    const shape = new RecordShape(read(), definition);
    if (known.size >= MAX_SHAPES) known.clear();
    known.set(definition, shape);
    return shape;
  }

  /** Reads one record. */
  read(reader: MemberReader): Record<string, unknown> {
    if (this.#build !== undefined) return this.#build(reader);
    const keys = this.#keys;
    const record: Record<string, unknown> = {};
    for (let i = 0; i < keys.length; i++) record[keys[i]!] = reader.value();
    if (++this.#read === OFTEN && keys.length <= WIDEST) this.#build = compile(keys);
    return record;
  }
}

/**
 * Source text is made of JSON strings only. `undefined` where this process does not make functions
 * from strings.
 */
function compile(keys: readonly string[]): Build | undefined {
  const members = keys.map((key) => `${JSON.stringify(key)}: reader.value()`);
  try {
    return new Function('reader', `return { ${members.join(', ')} };`) as Build;
  } catch {
    return undefined;
  }
}
