import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SortedList } from '../../src/util/sorted-list.js';

interface Item {
  readonly key: number;
}

/** What it holds; that it stands in blocks of which none is empty or too long. */
function contents(list: SortedList<Item>): number[] {
  for (const block of list.blocks) {
    expect(block.length).toBeGreaterThan(0);
    expect(block.length).toBeLessThanOrEqual(SortedList.BLOCK);
  }
  return list.blocks.flat().map(({ key }) => key);
}

test('items stand in order, in blocks of bounded length, whatever comes and goes', () => {
  const step = fc.record({ adds: fc.boolean(), key: fc.integer({ min: -2000, max: 2000 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 5000, size: 'max' }), (steps) => {
      const list = new SortedList<Item>(({ key }) => key);
      const items = new Map<number, Item>();
      for (const { adds, key } of steps) {
        const known = items.get(key);
        if (adds && known === undefined) {
          const item = { key };
          items.set(key, item);
          list.add(item);
        } else if (!adds) {
          items.delete(key);
          expect(list.remove(known ?? { key })).toBe(known !== undefined);
        }
        expect(list.length).toBe(items.size);
      }
      expect(contents(list)).toEqual([...items.keys()].sort((a, b) => a - b));
    }),
    { numRuns: 20 },
  );
});

test.each([
  ['ascending', (i: number) => i],
  ['descending', (i: number) => -i],
  ['scattered', (i: number) => (i * 7919) % 10_000],
])('ten thousand that come %s and go from the front leave nothing', (_, keyOf) => {
  const list = new SortedList<Item>(({ key }) => key);
  const items = Array.from({ length: 10_000 }, (_each, i) => ({ key: keyOf(i) }));
  for (const item of items) list.add(item);
  items.sort((a, b) => a.key - b.key);
  expect(contents(list)).toEqual(items.map(({ key }) => key));
  // Each is in few blocks of its kind: not one block an item, nor one for all.
  expect(list.blocks.length).toBeLessThanOrEqual((2 * items.length) / SortedList.BLOCK + 1);
  for (const item of items) expect(list.remove(item)).toBe(true);
  expect([list.length, list.blocks]).toEqual([0, []]);
  expect(list.remove(items[0]!)).toBe(false);
});
