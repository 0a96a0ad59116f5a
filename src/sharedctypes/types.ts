/**
 * Type codes: Python's letters (those of `array` and `struct`) and names that say what they are.
 * Native byte order.
 *
 *   c  char, a Latin-1 character     u  wchar_t, a code point of 4 bytes     ? bool
 *   b B  8 bit   h H  16 bit   i I  32 bit   l L q Q  64 bit (bigint)        f  float   d  double
 */
import { ArgumentError } from '../errors/index.js';
import { describe } from '../util/options.js';

/**
 * The typed array that a constructor makes over an ArrayBuffer. TypeScript before 5.7 has no
 * parameter for the buffer.
 */
type TypedArrayOf<C extends { of(...items: never[]): unknown }> = ReturnType<C['of']>;

/** What each scalar code is in JavaScript: its value, and the array of it. */
export interface Elements {
  /** A character of Latin-1, one byte. */
  c: [string, TypedArrayOf<Uint8ArrayConstructor>];
  /** A character by its code point, four bytes. */
  u: [string, TypedArrayOf<Uint32ArrayConstructor>];
  /** A boolean, one byte. */
  '?': [boolean, TypedArrayOf<Uint8ArrayConstructor>];
  /** As `?`. */
  bool: [boolean, TypedArrayOf<Uint8ArrayConstructor>];
  /** A signed integer of 8 bits. */
  b: [number, TypedArrayOf<Int8ArrayConstructor>];
  /** As `b`. */
  i8: [number, TypedArrayOf<Int8ArrayConstructor>];
  /** An unsigned integer of 8 bits. */
  B: [number, TypedArrayOf<Uint8ArrayConstructor>];
  /** As `B`. */
  u8: [number, TypedArrayOf<Uint8ArrayConstructor>];
  /** A signed integer of 16 bits. */
  h: [number, TypedArrayOf<Int16ArrayConstructor>];
  /** As `h`. */
  i16: [number, TypedArrayOf<Int16ArrayConstructor>];
  /** An unsigned integer of 16 bits. */
  H: [number, TypedArrayOf<Uint16ArrayConstructor>];
  /** As `H`. */
  u16: [number, TypedArrayOf<Uint16ArrayConstructor>];
  /** A signed integer of 32 bits. */
  i: [number, TypedArrayOf<Int32ArrayConstructor>];
  /** As `i`. */
  i32: [number, TypedArrayOf<Int32ArrayConstructor>];
  /** An unsigned integer of 32 bits. */
  I: [number, TypedArrayOf<Uint32ArrayConstructor>];
  /** As `I`. */
  u32: [number, TypedArrayOf<Uint32ArrayConstructor>];
  /** A signed integer of 64 bits. */
  l: [bigint, TypedArrayOf<BigInt64ArrayConstructor>];
  /** As `l`. */
  q: [bigint, TypedArrayOf<BigInt64ArrayConstructor>];
  /** As `l`. */
  i64: [bigint, TypedArrayOf<BigInt64ArrayConstructor>];
  /** An unsigned integer of 64 bits. */
  L: [bigint, TypedArrayOf<BigUint64ArrayConstructor>];
  /** As `L`. */
  Q: [bigint, TypedArrayOf<BigUint64ArrayConstructor>];
  /** As `L`. */
  u64: [bigint, TypedArrayOf<BigUint64ArrayConstructor>];
  /** A float of 32 bits. */
  f: [number, TypedArrayOf<Float32ArrayConstructor>];
  /** As `f`. */
  f32: [number, TypedArrayOf<Float32ArrayConstructor>];
  /** A float of 64 bits. */
  d: [number, TypedArrayOf<Float64ArrayConstructor>];
  /** As `d`. */
  f64: [number, TypedArrayOf<Float64ArrayConstructor>];
}

/** Code of a scalar type: Python's letters, or `i8` … `u64`, `f32`, `f64`, `bool`. */
export type ScalarCode = keyof Elements;

/** Fields of a record: names and types, in the order of memory. */
export interface StructFields {
  readonly [name: string]: TypeCode;
}

/**
 * A record type, made by {@link struct}. Fields lie as in C: each at a multiple of its own
 * alignment.
 */
export interface StructType<F extends StructFields = StructFields> {
  /** The fields. */
  readonly fields: F;
  /** Bytes of a record. */
  readonly size: number;
  /** A record starts at a multiple of it. */
  readonly alignment: number;
  /** Byte offset of each field. */
  readonly offsets: Readonly<Record<string, number>>;
}

/** The type of a shared value: a code, or a record type. */
export type TypeCode = ScalarCode | StructType;

/** What a value of the type reads as: number, bigint, boolean, string or a live record. */
export type ValueOf<K> = K extends ScalarCode
  ? Elements[K][0]
  : K extends StructType<infer F>
    ? { -readonly [N in keyof F]: ValueOf<F[N]> }
    : never;

/**
 * What a value of the type can be set to. 64-bit integers take numbers too; a record takes some of
 * its fields.
 */
export type Settable<K> = K extends ScalarCode
  ? Elements[K][0] extends number | bigint
    ? number | bigint
    : Elements[K][0]
  : K extends StructType<infer F>
    ? { readonly [N in keyof F]?: Settable<F[N]> }
    : never;

/** The live array of elements of the type: a typed array, or an array of live records. */
export type ArrayOf<K> = K extends ScalarCode ? Elements[K][1] : readonly ValueOf<K>[];

type View = TypedArrayOf<Int8ArrayConstructor>;

/** How a scalar stands in memory. */
export interface Scalar {
  readonly view: new (buffer: ArrayBufferLike, offset: number, length: number) => View;
  readonly size: number;
  /** From an element of the view. */
  read(element: number | bigint): unknown;
  /** To an element of the view, which wraps as C does. @throws ArgumentError `MP_TYPE`. */
  write(value: unknown): number | bigint;
}

const same = (element: number | bigint): unknown => element;

function refuse(expected: string, value: unknown): never {
  throw new ArgumentError(`A shared value of this type must be ${expected}, not ${describe(value)}.`, {
    code: 'MP_TYPE',
  });
}

function integer(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  if (typeof value === 'bigint') return Number(BigInt.asIntN(32, value));
  return refuse('an integer', value);
}

function long(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  return refuse('an integer (number or bigint)', value);
}

function float(value: unknown): number {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : refuse('a number', value);
}

function bool(value: unknown): number {
  if (typeof value !== 'boolean' && typeof value !== 'number') return refuse('a boolean', value);
  return value ? 1 : 0;
}

function character(limit: number, expected: string): (value: unknown) => number {
  return (value) => {
    const point = typeof value === 'string' ? value.codePointAt(0) : value;
    const fits = typeof point === 'number' && Number.isInteger(point) && point >= 0 && point <= limit;
    if (!fits || (typeof value === 'string' && value.length !== (point > 0xffff ? 2 : 1)))
      return refuse(expected, value);
    return point;
  };
}

function scalar(view: unknown, size: number, write: Scalar['write'], read: Scalar['read'] = same): Scalar {
  return { view: view as Scalar['view'], size, read, write };
}

const i8 = scalar(Int8Array, 1, integer);
const u8 = scalar(Uint8Array, 1, integer);
const i16 = scalar(Int16Array, 2, integer);
const u16 = scalar(Uint16Array, 2, integer);
const i32 = scalar(Int32Array, 4, integer);
const u32 = scalar(Uint32Array, 4, integer);
const i64 = scalar(BigInt64Array, 8, long);
const u64 = scalar(BigUint64Array, 8, long);
const f32 = scalar(Float32Array, 4, float);
const f64 = scalar(Float64Array, 8, float);
const boolean = scalar(Uint8Array, 1, bool, (element) => element !== 0);
const char = scalar(Uint8Array, 1, character(0xff, 'one character up to U+00FF'), (element) =>
  String.fromCharCode(Number(element)),
);
const wide = scalar(Uint32Array, 4, character(0x10ffff, 'one character'), (element) =>
  String.fromCodePoint(Math.min(Number(element), 0x10ffff)),
);

const scalars: Readonly<Record<ScalarCode, Scalar>> = {
  c: char, u: wide, '?': boolean, bool: boolean, b: i8, i8, B: u8, u8, h: i16, i16, H: u16, u16, i: i32, i32, I: u32, u32,
  l: i64, q: i64, i64, L: u64, Q: u64, u64, f: f32, f32, d: f64, f64,
}; // biome-ignore format: a table

/** Record types; those of all copies of the package in this process. */
const STRUCTS = Symbol.for('multiprocess.structs');
const scope = globalThis as { [STRUCTS]?: WeakSet<object> };
scope[STRUCTS] ??= new WeakSet();
const structs = scope[STRUCTS];

/** The method by which an object says how it is rebuilt where it is sent to. */
const REDUCE = Symbol.for('multiprocess.reduce');

/** Whether a type is a record type. */
export function isStruct(type: unknown): type is StructType {
  return typeof type === 'object' && type !== null && structs.has(type);
}

/** The scalar of a code. @throws ArgumentError `MP_TYPE_CODE` for anything that is no type code. */
export function scalarOf(actor: string, type: unknown): Scalar {
  if (typeof type === 'string' && Object.hasOwn(scalars, type)) return scalars[type as ScalarCode];
  throw new ArgumentError(
    `${actor}: ${describe(type)} is no type code; use one of ${Object.keys(scalars).join(' ')}, or struct({ … }).`,
    {
      code: 'MP_TYPE_CODE',
    },
  );
}

/** Bytes of a type. @throws ArgumentError `MP_TYPE_CODE`. */
export function sizeOf(actor: string, type: TypeCode): number {
  return isStruct(type) ? type.size : scalarOf(actor, type).size;
}

/**
 * A record type with named, typed fields, as a `ctypes.Structure`. Fields may be records
 * themselves. It can be sent: it arrives as a record type, of which a thread has one for equal
 * ones, and comes back as itself.
 *
 * @throws ArgumentError `MP_TYPE_CODE` for a field of unknown type, `MP_INVALID_ARGUMENT` without
 * fields.
 * @example
 * import { struct, Value } from 'multiprocess';
 *
 * const Point = struct({ x: 'f64', y: 'f64' });
 * const point = new Value(Point, { x: 1, y: 2 });
 * await point.update((p) => {
 *   p.x += 10;
 * });
 * console.log(point.value.x); // 11
 */
export function struct<const F extends StructFields>(fields: F): StructType<F> {
  const entries = Object.entries(fields ?? {});
  if (entries.length === 0) throw new ArgumentError('struct: name at least one field, as in struct({ x: "f64" }).');
  const offsets: Record<string, number> = {};
  let size = 0;
  let alignment = 1;
  for (const [name, type] of entries) {
    const bytes = sizeOf(`struct, field \`${name}\``, type);
    const align = isStruct(type) ? type.alignment : bytes;
    size = Math.ceil(size / align) * align;
    offsets[name] = size;
    size += bytes;
    alignment = Math.max(alignment, align);
  }
  const type: StructType<F> = {
    fields: Object.freeze({ ...fields }),
    size: Math.ceil(size / alignment) * alignment,
    alignment,
    offsets: Object.freeze(offsets),
  };
  Object.defineProperty(type, REDUCE, { value: reduceStruct });
  structs.add(type);
  return Object.freeze(type);
}

/** A type as plain data, for handles: the code, or a list of names and types. */
export type TypeData = string | readonly (readonly [string, TypeData])[];

/** The plain data of a type. */
export function typeData(type: TypeCode): TypeData {
  return isStruct(type) ? Object.entries(type.fields).map(([name, field]) => [name, typeData(field)] as const) : type;
}

const known = new Map<string, StructType>();

/** Sends a record type as its plain data. What comes back is then the type itself. */
function reduceStruct(this: StructType): readonly [typeof typeOf, readonly [TypeData]] {
  const data = typeData(this);
  const key = JSON.stringify(data);
  if (!known.has(key)) known.set(key, this);
  return [typeOf, [data]];
}

/** The type of plain data. Equal record types are one object in a thread. */
export function typeOf(data: TypeData): TypeCode {
  if (typeof data === 'string') return data as ScalarCode;
  const key = JSON.stringify(data);
  let type = known.get(key);
  if (type === undefined) {
    type = struct(Object.fromEntries(data.map(([name, field]) => [name, typeOf(field)])));
    known.set(key, type);
  }
  return type;
}
