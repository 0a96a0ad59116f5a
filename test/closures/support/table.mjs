// A minimal codec for these tests: values to a node table and back, following src/codec/node.ts.
// Arrays, plain objects and Maps are shells; everything that is a function or a reference is reduced.

/** @param {any} root @param {any} library */
export function encode(root, library) {
  const nodes = [];
  const memo = new Map();
  const place = (value) => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) {
      const well = typeof value === 'symbol' ? { symbol: value.description.replace('Symbol.', '') } : { leaf: value };
      return nodes.push(well) - 1;
    }
    const known = memo.get(value);
    if (known !== undefined) return known;
    const reduction = typeof value === 'function' ? library.reduceFunction(value) : library.reduceReference(value);
    if (reduction !== null) {
      const node = { kind: reduction.kind, data: reduction.data, done: false };
      const index = nodes.push(node) - 1;
      memo.set(value, index);
      node.children = reduction.children.map(place);
      node.flags = { stateless: reduction.stateless, constant: reduction.constant };
      return index;
    }
    const isMap = value instanceof Map;
    const isArray = Array.isArray(value);
    const prototype = Object.getPrototypeOf(value);
    const custom = !isMap && !isArray && prototype !== Object.prototype && prototype !== null;
    const node = { shell: isMap ? 'map' : isArray ? 'array' : 'object', custom: custom ? -1 : undefined };
    const index = nodes.push(node) - 1;
    memo.set(value, index);
    node.entries = isMap
      ? [...value].map(([k, v]) => [place(k), place(v)])
      : Reflect.ownKeys(value)
          .filter((k) => !isArray || k !== 'length')
          .map((k) => [place(k), place(value[k])]);
    if (custom) node.custom = place(prototype.constructor);
    return index;
  };
  const start = place(root);
  return { nodes, start };
}

/** @param {any} table @param {any} library */
export async function decode(table, library) {
  const kinds = new Map(library.functionKinds.map((kind) => [kind.tag, kind]));
  const requests = table.nodes.flatMap((node) =>
    node.kind === undefined ? [] : [...(kinds.get(node.kind).modules?.(node.data) ?? [])],
  );
  await library.loadModules(requests);
  return build(table, kinds);
}

/** The same with `loadModulesSync`. */
export function decodeSync(table, library) {
  const kinds = new Map(library.functionKinds.map((kind) => [kind.tag, kind]));
  library.loadModulesSync(
    table.nodes.flatMap((node) =>
      node.kind === undefined ? [] : [...(kinds.get(node.kind).modules?.(node.data) ?? [])],
    ),
  );
  return build(table, kinds);
}

function build(table, kinds) {
  const values = new Map();
  const open = new Set();
  const waiting = [];
  const make = (index) => {
    if (values.has(index)) return values.get(index);
    const node = table.nodes[index];
    if ('leaf' in node) return node.leaf;
    if ('symbol' in node) return Symbol[node.symbol];
    if (node.shell !== undefined) {
      const value = node.shell === 'map' ? new Map() : node.shell === 'array' ? [] : {};
      values.set(index, value);
      if (node.custom !== undefined) Object.setPrototypeOf(value, make(node.custom).prototype);
      for (const [k, v] of node.entries) {
        const key = make(k);
        const put = (child) => {
          if (value instanceof Map) value.set(key, child);
          else value[key] = child;
        };
        if (open.has(v)) waiting.push({ index: v, put });
        else put(make(v));
      }
      return value;
    }
    open.add(index);
    const late = [];
    const children = node.children.map((child, i) => {
      if (open.has(child)) {
        late.push(i);
        return undefined;
      }
      return make(child);
    });
    const built = kinds.get(node.kind).build(node.data, children, late);
    open.delete(index);
    values.set(index, built.value);
    for (const i of late) {
      const child = node.children[i];
      if (values.has(child)) built.set(i, values.get(child));
      else waiting.push({ index: child, put: (value) => built.set(i, value) });
    }
    for (const entry of [...waiting]) {
      if (entry.index !== index) continue;
      waiting.splice(waiting.indexOf(entry), 1);
      entry.put(built.value);
    }
    return built.value;
  };
  return make(table.start);
}
