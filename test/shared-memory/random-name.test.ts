import { existsSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { SharedMemory } from '../../dist/shared-memory/index.js';

const names = ['same', 'same', 'same', 'other'].map((name) => `multiprocess-${name}-${process.pid}`);
vi.mock('../../dist/shared-memory/random-name.js', () => ({ randomName: () => names.shift() }));

it('test_shared_memory_recreate: a random name that is taken is replaced by another one', () => {
  const blocks = [SharedMemory.create(1), SharedMemory.create(1)];
  expect(blocks.map(({ name }) => name)).toEqual([`multiprocess-same-${process.pid}`, `multiprocess-other-${process.pid}`]);
  for (const block of blocks) {
    expect(existsSync(`/dev/shm/${block.name}`)).toBe(true);
    block.close();
    block.unlink();
  }
  expect(names).toEqual([]);
});
