import { AsyncResource, executionAsyncId } from 'node:async_hooks';
import { afterEach, expect, test } from 'vitest';
import { ArgumentError } from '../../src/errors/index.js';
import { closeDescriptor, createEventfd, Doorbell, duplicateDescriptor, ringDoorbell } from '../../src/native/index.js';
import { startFixture } from '../support/fixture-process.js';
import { eventfd, sharedWords } from '../support/native-resources.js';

const bells: Doorbell[] = [];
afterEach(() => {
  for (const bell of bells.splice(0)) bell.close();
});

function bellOn(fd: number, onRing: () => void): Doorbell {
  const bell = new Doorbell(fd, onRing);
  bells.push(bell);
  return bell;
}

/** A bell that counts; `heard(n)` settles when it has rung n times. */
function counting(fd: number) {
  let rings = 0;
  let wake: () => void = () => {};
  const bell = bellOn(fd, () => {
    rings++;
    wake();
  });
  const heard = async (count: number) => {
    while (rings < count) await new Promise<void>((done) => (wake = done));
    return rings;
  };
  return { bell, heard, rings: () => rings };
}

const turn = () => new Promise((done) => setImmediate(done));

test('a ring calls back, also one from before the doorbell was made', async () => {
  const fd = eventfd();
  ringDoorbell(fd);
  const { heard } = counting(fd);
  expect(await heard(1)).toBe(1);
  ringDoorbell(fd);
  expect(await heard(2)).toBe(2);
});

test('rings while the loop is busy are one callback', async () => {
  const fd = eventfd();
  const { heard, rings } = counting(fd);
  for (let i = 0; i < 1000; i++) ringDoorbell(fd);
  await heard(1);
  await turn();
  await turn();
  expect(rings()).toBe(1);
});

test('a ring from inside the callback calls it again', async () => {
  const fd = eventfd();
  let rings = 0;
  await new Promise<void>((done) => {
    bellOn(fd, () => (++rings === 100 ? done() : ringDoorbell(fd)));
    ringDoorbell(fd);
  });
  expect(rings).toBe(100);
});

test('microtasks and ticks run after the callback', async () => {
  const fd = eventfd();
  const order: string[] = [];
  await new Promise<void>((done) => {
    bellOn(fd, () => {
      setImmediate(() => {
        order.push('immediate');
        done();
      });
      void Promise.resolve().then(() => order.push('microtask'));
      process.nextTick(() => order.push('tick'));
      order.push('callback');
    });
    ringDoorbell(fd);
  });
  expect(order).toEqual(['callback', 'tick', 'microtask', 'immediate']);
});

test('the callback runs in an asynchronous context of its own', async () => {
  const fd = eventfd();
  const id = await new AsyncResource('test').runInAsyncScope(
    () =>
      new Promise<number>((done) => {
        bellOn(fd, () => done(executionAsyncId()));
        ringDoorbell(fd);
      }),
  );
  expect(id).toBeGreaterThan(0);
});

test('four processes ring under load and the last state is always seen', async () => {
  const { fd: memory, words } = sharedWords();
  const fd = eventfd();
  const each = 20_000;
  let seen = 0;
  const all = new Promise<void>((done) => {
    bellOn(fd, () => {
      seen = Atomics.load(words, 0);
      if (seen === 4 * each) done();
    });
  });
  const children = Array.from({ length: 4 }, () =>
    startFixture('native/ring.mjs', { args: [each], fds: [memory, fd] }),
  );
  await all;
  expect(await Promise.all(children.map((child) => child.ended))).toEqual([0, 0, 0, 0]);
});

test('a closed bell is silent, closing is idempotent and leaves the descriptor open', async () => {
  const fd = eventfd();
  const { bell, rings } = counting(fd);
  ringDoorbell(fd);
  bell.close();
  bell.close();
  bell.ref();
  bell.unref();
  await turn();
  await turn();
  expect(rings()).toBe(0);
  const { heard } = counting(fd);
  expect(await heard(1)).toBe(1);
});

test('closing the descriptor first, and reusing its number, does not confuse a bell', async () => {
  const first = createEventfd();
  const keep = duplicateDescriptor(first);
  const { heard } = counting(first);
  closeDescriptor(first);
  const second = eventfd();
  const other = counting(second);
  ringDoorbell(keep);
  expect(await heard(1)).toBe(1);
  expect(other.rings()).toBe(0);
  closeDescriptor(keep);
});

test('hundreds of doorbells are opened and closed', async () => {
  const fd = eventfd();
  for (let i = 0; i < 500; i++) {
    const bell = new Doorbell(fd, () => {});
    ringDoorbell(fd);
    if (i % 50 === 0) await turn();
    bell.close();
  }
});

test('what the callback throws is an uncaughtException, and the bell goes on ringing', async () => {
  const child = startFixture('native/throwing-doorbell.mjs');
  expect(await child.line()).toBe('ring 1');
  expect(await child.line()).toBe('ring 2');
  expect(await child.ended).toBe(0);
});

test('what is no descriptor or no function is refused', () => {
  expect(() => ringDoorbell('3' as never)).toThrow(ArgumentError);
  expect(() => ringDoorbell(1_000_000)).toThrow(/ringDoorbell on descriptor 1000000: write failed with EBADF/);
  expect(() => new Doorbell(1_000_000, () => {})).toThrow(/EBADF/);
  expect(() => new Doorbell(eventfd(), undefined as never)).toThrow(ArgumentError);
});
