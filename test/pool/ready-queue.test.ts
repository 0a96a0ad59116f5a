/** What may run next, of many queues. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReadyQueue, TaskQueue } from '../../src/pool/scheduling/ready-queue.js';

interface Batch {
  readonly queue: TaskQueue<Batch>;
}

test('queues stand by priority, and those of one priority in the order in which they came', () => {
  const ready = new ReadyQueue<Batch>();
  const priorities = [0, 3, -2, 3, 7, 0, -2, 5];
  for (const priority of priorities) {
    const queue = new TaskQueue<Batch>(priority);
    ready.add(queue);
    ready.push({ queue });
  }
  const taken = priorities.map(() => ready.shift()!.queue.priority);
  expect(taken).toEqual([7, 5, 3, 3, 0, 0, -2, -2]);
  expect(ready.shift()).toBeUndefined();
  expect(ready.waiting).toBe(0);
});

test('batches that only one may take are found without a look at all others', () => {
  const ready = new ReadyQueue<Batch>();
  let looks = 0;
  for (let i = 0; i < 1000; i++) {
    const queue = new TaskQueue<Batch>(-i);
    const { batches } = queue;
    batches.push({ queue });
    ready.add(queue);
    Object.defineProperty(queue, 'batches', {
      get: () => {
        looks++;
        return batches;
      },
    });
  }
  const target = { hasRoom: false };
  const low = new TaskQueue<Batch>(-5000, undefined, target);
  const high = new TaskQueue<Batch>(5000, undefined, target);
  for (const queue of [low, high]) {
    ready.add(queue);
    ready.push({ queue });
  }
  expect([...ready.blocked()]).toEqual([high, low]);
  target.hasRoom = true;
  expect([...ready.blocked()]).toEqual([]);
  target.hasRoom = false;
  ready.remove(high);
  expect([...ready.blocked()]).toEqual([low]);
  expect(looks).toBe(0);
});

test('whatever comes and goes, the oldest batch of the highest priority is next', () => {
  const step = fc.record({ adds: fc.boolean(), priority: fc.integer({ min: -400, max: 400 }), pick: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 1500, size: 'max' }), (steps) => {
      const ready = new ReadyQueue<Batch>();
      const queues = new Map<number, TaskQueue<Batch>>();
      const all = (): TaskQueue<Batch>[] => [...queues.values()].sort((a, b) => b.priority - a.priority);
      for (const { adds, priority, pick } of steps) {
        const one = [...queues.values()][pick % Math.max(1, queues.size)];
        if (adds && !queues.has(priority)) {
          const queue = new TaskQueue<Batch>(priority);
          queues.set(priority, queue);
          ready.add(queue);
          ready.push({ queue });
        } else if (!adds && one !== undefined) {
          queues.delete(one.priority);
          ready.remove(one);
        }
        expect(ready.next).toBe(all()[0]?.priority ?? Number.NEGATIVE_INFINITY);
        expect([ready.waiting, ready.mixed]).toEqual([queues.size, queues.size > 1]);
      }
      const taken: number[] = [];
      for (let batch = ready.shift(); batch !== undefined; batch = ready.shift()) taken.push(batch.queue.priority);
      expect(taken).toEqual(all().map((queue) => queue.priority));
    }),
    { numRuns: 20 },
  );
});
