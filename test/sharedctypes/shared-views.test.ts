/** A view of shared memory is sent as that memory, wherever it is met and whatever views it. */
import { Pool, pipe, Queue, RawArray, SharedArray, SharedMemory, ThreadPool } from 'multiprocess';
import { BufferWrapper, Heap } from 'multiprocess/heap';
import { dumps, loads } from 'multiprocess/reduction';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { itNeeds } from '../support/needs.js';

const crews = [
  ['processes', () => new Pool({ processes: 1 })],
  ['threads', () => new ThreadPool({ processes: 1 })],
] as const;

for (const [name, make] of crews) {
  describe(`between ${name}`, () => {
    let pool: Pool;
    beforeAll(() => {
      pool = make();
    });
    afterAll(() => pool.terminate());

    it('captured, passed, inside containers, as part, DataView, Buffer and ArrayBuffer', async () => {
      const { array } = new SharedArray('f64', 4);
      await pool.apply(() => {
        array[0] = 1;
      });
      await pool.apply(
        (part: Float64Array, within: { list: DataView[] }, bytes: Buffer, whole: ArrayBuffer) => {
          part[0] = 2;
          within.list[0]!.setFloat64(16, 3, true);
          bytes.writeDoubleLE(4);
          if (part.buffer !== whole || bytes.buffer !== whole || within.list[0]!.buffer !== whole)
            throw new Error('not one memory');
        },
        [
          array.subarray(1, 2),
          { list: [new DataView(array.buffer)] },
          Buffer.from(array.buffer, 24, 8),
          array.buffer as ArrayBuffer,
        ],
      );
      expect([...array]).toEqual([1, 2, 3, 4]);
    });

    itNeeds('names')('of SharedMemory and of the heap', async () => {
      using block = SharedMemory.create(64);
      using first = new BufferWrapper(10);
      using second = new BufferWrapper(20);
      const heap = new Heap();
      const piece = heap.malloc(16);
      const views = [
        block.buf,
        block.buf.subarray(8, 16),
        first.createMemoryview(),
        second.createMemoryview(),
        new Uint8Array(piece.arena.buffer, piece.start, 16),
      ];
      await pool.apply(
        (arrived: Uint8Array[]) => {
          arrived.forEach((view, index) => {
            view[1] = index + 1;
          });
        },
        [views],
      );
      expect(views.map((view) => view[1])).toEqual([1, 2, 3, 4, 5]);
      heap.free(piece);
      block.unlink();
    });

    it('returned: memory that only a view keeps lives here and there', async () => {
      const made = await pool.apply(() => {
        const scope = globalThis as { kept?: Int32Array };
        scope.kept = new RawArray('i', [1, 2, 3]).array as Int32Array;
        return scope.kept;
      });
      made[1] = 40;
      await pool.apply(() => (globalThis as { gc?: () => void }).gc?.());
      expect(await pool.apply(() => [...(globalThis as { kept?: Int32Array }).kept!])).toEqual([1, 40, 3]);
      expect(
        await pool.apply(
          (again: Int32Array) => again.buffer === (globalThis as { kept?: Int32Array }).kept!.buffer,
          [made],
        ),
      ).toBe(true);
    });
  });
}

it('through queues, pipes and bytes that are kept', async () => {
  const { array } = new RawArray('u8', 100_000);
  const queue = new Queue<Uint8Array>();
  const [left, right] = pipe();
  await queue.put(array.subarray(10));
  (await queue.get())[0] = 1;
  await left.send({ array });
  ((await right.recv()) as { array: Uint8Array }).array[11] = 2;
  const bytes = dumps(array);
  expect(bytes.length).toBeLessThan(1000);
  loads<Uint8Array>(bytes)[12] = 3;
  expect([...array.subarray(10, 13)]).toEqual([1, 2, 3]);
  queue.close();
  left.close();
  right.close();
});

it('a copy is a copy, and a closed one is refused as closed', () => {
  const raw = new RawArray('i', [1, 2]);
  const { array } = raw;
  const copy = loads<Int32Array>(dumps(array.slice()));
  copy[0] = 9;
  expect(array[0]).toBe(1);
  raw.close();
  expect(() => dumps(array)).toThrow(/^RawArray: it is closed in this thread and cannot be sent/);
});

it('what was freed in an arena of which a view was sent is not given out again', () => {
  const heap = new Heap();
  const [kept, freed] = [heap.malloc(64), heap.malloc(64)];
  const view = loads<Uint8Array>(dumps(new Uint8Array(freed.arena.buffer as ArrayBuffer, freed.start, 64)));
  view[0] = 7;
  heap.free(freed);
  expect(heap.malloc(64).start).not.toBe(freed.start);
  expect(view[0]).toBe(7);
  heap.free(kept);
});
