import crypto from 'node:crypto';
import { existsSync } from 'node:fs';
import { SharedMemory } from 'multiprocess';
import { expect, it, vi } from 'vitest';

it('_TestSharedMemory.test_shared_memory_recreate: a random name that is taken is replaced by another one', () => {
  const drawn = ['aaaa', 'aaaa', 'aaaa', 'bbbb'].map(
    (half) => `${half}${(process.pid & 0xffff).toString(16).padStart(4, '0')}`,
  );
  const names = [drawn[0], drawn[3]].map((digits) => `psm_${digits}`);
  const random = vi.spyOn(crypto, 'randomBytes').mockImplementation(() => Buffer.from(drawn.shift()!, 'hex'));
  try {
    const blocks = [SharedMemory.create(1), SharedMemory.create(1)];
    expect(blocks.map(({ name }) => name)).toEqual(names);
    for (const block of blocks) {
      expect(existsSync(`/dev/shm/${block.name}`)).toBe(true);
      block.close();
      block.unlink();
    }
    expect(drawn).toEqual([]);
  } finally {
    random.mockRestore();
  }
});
