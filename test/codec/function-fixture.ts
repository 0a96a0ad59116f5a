/** A function reducer for tests: functions and classes that capture nothing, compiled from their source. */
import { SerializationError } from '../../src/errors/index.js';
import { type NodeKind, type Reduction, registerKind, setFunctionReducer } from '../../src/reduction/index.js';

const natives = new Map<string, Function>();
for (const name of Object.getOwnPropertyNames(globalThis)) {
  const value: unknown = Object.getOwnPropertyDescriptor(globalThis, name)?.value;
  if (typeof value === 'function') natives.set(name, value);
}

const sourceKind: NodeKind = {
  tag: 'test:source',
  shell: false,
  build(data, children) {
    const { source, base } = data as { source: string; base: boolean };
    return {
      value: new Function('Base', `return (${base ? source.replace(/extends\s+\S+/, 'extends Base') : source})`)(
        children[0],
      ),
    };
  },
};

const nativeKind: NodeKind = {
  tag: 'test:native',
  shell: false,
  build: (data) => ({ value: natives.get(String(data)) }),
};

/** Registers it. Classes built on the receiving side are fresh ones unless `sameClass` lists them. */
export function installFunctionFixture(): void {
  registerKind(sourceKind);
  registerKind(nativeKind);
  registerKind(knownKind);
  setFunctionReducer(reduce);
}

const known: Function[] = [];
const knownKind: NodeKind = { tag: 'test:known', shell: false, build: (data) => ({ value: known[Number(data)] }) };

/** Makes a class arrive as itself, as a module reference would within one process. */
export function sameClass<T extends Function>(type: T): T {
  known.push(type);
  return type;
}

function reduce(fn: Function): Reduction {
  const plain = { label: (index: number) => (index === 0 ? 'superclass' : ''), stateless: true, constant: true };
  if (natives.get(fn.name) === fn) return { kind: nativeKind.tag, data: fn.name, children: [], ...plain };
  const index = known.indexOf(fn);
  if (index >= 0) return { kind: knownKind.tag, data: index, children: [], ...plain };
  const source = Function.prototype.toString.call(fn);
  if (source.includes('[native code]') || fn.name === 'Unsendable')
    throw new SerializationError('Cannot send a native function.', { code: 'MP_NATIVE_FUNCTION' });
  const base: unknown = Object.getPrototypeOf(fn);
  const extended = source.startsWith('class') && base !== Function.prototype;
  return { kind: sourceKind.tag, data: { source, base: extended }, children: extended ? [base] : [], ...plain };
}
