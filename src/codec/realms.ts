/**
 * Builtin classes of another realm (a `vm` context, the environment of a test runner): what is made
 * of them arrives as made of ours, for the other process has no such realm.
 */
const STANDARD_CLASSES =
  `Object Function Array Map Set Date RegExp Boolean Number String BigInt Symbol ArrayBuffer DataView Error EvalError RangeError ReferenceError
  SyntaxError TypeError URIError AggregateError SuppressedError CompileError LinkError RuntimeError Int8Array Uint8Array Uint8ClampedArray
  Int16Array Uint16Array Int32Array Uint32Array Float16Array Float32Array Float64Array BigInt64Array BigUint64Array`.split(
    /\s+/,
  );

const known = new WeakMap<object, object | null>();
let ours: Map<string, object> | undefined;
let classes: Map<object, Function> | undefined;

/**
 * Our prototype for that of the same builtin class of another realm; `undefined` for any other
 * prototype, ours included.
 */
export function localPrototype(prototype: object): object | undefined {
  let local = known.get(prototype);
  if (local === undefined) {
    local = find(prototype);
    known.set(prototype, local);
  }
  return local ?? undefined;
}

/** Our builtin class whose `prototype` this is, whatever `constructor` says. */
export function builtinWithPrototype(prototype: object): Function | undefined {
  if (classes === undefined) {
    const scope = globalThis as unknown as Record<string, (Function & { prototype?: object }) | undefined>;
    classes = new Map(
      STANDARD_CLASSES.flatMap((name) =>
        scope[name]?.prototype === undefined ? [] : [[scope[name].prototype, scope[name]]],
      ),
    );
  }
  return classes.get(prototype);
}

function find(prototype: object): object | null {
  const type: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  if (typeof type !== 'function' || type.prototype !== prototype) return null;
  const name: unknown = Object.getOwnPropertyDescriptor(type, 'name')?.value;
  if (typeof name !== 'string' || Function.prototype.toString.call(type) !== `function ${name}() { [native code] }`)
    return null;
  const local = builtins().get(name);
  return local === undefined || local === prototype ? null : local;
}

function builtins(): Map<string, object> {
  if (ours !== undefined) return ours;
  ours = new Map();
  const scope = globalThis as unknown as Record<string, { prototype?: object } | undefined>;
  // The errors of WebAssembly are no globals.
  const inner = (scope.WebAssembly ?? {}) as typeof scope;
  for (const name of STANDARD_CLASSES) {
    const prototype = (scope[name] ?? inner[name])?.prototype;
    if (prototype !== undefined) ours.set(name, prototype);
  }
  ours.set('TypedArray', (Object.getPrototypeOf(Uint8Array) as { prototype: object }).prototype);
  return ours;
}
