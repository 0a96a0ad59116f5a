/** Live records: plain objects whose properties are shared memory. */
import { inspect } from 'node:util';
import { ArgumentError } from '../errors/index.js';
import { describe } from '../util/options.js';
import { isStruct, type StructType, scalarOf, type TypeCode } from './types.js';

/** Reads and writes one value in shared memory. */
export interface Accessor {
  get(): unknown;
  set(value: unknown): void;
}

/**
 * The accessor of a value at an offset.
 *
 * @param check Throws when the memory must not be used any more. Called before every access.
 */
export function accessor(type: TypeCode, buffer: ArrayBufferLike, offset: number, check: () => void): Accessor {
  if (isStruct(type)) {
    const live = record(type, buffer, offset, check);
    return { get: () => live, set: (value) => assign(type, live, value) };
  }
  const { view: View, read, write } = scalarOf('Value', type);
  const view = new View(buffer, offset, 1);
  return {
    get: () => {
      check();
      return read(view[0]!);
    },
    set: (value) => {
      check();
      view[0] = write(value) as number;
    },
  };
}

function record(type: StructType, buffer: ArrayBufferLike, offset: number, check: () => void): object {
  const live = {};
  for (const [name, field] of Object.entries(type.fields)) {
    Object.defineProperty(live, name, {
      ...accessor(field, buffer, offset + type.offsets[name]!, check),
      enumerable: true,
    });
  }
  // Printed as the values that it has now.
  Object.defineProperty(live, inspect.custom, { value: () => ({ ...live }) });
  return Object.freeze(live);
}

function assign(type: StructType, live: object, value: unknown): void {
  if (value === live) return;
  if (typeof value !== 'object' || value === null) {
    throw new ArgumentError(`A shared record must be set to an object with its fields, not ${describe(value)}.`, {
      code: 'MP_TYPE',
    });
  }
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(type.fields, name)) {
      throw new ArgumentError(
        `A shared record has no field \`${name}\`; it has ${Object.keys(type.fields).join(', ')}.`,
        {
          code: 'MP_TYPE',
        },
      );
    }
  }
  for (const [name, field] of Object.entries(value)) (live as Record<string, unknown>)[name] = field;
}
