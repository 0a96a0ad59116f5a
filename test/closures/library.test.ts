/** What this library exports goes by reference, however a function came to hold it. */
import * as multiprocess from 'multiprocess';
import { expect, it } from 'vitest';

const { explain, Process, Queue, currentTask, SimpleQueue } = multiprocess;
const whole = await import('multiprocess');
const { Event } = await import('multiprocess/synchronize');

class Sub extends Process {
  override run() {}
}

it('a class taken out of the namespace, a function, and the namespace itself', () => {
  for (const fn of [Sub, () => new Queue(), () => currentTask(), () => new Event(), () => new whole.Lock()]) {
    const { captures, sendable, size } = explain(fn);
    expect(sendable).toBe(true);
    expect(captures.length).toBeGreaterThan(0);
    // Vitest makes the namespace an object of its own.
    if (!String(fn).includes('whole')) expect(size).toBeLessThan(600);
  }
});

it('an instance of a subclass runs in a child', async () => {
  const queue = new SimpleQueue<string>();
  class Speaker extends Process {
    override async run() {
      await queue.put(this.name);
    }
  }
  const child = await new Speaker(undefined, { name: 'speaker' }).start();
  expect(await queue.get()).toBe('speaker');
  expect(await child.exited).toBe(0);
  child.close();
  queue.close();
});
