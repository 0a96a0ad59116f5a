import { Worker } from 'node:worker_threads';
import { ArgumentError, ClosedError, Pool } from 'multiprocess';
import { ShareableList, SharedMemory } from 'multiprocess/shared-memory';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dumps, loads } from '../../dist/reduction/index.js';
import { codeOf } from '../support/code-of.js';

const made: SharedMemory[] = [];
function create(size: number, options?: { name?: string }): SharedMemory {
  const block = SharedMemory.create(size, options);
  made.push(block);
  return block;
}
afterEach(() => {
  for (const block of made.splice(0)) {
    block.close();
    try {
      block.unlink();
    } catch {
      // The test did.
    }
  }
});

let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 2 });
});
afterAll(() => pool.terminate());

describe('SharedMemory', () => {
  it('has an error of its own for each mistake', () => {
    const block = create(8);
    expect(
      [0, -1, 1.5, Number.NaN, undefined].map((size) => codeOf(() => SharedMemory.create(size as number))),
    ).toEqual(Array(5).fill('MP_BLOCK_SIZE'));
    expect(
      ['', undefined, 'a/b', 'a\0b', '..', 5].map((name) => codeOf(() => SharedMemory.attach(name as string))),
    ).toEqual(Array(6).fill('MP_BLOCK_NAME'));
    expect(codeOf(() => SharedMemory.create(8, { name: 'x'.repeat(255) }))).toBe('MP_BLOCK_NAME');
    expect(codeOf(() => SharedMemory.create(8, { name: block.name }))).toBe('MP_BLOCK_EXISTS');
    expect(codeOf(() => SharedMemory.attach('multiprocess-nobody'))).toBe('MP_BLOCK_NOT_FOUND');
    expect(codeOf(() => SharedMemory.create(8, { nmae: 'x' } as never))).toBe('MP_UNKNOWN_OPTION');
    using other = SharedMemory.attach(block.name);
    block.unlink();
    expect(codeOf(() => block.unlink())).toBe('MP_BLOCK_UNLINKED');
    expect(codeOf(() => other.unlink())).toBe('MP_BLOCK_NOT_FOUND');
  });

  it('refuses use after close with ClosedError, and its views become empty', () => {
    const block = create(8);
    const { buf, buffer } = block;
    block.close();
    block.close();
    expect([buf.length, buffer.byteLength]).toEqual([0, 0]);
    expect(() => block.buf).toThrow(ClosedError);
    expect(() => block.buffer).toThrow(ClosedError);
    expect(() => dumps(block)).toThrow(ClosedError);
    expect(buf[0]).toBeUndefined();
    buf[0] = 1;
    expect(block.name).toMatch(/^psm_[0-9a-f]{8}$/);
  });

  it('is one object in a process, and a new one after it was closed', () => {
    const block = create(8);
    const bytes = dumps(block);
    expect(loads(bytes)).toBe(block);
    block.close();
    using again = loads<SharedMemory>(bytes);
    expect(again).not.toBe(block);
    expect(again.name).toBe(block.name);
  });

  it('is never taken for a later block of the same name', () => {
    const name = `multiprocess-same-${process.pid}`;
    const first = create(8, { name });
    const bytes = dumps(first);
    first.close();
    first.unlink();
    create(8, { name });
    expect(codeOf(() => loads(bytes))).toBe('MP_BLOCK_NOT_FOUND');
  });

  it('reaches workers as argument, capture and inside a list, and comes back as itself', async () => {
    const block = create(8);
    const list = new ShareableList(['slot', 0]);
    made.push(list.shm);
    expect(await pool.apply((arg: SharedMemory) => ++arg.buf[0]!, [block])).toBe(1);
    expect(await pool.apply(() => ++block.buf[0]!)).toBe(2);
    expect(block.buf[0]).toBe(2);
    expect(await pool.apply((arg: SharedMemory) => arg, [block])).toBe(block);
    const back = await pool.apply(
      (arg: ShareableList) => {
        arg.set(0, 'söt');
        arg.set(1, (arg.get(1) as number) + 1);
        return arg;
      },
      [list],
    );
    expect(back).toBe(list);
    expect([...list]).toEqual(['söt', 1]);
    expect(await pool.apply((arg: ShareableList, shm: SharedMemory) => arg.shm === shm, [list, list.shm])).toBe(true);
  });

  it('is attached by a worker thread by its name', async () => {
    const block = create(8);
    const url = new URL('../../dist/shared-memory/index.js', import.meta.url).href;
    const text = `const { workerData, parentPort } = require('node:worker_threads');
      import(workerData.url).then(({ SharedMemory }) => {
        const block = SharedMemory.attach(workerData.name);
        block.buf[3] = 9;
        block.close();
        parentPort.postMessage('done');
      });`;
    const worker = new Worker(text, { eval: true, workerData: { url, name: block.name } });
    await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
    expect(block.buf[3]).toBe(9);
  });

  it('never lets a posted buffer take the memory away', () => {
    const block = create(8);
    const { port1, port2 } = new MessageChannel();
    try {
      port1.postMessage(block.buffer, [block.buffer]);
    } catch (error) {
      expect((error as Error).name).toBe('DataCloneError');
    }
    port1.close();
    port2.close();
    expect(block.buf.length).toBe(8);
  });
});

describe('ShareableList', () => {
  function list<T extends number | bigint | boolean | string | Uint8Array | null>(
    items: Iterable<T>,
  ): ShareableList<T> {
    const made_ = new ShareableList(items);
    made.push(made_.shm);
    return made_;
  }

  it('gives back every value exactly, whatever its type', () => {
    const values = [
      0, -1, 2 ** 53 - 1, -(2 ** 53 - 1), 1.5, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e300, 5e-324,
      2n ** 63n - 1n, -(2n ** 63n), true, false, null, '', 'a', '12345678', 'ééééééé', '日本語', '😀', '\0', 'a\0\0', '\0a', '\ufeffbom',
      new Uint8Array(0), new Uint8Array([0]), new Uint8Array([1, 0, 0]), new Uint8Array([0, 1]), new Uint8Array(8).fill(255),
    ]; // biome-ignore format: one type a line
    const written = list<any>(values);
    expect([...written]).toEqual(values);
    expect(Object.is(written.get(5), -0)).toBe(true);
    using again = ShareableList.attach(written.shm.name).shm;
    expect(again.size).toBe(written.shm.size);
  });

  it('keeps trailing NULs of what is set later, also when it fills the slot', () => {
    const texts = list<string | Uint8Array>(['12345678', new Uint8Array(8)]);
    for (const value of ['a\0', '\0\0\0', 'x'.repeat(15).concat('\0'), '', 'full'.repeat(4)]) {
      texts.set(0, value);
      expect(texts.get(0)).toBe(value);
      const bytes = new TextEncoder().encode(value);
      texts.set(1, bytes);
      expect(texts.get(1)).toEqual(bytes);
    }
  });

  it('leaves the old value whole when a set is refused', () => {
    const items = list<any>(['slot', 'next', 1]);
    const before = [...items];
    const format = items.format;
    for (const value of [
      '123456789',
      '日本語日',
      new Uint8Array(9),
      undefined,
      {},
      Symbol('x'),
      () => 1,
      2n ** 63n,
      'half \ud800',
    ]) {
      expect(() => items.set(0, value)).toThrow(ArgumentError);
      expect([...items]).toEqual(before);
      expect(items.format).toBe(format);
    }
    expect(codeOf(() => items.set(0, '123456789'))).toBe('MP_LIST_ROOM');
    expect(codeOf(() => items.set(2, 'a number has room for 8 bytes'))).toBe('MP_LIST_ROOM');
    expect(codeOf(() => items.set(3, 1))).toBe('MP_LIST_INDEX');
    expect(codeOf(() => items.set(0.5, 1))).toBe('MP_LIST_INDEX');
    expect(codeOf(() => items.set(0, {}))).toBe('MP_LIST_ITEM');
  });

  it('refuses use after its block was closed, without a crash', () => {
    const items = list<any>([1, 'a']);
    items.shm.close();
    for (const use of [
      () => items.get(0),
      () => items.get(1),
      () => items.set(0, 2),
      () => items.set(1, 'b'),
      () => [...items],
      () => items.format,
    ]) {
      expect(use).toThrow(ClosedError);
    }
    expect(String(items.length)).toBe('2');
  });

  it('refuses a block that holds no list', () => {
    const block = create(64);
    const words = new BigInt64Array(block.buffer);
    for (const [count, offset] of [
      [-1n, 0n],
      [3n, 0n],
      [1n << 40n, 0n],
      [1n, 5n],
      [1n, -8n],
      [1n, 1n << 40n],
      [1n, 40n],
    ]) {
      words[0] = count!;
      words[2] = offset!;
      expect(codeOf(() => ShareableList.attach(block.name))).toBe('MP_NO_LIST');
    }
    words.fill(0n);
    expect(ShareableList.attach(block.name).length).toBe(0);
    expect(codeOf(() => ShareableList.attach(create(8).name))).toBe('MP_NO_LIST');
    expect(codeOf(() => new ShareableList('multiprocess' as any).shm.unlink())).toBe('no error');
    expect(codeOf(() => new ShareableList(5 as any))).toBe('MP_INVALID_ARGUMENT');
  });

  it('is closed at the end of its block of code, and stays', () => {
    const { shm } = list([1, 2]);
    {
      using again = ShareableList.attach(shm.name);
      expect(again.get(1)).toBe(2);
    }
    const used = ShareableList.attach(shm.name);
    used[Symbol.dispose]();
    expect(() => used.get(1)).toThrow(ClosedError);
    expect(shm.buf.length).toBeGreaterThan(0);
  });

  it('finds values by content', () => {
    const items = list<any>([1, '1', new Uint8Array([1]), true, null, 1, 2n ** 60n]);
    expect([items.count(1), items.count(new Uint8Array([1])), items.count(1n), items.count('x')]).toEqual([2, 1, 2, 0]);
    expect([items.index('1'), items.index(null), items.index(2n ** 60n)]).toEqual([1, 4, 6]);
    expect(codeOf(() => items.index(7))).toBe('MP_LIST_VALUE');
    expect([items.at(-1), items.at(0), items.at(7), items.at(-8), items.get(-2)]).toEqual([
      2n ** 60n,
      1,
      undefined,
      undefined,
      1,
    ]);
  });
});
