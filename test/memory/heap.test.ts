import fc from 'fast-check';
import { BufferWrapper, Heap, type HeapBlock } from 'multiprocess/heap';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../support/code-of.js';

/** Blocks and holes of each arena tile it, and no two holes touch. */
function checkTiles(heap: Heap): void {
  for (const arena of heap.arenas) {
    const parts = [
      ...[...heap.blocks()]
        .filter((block) => block.arena === arena)
        .map(({ start, stop }) => [start, stop, 'used'] as const),
      ...heap.holes(arena).map(([start, stop]) => [start, stop, 'free'] as const),
    ].sort((a, b) => a[0] - b[0]);
    let at = 0;
    let before = 'used';
    for (const [start, stop, what] of parts) {
      expect(start).toBe(at);
      expect(start % 8).toBe(0);
      expect(what === 'free' && before === 'free').toBe(false);
      at = stop;
      before = what;
    }
    expect(at).toBe(arena.size);
  }
  const { used, free, size } = heap.stats;
  expect(used + free).toBe(size);
}

describe('Heap', () => {
  it('tiles its arenas with blocks and merged holes after any sequence of malloc and free, and ends with nothing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 2 })), { maxLength: 80 }),
        (steps) => {
          const heap = new Heap();
          const blocks: HeapBlock[] = [];
          for (const [size, frees] of steps) {
            const block = heap.malloc(size);
            expect(block.stop - block.start).toBeGreaterThanOrEqual(Math.max(size, 1));
            blocks.push(block);
            for (let i = 0; i < frees && blocks.length > 0; i++) heap.free(blocks.splice(size % blocks.length, 1)[0]!);
            checkTiles(heap);
          }
          for (const block of blocks) heap.free(block);
          const { mallocs, frees, ...rest } = heap.stats;
          expect(rest).toEqual({ arenas: 0, size: 0, used: 0, free: 0, blocks: 0 });
          expect(frees).toBe(mallocs);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('doubles its arenas up to 4 MiB', () => {
    const heap = new Heap();
    const blocks = Array.from({ length: 14 }, () => heap.malloc((heap.arenas.at(-1)?.size ?? 0) + 1));
    const sizes = heap.arenas.map(({ size }) => size);
    expect(sizes.slice(0, 4)).toEqual([4096, 8192, 16384, 32768]);
    for (const block of blocks) heap.free(block);
    expect(heap.stats.arenas).toBe(0);
  });

  it('refuses to free twice, to free what is no block of it, and bad sizes', () => {
    const heap = new Heap();
    const [block, keep] = [heap.malloc(10), heap.malloc(10)];
    heap.free(block);
    expect(codeOf(() => heap.free(block))).toBe('MP_DOUBLE_FREE');
    expect(codeOf(() => heap.free({ ...keep }))).toBe('MP_DOUBLE_FREE');
    expect(codeOf(() => new Heap().free(keep))).toBe('MP_FOREIGN_BLOCK');
    expect(codeOf(() => heap.free({} as HeapBlock))).toBe('MP_FOREIGN_BLOCK');
    for (const size of [-1, 0.5, Number.NaN, undefined])
      expect(codeOf(() => heap.malloc(size as number))).toBe('MP_INVALID_ARGUMENT');
    expect(heap.stats.blocks).toBe(1);
    heap.free(keep);
  });
});

describe('BufferWrapper', () => {
  it('gives zeroed bytes, also where memory was used before', () => {
    using keep = new BufferWrapper(8);
    expect(keep.size).toBe(8);
    for (let i = 0; i < 100; i++) {
      using wrapper = new BufferWrapper(i);
      const view = wrapper.createMemoryview();
      expect([...view]).toEqual(Array(i).fill(0));
      view.fill(255);
    }
  });

  it('refuses use after it was disposed', () => {
    const wrapper = new BufferWrapper(8);
    wrapper[Symbol.dispose]();
    wrapper[Symbol.dispose]();
    expect(codeOf(() => wrapper.createMemoryview())).toBe('MP_CLOSED');
  });
});
