/** Functions with large captures: read at each call, sent when they changed, and not kept without end. */

import { Pool } from 'multiprocess';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FunctionRegistry, type SerializedFunction } from '../../src/pool/wire/function-registry.js';

const MIB = 1 << 20;

describe('a function with a large capture', () => {
  let pool: Pool;
  beforeAll(() => {
    pool = new Pool({ processes: 1 });
  });
  afterAll(() => pool.terminate());

  it('has what the capture holds at each call, and its own copy', async () => {
    const table = Array.from({ length: 5_000 }, (_, i) => ({ id: i, name: `row ${i}` }));
    const bytes = new Uint8Array(3 * MIB);
    const read = () => {
      const seen = [table[1]!.name, table.length, bytes[9], bytes.length];
      table.length = 0;
      bytes.fill(1);
      return seen;
    };
    expect(await pool.apply(read)).toEqual(['row 1', 5_000, 0, 3 * MIB]);
    expect(await pool.apply(read)).toEqual(['row 1', 5_000, 0, 3 * MIB]);
    table[1]!.name = 'changed';
    table.push({ id: -1, name: 'more' });
    bytes[9] = 7;
    expect(await pool.apply(read)).toEqual(['changed', 5_001, 7, 3 * MIB]);
    bytes[9] = 0;
    table.pop();
    table[1]!.name = 'row 1';
    expect(await pool.apply(read)).toEqual(['row 1', 5_000, 0, 3 * MIB]);
  });
});

describe('FunctionRegistry', () => {
  it('knows a function with a large capture again by its bytes', () => {
    const registry = new FunctionRegistry(() => {});
    const bytes = new Float64Array(MIB / 8);
    const of = () => () => bytes.length;
    const first = registry.serialize('test', of());
    expect(registry.serialize('test', of())).toBe(first);
    bytes[100] = 1;
    const second = registry.serialize('test', of());
    expect(second).not.toBe(first);
    bytes[100] = 0;
    expect(registry.serialize('test', of())).toBe(first);
  });

  it('keeps 64 MiB at most, and the functions that are in use', () => {
    const forgotten: SerializedFunction[] = [];
    const registry = new FunctionRegistry((fn) => forgotten.push(fn));
    const bytes = new Uint8Array(4 * MIB);
    const read = () => bytes.length;
    const used = registry.serialize('test', read);
    used.enter();
    for (let i = 1; i <= 40; i++) {
      bytes[0] = i;
      registry.serialize('test', read);
    }
    // 15 are left: the one in use, and the latest ones.
    expect(forgotten).toHaveLength(26);
    expect(forgotten).not.toContain(used);
    bytes[0] = 0;
    expect(registry.serialize('test', read)).toBe(used);
  });

  it('keeps the latest function, however large', () => {
    const registry = new FunctionRegistry(() => {});
    const bytes = new Uint8Array(70 * MIB);
    const read = () => bytes.length;
    expect(registry.serialize('test', read)).toBe(registry.serialize('test', read));
  });
});
