/** Blocks and lists shared with stock Python, both directions. */
import { ShareableList, SharedMemory } from 'multiprocess/shared-memory';
import { describe, expect, it } from 'vitest';
import { hasPython, python } from '../support/python.js';

/** Python's tracker (before 3.13) would unlink what it attached to. */
const attach = `
import sys, json
from multiprocessing import shared_memory, resource_tracker
def attached(name):
    resource_tracker.unregister('/' + name, 'shared_memory')
`;

describe.skipIf(!hasPython)('stock Python', () => {
  it('sees the bytes that we write, and we see what it writes', async () => {
    using block = SharedMemory.create(4096);
    for (let i = 0; i < 4096; i++) block.buf[i] = i * 7;
    const sum = await python(
      `${attach}
block = shared_memory.SharedMemory(name=sys.argv[1])
attached(block.name)
print(block.size, sum(block.buf))
block.buf[:] = bytes(255 - b for b in block.buf)
block.close()`,
      block.name,
    );
    const written = Array.from({ length: 4096 }, (_, i) => (i * 7) & 255);
    expect(sum).toBe(`4096 ${written.reduce((a, b) => a + b)}`);
    expect([...block.buf]).toEqual(written.map((byte) => 255 - byte));
    block.unlink();
  });

  it('makes blocks that we attach to and unlink', async () => {
    const name = await python(`${attach}
block = shared_memory.SharedMemory(create=True, size=1000)
block.buf[:3] = b'abc'
attached(block.name)
print(block.name)
block.close()`);
    using block = SharedMemory.attach(name);
    expect(block.size).toBe(1000);
    expect(Buffer.from(block.buf.subarray(0, 4)).toString('latin1')).toBe('abc\0');
    block.unlink();
  });

  it('lays a list out byte for byte as we do', async () => {
    const name = `multiprocess-python-${process.pid}`;
    await python(
      `${attach}
items = ['howdy', b'HoWdY', -273.154, 100, None, True, 42, '', b'', False, 'exactly8', -1, 2**62, -2**63, float('inf')]
block = shared_memory.ShareableList(items, name=sys.argv[1])
attached(sys.argv[1])`,
      name,
    );
    using theirs = SharedMemory.attach(name);
    theirs.unlink();
    const text = new TextEncoder();
    const ours = new ShareableList([
      'howdy', text.encode('HoWdY'), -273.154, 100, null, true, 42, '', new Uint8Array(0), false, 'exactly8', -1, 2n ** 62n, -(2n ** 63n), Number.POSITIVE_INFINITY,
    ]); // biome-ignore format: as above
    ours.shm.unlink();
    expect(Buffer.from(ours.shm.buf).toString('hex')).toBe(Buffer.from(theirs.buf).toString('hex'));
    ours.shm.close();
  });

  it('reads every type that we write, also text beyond ASCII', async () => {
    const list = new ShareableList<any>([
      'ééééééé', '日本語', '😀', '', 'nul\0\0', new Uint8Array([0, 255, 1]), new Uint8Array([1, 0]), 5, -(2 ** 53 - 1), 2n ** 63n - 1n, 0.1, true, false, null,
    ]); // biome-ignore format: as above
    const read = await python(
      `${attach}
items = shared_memory.ShareableList(name=sys.argv[1])
attached(sys.argv[1])
print(ascii(list(items)))
items.shm.close()`,
      list.shm.name,
    );
    expect(read).toBe(
      "['\\xe9\\xe9\\xe9\\xe9\\xe9\\xe9\\xe9', '\\u65e5\\u672c\\u8a9e', '\\U0001f600', '', 'nul', b'\\x00\\xff\\x01', b'\\x01', 5, -9007199254740991, 9223372036854775807, 0.1, True, False, None]",
    );
    list.shm.close();
    list.shm.unlink();
  });

  it('sets items that we read back, also over values that ended in NUL', async () => {
    const list = new ShareableList<any>(['nul\0', 'ééé', 0, 0, 'text', new Uint8Array([9, 0])]);
    await python(
      `${attach}
items = shared_memory.ShareableList(name=sys.argv[1])
attached(sys.argv[1])
items[0] = 'wholeslt'
items[1] = '日本'
items[2] = 2.5
items[3] = None
items[4] = -7
items[5] = b'\\x01\\x02\\x03'
items.shm.close()`,
      list.shm.name,
    );
    expect([...list]).toEqual(['wholeslt', '日本', 2.5, null, -7, new Uint8Array([1, 2, 3])]);
    list.shm.close();
    list.shm.unlink();
  });

  it('makes lists that we read and change', async () => {
    const name = await python(`${attach}
items = shared_memory.ShareableList(['grün', 'x' * 20, b'\\xff', 1.5, 7, True, None])
attached(items.shm.name)
print(items.shm.name)
items.shm.close()`);
    const list = ShareableList.attach<any>(name);
    expect([...list]).toEqual(['grün', 'x'.repeat(20), new Uint8Array([255]), 1.5, 7, true, null]);
    list.set(1, 'größer\0');
    list.set(3, 4);
    list.set(6, 'word');
    const read = await python(
      `${attach}
items = shared_memory.ShareableList(name=sys.argv[1])
attached(sys.argv[1])
print(ascii(list(items)))
items.shm.close()`,
      name,
    );
    expect(read).toBe("['gr\\xfcn', 'gr\\xf6\\xdfer', b'\\xff', 4, 7, True, 'word']");
    list.shm.close();
    list.shm.unlink();
  });
});
