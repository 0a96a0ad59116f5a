/** Any value, shared and read. */
import fc from 'fast-check';
import { Lock, share } from 'multiprocess';
import { expect, it } from 'vitest';
import { difference } from '../codec/same-graph.js';

const locks = [new Lock(), new Lock()];
const KIB_64 = 1 << 16;

class Node_ {
  [key: string]: unknown;
}

/** What nodes of a graph may be: data, memory of many sizes, instances, shareable objects. */
const SORTS: readonly ((n: number, memory: ArrayBuffer) => object)[] = [
  () => [],
  () => ({}),
  () => new Map(),
  () => new Set(),
  () => new Node_(),
  (n) => ({ text: `row ${n}`, at: new Date(n), list: [n, -0, null, undefined] }),
  (n) => new Uint8Array(KIB_64 + n).fill(n),
  (n) => new Float64Array(n).fill(n),
  (n, memory) => new Uint8Array(memory, n, 8),
  (_, memory) => new Uint16Array(memory),
  (_, memory) => memory,
  (n) => Buffer.alloc(KIB_64 * 2, n),
  (n) => locks[n % 2]!,
];

function link(from: object, to: object, n: number): void {
  if (Array.isArray(from)) from.push(to);
  else if (from instanceof Map) from.set(n % 2 === 0 ? n : to, to);
  else if (from instanceof Set) from.add(to);
  else if (Object.getPrototypeOf(from) === Object.prototype || from instanceof Node_)
    Object.assign(from, { [`k${n}`]: to });
}

const graph = fc
  .tuple(
    fc.array(
      fc.tuple(fc.nat({ max: SORTS.length - 1 }), fc.nat({ max: 5 }), fc.array(fc.nat({ max: 9 }), { maxLength: 4 })),
      {
        minLength: 1,
        maxLength: 10,
      },
    ),
    fc.constantFrom(16, KIB_64, 3 * KIB_64 + 2),
  )
  .map(([plan, bytes]) => {
    const memory = new ArrayBuffer(bytes);
    const nodes = plan.map(([sort, n]) => SORTS[sort]!(n, memory));
    plan.forEach(([, , edges], i) => {
      edges.forEach((to, n) => {
        link(nodes[i]!, nodes[to % nodes.length]!, n);
      });
    });
    return nodes[0];
  });

it('share(x).value is x for any graph, with the same references shared', () => {
  fc.assert(
    fc.property(graph, (value) => {
      using shared = share(value);
      expect(difference(value, shared.value)).toBeUndefined();
    }),
    { numRuns: 500 },
  );
});
