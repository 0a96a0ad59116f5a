/**
 * The lines of Python's _TestValue, _TestArray, _TestHeap, _TestSharedCTypes and _TestSharedMemory, each under its name.
 * TestResourceTracker is in test/shared-memory/tracker.test.ts, test_shared_memory_recreate in random-name.test.ts beside it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import v8 from 'node:v8';
import vm from 'node:vm';
import { Pool, RawArray, RawValue, ShareableList, SharedArray, SharedMemory, struct, Value } from 'multiprocess';
import { BufferWrapper, Heap, type HeapBlock } from 'multiprocess/heap';
import { copy } from 'multiprocess/sharedctypes';
import { Lock } from 'multiprocess/synchronize';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dumps, loads } from '../../dist/reduction/index.js';
import { codeOf } from '../support/code-of.js';
import { startFixture } from '../support/fixture-process.js';
import { until } from '../support/until.js';

const made: SharedMemory[] = [];
function keep<T extends SharedMemory | ShareableList<any>>(object: T): T {
  made.push(object instanceof SharedMemory ? object : object.shm);
  return object;
}
afterEach(() => {
  for (const block of made.splice(0)) {
    block.close();
    if (existsSync(`/dev/shm/${block.name}`)) block.unlink();
  }
});

let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 1 });
});
afterAll(() => pool.terminate());

const values = [['i', 4343, 24234], ['d', 3.625, -4.25], ['h', -232, 234], ['q', 2n ** 33n, 2n ** 34n], ['c', 'x', 'y']] as const; // biome-ignore format: a table

describe('_TestValue', () => {
  for (const [line, Type] of [
    ['test_value', Value],
    ['test_rawvalue', RawValue],
  ] as const) {
    it(`${line}: values of every type hold their initial value, and a child's changes are seen`, async () => {
      const shared = values.map(([code, first]) => new (Type as typeof Value)<any>(code, first));
      expect(shared.map(({ value }) => value)).toEqual(values.map(([, first]) => first));
      await pool.apply(
        (all: any[], next: unknown[]) => {
          for (const [i, value] of all.entries()) value.value = next[i];
        },
        [shared, values.map(([, , next]) => next)],
      );
      expect(shared.map(({ value }) => value)).toEqual(values.map(([, , next]) => next));
    });
  }

  it('test_getobj_getlock: a default or null lock gives a wrapper, a lock passed in is kept, without one there are no accessors', () => {
    const lock = new Lock();
    for (const options of [undefined, { lock: null }, { lock }]) {
      const value = new Value('i', 5, options);
      expect([typeof value.getLock().acquire, value.getObj().value]).toEqual(['function', 5]);
      if (options?.lock === lock) expect(value.getLock()).toBe(lock);
    }
    for (const raw of [new Value('i', 5, { lock: false }), new RawValue('i', 5)])
      expect('getLock' in raw || 'getObj' in raw).toBe(false);
    expect(codeOf(() => new Value('i', 5, { lock: 'navalue' as never }))).toBe('MP_INVALID_ARGUMENT');
  });

  it('test_invalid_typecode: an unknown type code is refused as such, locked and raw', () => {
    for (const make of [() => new Value('x' as 'i'), () => new RawValue('x' as 'i')])
      expect(make).toThrow(/"x" is no type code/);
  });
});

describe('_TestArray', () => {
  for (const [line, Type] of [
    ['test_array', SharedArray],
    ['test_rawarray', RawArray],
  ] as const) {
    it(`${line}: length, index, slices, and a child's prefix sums are seen`, async () => {
      const items = [680, 626, 934, 821, 150, 233, 548, 982, 714, 831];
      const array = new (Type as typeof SharedArray)('i', items);
      expect([array.length, array.array[3], [...array.array.subarray(2, 7)]]).toEqual([
        10,
        items[3],
        items.slice(2, 7),
      ]);
      array.array.set(Int32Array.of(1, 2, 3, 4), 4);
      items.splice(4, 4, 1, 2, 3, 4);
      expect([...array]).toEqual(items);
      await pool.apply(
        (shared: any) => {
          for (let i = 1; i < shared.length; i++) shared.array[i] += shared.array[i - 1];
        },
        [array],
      );
      for (let i = 1; i < items.length; i++) items[i]! += items[i - 1]!;
      expect([...array]).toEqual(items);
    });
  }

  it('test_array_from_size: an array made from a size is zero each time', () => {
    for (let i = 0; i < 3; i++) {
      using array = new SharedArray('i', 10);
      expect([...array]).toEqual(Array(10).fill(0));
      array.array.set(Array.from({ length: 10 }, (_, k) => k));
      expect([...array]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
  });

  it('test_getobj_getlock_obj: as for values', () => {
    const lock = new Lock();
    expect(new SharedArray('i', 2, { lock }).getLock()).toBe(lock);
    expect(new SharedArray('i', 2).getObj()).toBeInstanceOf(RawArray);
    for (const raw of [new SharedArray('i', 2, { lock: false }), new RawArray('i', 2)])
      expect('getLock' in raw || 'getObj' in raw).toBe(false);
    expect(codeOf(() => new SharedArray('i', 2, { lock: 'notalock' as never }))).toBe('MP_INVALID_ARGUMENT');
  });

  it('test_invalid_typecode: an unknown type code is refused as such, locked and raw', () => {
    for (const make of [() => new SharedArray('x' as 'i', [1]), () => new RawArray('x' as 'i', [1])])
      expect(make).toThrow(/"x" is no type code/);
  });
});

describe('_TestHeap', () => {
  it('test_free_from_gc: what the collector frees, of owners in a cycle, is given back, and no other block is touched', async () => {
    v8.setFlagsFromString('--expose-gc');
    const collect = vm.runInNewContext('gc') as () => void;
    const kept = Array.from({ length: 50 }, (_, i) => new BufferWrapper(100).createMemoryview().fill(i));
    const mappings = (): number => readFileSync('/proc/self/maps', 'utf8').match(/memfd:multiprocess/g)?.length ?? 0;
    const before = mappings();
    // Owners that refer to each other, dropped at once. The collector also runs while others are made.
    for (let i = 0; i < 300; i++) {
      const one = { wrapper: new BufferWrapper(40_960), other: null as unknown };
      one.other = { wrapper: new BufferWrapper(1_024), other: one };
      one.wrapper.createMemoryview().fill(255);
      if (i % 50 === 0) collect();
    }
    expect(mappings()).toBeGreaterThan(before);
    await until(() => {
      collect();
      return mappings() <= before;
    }, 'all that nobody has is given back');
    for (const [i, view] of kept.entries()) expect(view.every((byte) => byte === i)).toBe(true);
  });

  it('test_heap: over 5000 allocations and frees, blocks tile the arenas, and nothing is left at the end', () => {
    const heap = new Heap();
    const blocks: HeapBlock[] = [];
    let seed = 1;
    const random = (): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      return seed / 0x7fffffff;
    };
    for (let i = 0; i < 5000; i++) {
      blocks.push(heap.malloc(Math.floor(1000 * random() ** 3 * 10)));
      if (blocks.length > 50) heap.free(blocks.splice(Math.floor(random() * blocks.length), 1)[0]!);
    }
    let covered = 0;
    for (const arena of heap.arenas) {
      const parts = [
        ...heap.holes(arena),
        ...blocks.filter((block) => block.arena === arena).map(({ start, stop }) => [start, stop] as const),
      ];
      let at = 0;
      for (const [start, stop] of parts.sort((a, b) => a[0] - b[0])) {
        expect(start).toBe(at);
        at = stop;
      }
      covered += at;
    }
    expect(covered).toBe(heap.stats.size);
    expect(heap.stats.used + heap.stats.free).toBe(heap.stats.size);
    for (const block of blocks) heap.free(block);
    expect(heap.stats).toEqual({ arenas: 0, size: 0, used: 0, free: 0, blocks: 0, mallocs: 5000, frees: 5000 });
  });
});

describe('_TestSharedCTypes', () => {
  const Foo = struct({ x: 'i', y: 'd', z: 'i64' });

  for (const [line, lock] of [
    ['test_sharedctypes', false],
    ['test_synchronize', true],
  ] as const) {
    it(`${line}: numbers, a record, an array and a text are doubled by a child and read back`, async () => {
      const [x, y, z] = [
        new Value('i', 7, { lock }),
        new Value('d', 1 / 3, { lock }),
        new Value('q', 2n ** 33n, { lock }),
      ];
      const foo = new Value(Foo, { x: 3, y: 2 }, { lock });
      const array = new SharedArray('d', [0, 1, 2], { lock });
      const text = new SharedArray('c', 20, { lock });
      text.value = 'hello';
      await pool.apply(
        (...[a, b, c, f, numbers, word]: any[]) => {
          a.value *= 2;
          b.value *= 2;
          c.value *= 2n;
          f.value.x *= 2;
          f.value.y *= 2;
          word.value = word.value + word.value;
          for (let i = 0; i < numbers.length; i++) numbers.array[i] *= 2;
        },
        [x, y, z, foo, array, text],
      );
      expect([x.value, y.value, z.value, foo.value, [...array], text.value]).toEqual([
        14,
        2 / 3,
        2n ** 34n,
        { x: 6, y: 4, z: 0n },
        [0, 2, 4],
        'hellohello',
      ]);
    });
  }

  it('test_copy: a copy of a record is independent of the original', () => {
    const foo = new RawValue(Foo, { x: 2, y: 5, z: 2n ** 33n });
    const bar = copy(foo);
    foo.value = { x: 0, y: 0, z: 0n };
    expect(bar.value).toEqual({ x: 2, y: 5, z: 2n ** 33n });
  });
});

describe('_TestSharedMemory', () => {
  it('test_shared_memory_name_with_embedded_null: a name with NUL is refused', () => {
    expect(codeOf(() => SharedMemory.attach('a\0b'))).toBe('MP_BLOCK_NAME');
    expect(codeOf(() => SharedMemory.create(8, { name: 'a\0b' }))).toBe('MP_BLOCK_NAME');
  });

  it('test_shared_memory_basics: name, size, text form, a second attachment, and an error for each mistake', () => {
    const name = `test01_tsmb_${process.pid}`;
    const sms = keep(SharedMemory.create(512, { name }));
    expect([sms.name, sms.size, sms.buf.length]).toEqual([name, 512, 512]);
    expect(String(sms)).toContain(name);
    expect(inspect(sms)).toContain('512');
    using same = SharedMemory.attach(name);
    sms.buf[0] = 42;
    expect([same.buf[0], same.size]).toEqual([42, 512]);
    same.buf[511] = 1;
    expect(sms.buf[511]).toBe(1);
    expect(codeOf(() => SharedMemory.create(512, { name }))).toBe('MP_BLOCK_EXISTS');
    expect(codeOf(() => SharedMemory.attach(undefined as never))).toBe('MP_BLOCK_NAME');
    expect(codeOf(() => SharedMemory.attach('test01_absent'))).toBe('MP_BLOCK_NOT_FOUND');
    sms.unlink();
    expect(codeOf(() => same.unlink())).toBe('MP_BLOCK_NOT_FOUND');
    expect(codeOf(() => SharedMemory.attach(name))).toBe('MP_BLOCK_NOT_FOUND');
  });

  it('test_invalid_shared_memory_creation: sizes of -1, 0 and none are refused', () => {
    for (const size of [-1, 0, undefined])
      expect(codeOf(() => SharedMemory.create(size as number))).toBe('MP_BLOCK_SIZE');
  });

  it('test_shared_memory_pickle_unpickle: a restored handle is the same block', () => {
    const sms = keep(SharedMemory.create(512));
    const restored = loads<SharedMemory>(dumps(sms));
    restored.buf[0] = 7;
    expect([sms.buf[0], restored.name]).toEqual([7, sms.name]);
  });

  it('test_shared_memory_pickle_unpickle_dead_object: a handle of an unlinked block is not found', () => {
    const sms = keep(SharedMemory.create(512));
    const bytes = dumps(sms);
    sms.close();
    sms.unlink();
    expect(codeOf(() => loads(bytes))).toBe('MP_BLOCK_NOT_FOUND');
  });

  it('test_shared_memory_across_processes: a child writes by name and through a handle', async () => {
    const sms = keep(SharedMemory.create(512));
    const other = startFixture('shared-memory/attach.mjs', { args: [sms.name, 'exit'] });
    expect(await other.line()).toBe('1');
    await pool.apply(
      (block: SharedMemory) => {
        block.buf[1] = 5;
      },
      [sms],
    );
    expect([sms.buf[0], sms.buf[1]]).toEqual([1, 5]);
  });

  const sample = ['howdy', new TextEncoder().encode('HoWdY'), -273.154, 100, null, true, 42];

  it('test_shared_memory_ShareableList_basics: format, length, index, change of type, room, count, copy, second handle, empty list', () => {
    const sl = keep(new ShareableList<any>(sample));
    expect(sl.format).toBe('8s8sdqxxxxxx?xxxxxxxx?q');
    expect([sl.length, sl.shm.size, sl.index(42), sl.get(-2)]).toEqual([7, 191, 6, true]);
    expect(String(sl)).toContain(sl.shm.name);
    for (const use of [() => sl.get(7), () => sl.set(7, 2), () => sl.get(-8)])
      expect(codeOf(use)).toBe('MP_LIST_INDEX');
    expect(codeOf(() => sl.index(100.5))).toBe('MP_LIST_VALUE');
    sl.set(3, 42);
    expect([sl.get(3), sl.format]).toEqual([42, '8s8sdqxxxxxx?xxxxxxxx?q']);
    sl.set(4, 'some');
    expect([sl.get(4), sl.format]).toEqual(['some', '8s8sdq8sxxxxxxx?q']);
    expect(() => sl.set(4, 'far too many')).toThrow(/exceeds available storage/);
    expect(() => sl.set(0, '\u4f60\u597d\u5417')).toThrow(/exceeds available storage/);
    expect([sl.get(4), sl.get(0), sl.get(1)]).toEqual(['some', 'howdy', sample[1]]);
    sl.set(0, '\u4f60\u597d');
    expect([sl.get(0), sl.get(1)]).toEqual(['\u4f60\u597d', sample[1]]);
    expect([sl.count(42), sl.count('some'), sl.count('adios')]).toEqual([2, 1, 0]);
    const name = `sl_copy_${process.pid}`;
    const copied = keep(new ShareableList(sl, { name }));
    expect([copied.shm.name, copied.format, [...copied]]).toEqual([name, sl.format, [...sl]]);
    sl.set(-1, 77);
    expect(copied.get(-1)).toBe(42);
    const second = keep(ShareableList.attach<any>(sl.shm.name));
    second.set(-1, 13);
    expect(sl.get(-1)).toBe(13);
    const empty = keep(new ShareableList([]));
    expect([empty.length, empty.format, [...empty], empty.shm.size]).toEqual([0, '', [], 16]);
    expect(codeOf(() => empty.index(null as never))).toBe('MP_LIST_VALUE');
  });

  it('test_shared_memory_ShareableList_pickling: a restored list shares storage, and its handle does not grow with it', () => {
    const short = keep(new ShareableList<number>([1, 2]));
    const long = keep(new ShareableList<number>(Array.from({ length: 5000 }, (_, i) => i)));
    const restored = loads<ShareableList<number>>(dumps(short));
    restored.set(0, 9);
    expect(short.get(0)).toBe(9);
    // Only the digits of its size.
    expect(dumps(long).length - dumps(short).length).toBeLessThan(16);
  });

  it('test_shared_memory_ShareableList_pickling_dead_object: restoring a list whose block is gone is not found', () => {
    const list = keep(new ShareableList([1]));
    const bytes = dumps(list);
    list.shm.close();
    list.shm.unlink();
    expect(codeOf(() => loads(bytes))).toBe('MP_BLOCK_NOT_FOUND');
  });

  it('test_shared_memory_cleaned_after_process_termination: the block of a killed process is removed', async () => {
    const creator = startFixture('shared-memory/create.mjs', { args: [1, 'exit'], env: { MULTIPROCESS_TRACKER: '' } });
    const name = (await creator.line())!.split(' ')[1]!;
    creator.child.kill('SIGKILL');
    await until(() => !existsSync(`/dev/shm/${name}`), 'the name is removed');
  });

  it('test_shared_memory_untracking, test_shared_memory_tracking: another program that attaches and exits leaves the block in place', async () => {
    const sms = keep(SharedMemory.create(16));
    const other = startFixture('shared-memory/attach.mjs', { args: [sms.name, 'exit'] });
    expect(await other.ended).toBe(0);
    expect(existsSync(`/dev/shm/${sms.name}`)).toBe(true);
  });
});
