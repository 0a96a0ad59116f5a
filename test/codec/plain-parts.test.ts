/** Parts of a message that are plain data: identity is kept as if every object had a number. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dumps, loads } from '../../src/reduction/index.js';
import { difference } from './same-graph.js';

class Row {
  [key: string]: unknown;
}

const SORTS = 12;

/** A buffer that several nodes may view. */
const buffers = (): ArrayBuffer[] => [new ArrayBuffer(16), new ArrayBuffer(24)];

function nodeOf(sort: number, memory: readonly ArrayBuffer[], n: number): object {
  const buffer = memory[n % memory.length]!;
  return [
    () => [],
    () => ({}),
    () => new Map(),
    () => new Set(),
    () => new Row(),
    () => [1, 'text', { n }],
    () => ({ name: `row ${n}`, at: new Date(n) }),
    () => new Uint8Array(buffer),
    () => new Uint8Array(buffer, 8),
    () => buffer,
    () => Object.freeze({ n }),
    () => Buffer.from('pooled'),
  ][sort]!();
}

function link(from: object, to: object, n: number): void {
  if (Array.isArray(from)) from.push(to);
  else if (from instanceof Map) from.set(n % 2 === 0 ? n : to, to);
  else if (from instanceof Set) from.add(to);
  else if (!ArrayBuffer.isView(from) && !(from instanceof ArrayBuffer) && Object.isExtensible(from))
    Object.assign(from, { [`k${n}`]: to });
}

/** Data, instances and memory that refer to each other at random. */
const graph = fc
  .tuple(
    fc.array(fc.tuple(fc.nat({ max: SORTS - 1 }), fc.array(fc.nat({ max: 11 }), { maxLength: 5 })), {
      minLength: 1,
      maxLength: 12,
    }),
    fc.array(fc.nat({ max: 11 }), { minLength: 1, maxLength: 6 }),
  )
  .map(([plan, reached]) => {
    const memory = buffers();
    const nodes = plan.map(([sort], i) => nodeOf(sort, memory, i));
    plan.forEach(([, edges], i) => {
      edges.forEach((to, n) => {
        link(nodes[i]!, nodes[to % nodes.length]!, n);
      });
    });
    const root = new Row();
    reached.forEach((at, i) => {
      root[`n${i}`] = nodes[at % nodes.length];
    });
    return root;
  });

describe('loads(dumps(x)) of plain data beside what is more', () => {
  it('is x, with the same references shared', () => {
    fc.assert(
      fc.property(graph, (value) => {
        expect(difference(value, loads(dumps(value)))).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });

  it('takes little more than the plain form of it', () => {
    const table = Array.from({ length: 1000 }, (_, i) => ({ id: i, name: `row ${i}` }));
    const row = new Row();
    row['table'] = table;
    expect(dumps(row).length).toBeLessThan(dumps(table).length + dumps(new Row()).length + 50);
  });

  it('splits up only what others refer into', () => {
    const table = Array.from({ length: 1000 }, (_, i) => ({ id: i, name: `row ${i}` }));
    const pair = { left: 1, right: 2 };
    const one = Object.assign(new Row(), { table, a: [pair] });
    const two = Object.assign(new Row(), { table, a: [pair], b: { pair } });
    expect(dumps(two).length).toBeLessThan(dumps(one).length + 200);
    expect(difference(two, loads(dumps(two)))).toBeUndefined();
  });

  it('keeps what a part and another part have in common, however often', () => {
    for (const count of [1, 2, 5, 40]) {
      const row = new Row();
      const common = Array.from({ length: count }, (_, n) => ({ n }));
      for (const [i, each] of common.entries()) {
        row[`a${i}`] = [0, each];
        row[`b${i}`] = { each };
      }
      expect(difference(row, loads(dumps(row)))).toBeUndefined();
    }
  });

  it('keeps an empty array that two parts share', () => {
    const empty: unknown[] = [];
    const row = Object.assign(new Row(), { a: [1, empty], b: { empty } });
    const copy = loads<Row>(dumps(row)) as unknown as { a: unknown[]; b: { empty: unknown } };
    expect(copy.a[1]).toBe(copy.b.empty);
  });

  it('keeps memory that a view in a part and one outside have in common', () => {
    const memory = new ArrayBuffer(16);
    for (const row of [
      Object.assign(new Row(), { part: [new Uint8Array(memory)], view: new Float64Array(memory) }),
      Object.assign(new Row(), { view: new Float64Array(memory), part: [new Uint8Array(memory)] }),
    ]) {
      expect(difference(row, loads(dumps(row)))).toBeUndefined();
    }
  });

  it('keeps values deeper than the plain form nests, and cycles', () => {
    let deep: unknown[] = [];
    for (let i = 0; i < 3000; i++) deep = [deep, i];
    const row = new Row();
    const ring: unknown[] = [row];
    ring.push(ring, { ring });
    row['deep'] = deep;
    row['ring'] = ring;
    expect(difference(row, loads(dumps(row)))).toBeUndefined();
  });

  it('keeps the entries of a WeakMap whose keys are inside of a part', () => {
    const table = [{ id: 1 }, { id: 2 }];
    const names = new WeakMap<object, string>([[table[1]!, 'two']]);
    const read = (): unknown => names.get(table[1]!);
    const ofPart = loads<typeof read>(dumps(read));
    expect(ofPart()).toBe('two');
  });
});

describe('captures', () => {
  it('that two functions share stay shared, whole or in part', () => {
    const table = Array.from({ length: 50 }, (_, id) => ({ id, tags: [id] }));
    const row = table[7]!;
    const pair = loads<{ table(): typeof table; row(): typeof row; both(): boolean }>(
      dumps({ table: () => table, row: () => row, both: () => table[7] === row }),
    );
    expect(pair.table()[7]).toBe(pair.row());
    expect(pair.both()).toBe(true);
    pair.row().tags.push(99);
    expect(pair.table()[7]!.tags).toEqual([7, 99]);
  });

  it('are read at each call', () => {
    const table = [{ n: 1 }];
    const first = (): number => table[0]!.n;
    expect(loads<typeof first>(dumps(first))()).toBe(1);
    table[0]!.n = 2;
    expect(loads<typeof first>(dumps(first))()).toBe(2);
  });

  it('with getters go as they did: by what the getter gives, or as a getter when it cannot read the object', () => {
    const counted = {
      calls: 0,
      get next() {
        return ++this.calls;
      },
    };
    const list = [{ plain: true }, { counted }];
    const read = (): unknown => list[1];
    expect(loads<typeof read>(dumps(read))()).toEqual({ counted: { calls: 0, next: 1 } });
  });

  it('are reduced once, also where a message is begun again', () => {
    let reduced = 0;
    class Ticket {
      [Symbol.for('multiprocess.reduce')]() {
        reduced++;
        return [Ticket, []];
      }
    }
    const row = { n: 1 };
    const value = [new Ticket(), [0, row], { row }];
    const copy = loads<[unknown, [number, object], { row: object }]>(dumps(value));
    expect(copy[1][1]).toBe(copy[2].row);
    expect(reduced).toBe(1);
  });
});
