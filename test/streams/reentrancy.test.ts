/** Subscribers that call back into what calls them: deliveries do not nest, keep their order, and stop when they are told to. */
import { Pool } from 'multiprocess/pool';
import { Queue, StateTopic, Topic } from 'multiprocess/queues';
import type { Observable, Subscription } from 'rxjs';
import { describe, expect, it } from 'vitest';

const upTo = (end: number): number[] => Array.from({ length: end }, (_, i) => i);

/** Resolves with all that `source` delivers while each delivery calls `react`; rejects when one begins within another. */
function deliveries<T>(
  source: Observable<T>,
  react: (value: T, subscription: () => Subscription) => void,
  begin?: () => void,
): Promise<T[]> {
  return new Promise((resolve, reject) => {
    const seen: T[] = [];
    let inside = false;
    let subscription: Subscription | undefined;
    subscription = source.subscribe({
      next: (value) => {
        if (inside) reject(new Error(`${value} was delivered within the delivery of ${seen.at(-1)}`));
        inside = true;
        seen.push(value);
        react(value, () => subscription!);
        inside = false;
      },
      error: reject,
      complete: () => resolve(seen),
    });
    subscription.add(() => setImmediate(resolve, seen));
    begin?.();
  });
}

describe('a subscriber that', () => {
  it('puts into the queue that calls it is called for that later, in order', async () => {
    const queue = new Queue<number>();
    const react = (n: number) => (n < 99 ? queue.putNowait(n + 1) : queue.complete());
    expect(await deliveries(queue, react, () => queue.putNowait(0))).toEqual(upTo(100));
    queue.close();
  });

  it('publishes to the topic that calls it is called for that later, in order', async () => {
    const topic = new Topic<number>();
    const react = (n: number) => (n < 99 ? topic.next(n + 1) : topic.complete());
    expect(await deliveries(topic, react, () => topic.next(0))).toEqual(upTo(100));
    topic.close();
  });

  it('sets the state whose change it is told of ends up with the newest', async () => {
    const state = new StateTopic(0);
    const seen = await deliveries(state, (n) => (n < 99 ? state.next(n + 1) : state.complete()));
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(99);
    state.close();
  });

  it('leaves in the middle of a batch is not called again', async () => {
    const queue = new Queue<number>();
    for (const n of upTo(50)) queue.putNowait(n);
    expect(await deliveries(queue, (n, subscription) => n === 3 && subscription().unsubscribe())).toEqual(upTo(4));
    // What it had not taken is there for others.
    expect(queue.getNowait()).toBe(4);
    queue.close();
  });

  it('closes the queue that calls it is told of the end', async () => {
    const queue = new Queue<number>();
    for (const n of upTo(50)) queue.putNowait(n);
    await expect(deliveries(queue, (n) => n === 3 && queue.close())).rejects.toMatchObject({ name: 'ClosedError' });
  });

  it('uses the pool whose stream calls it, and leaves that stream, gets both', async () => {
    await using pool = new Pool({ processes: 1 });
    const inner: Promise<number>[] = [];
    const double = (n: number) => 2 * n;
    const seen = await deliveries(pool.imap(double, upTo(100)), (n, subscription) => {
      inner.push(pool.apply(double, [n]));
      if (n === 6) subscription().unsubscribe();
    });
    expect(seen).toEqual([0, 2, 4, 6]);
    expect(await Promise.all(inner)).toEqual([0, 4, 8, 12]);
  });
});
