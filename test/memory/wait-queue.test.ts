import { afterEach, expect, it } from 'vitest';
import {
  type Attempt,
  allocateBlock,
  announceSleeper,
  type Block,
  Urgency,
  type WaitProtocol,
  WaitQueue,
  withdrawSleeper,
} from '../../src/memory/index.js';

const WAITERS = 1;
const PATIENT = 2;
const ITEM = 4;

/** A word with a number of items and a bit for those who sleep on it. */
class Items implements WaitProtocol {
  readonly block: Block = allocateBlock(64);
  readonly words = this.block.int32;
  readonly queue = new WaitQueue(this.block.cell(0), this);
  readonly urgencies: Urgency[] = [];

  announce(): number {
    return announceSleeper(this.words, 0, WAITERS);
  }

  withdraw(): void {
    withdrawSleeper(this.words, 0, WAITERS, PATIENT);
    this.block.cell(0).notify(1);
  }

  get someSleep(): boolean {
    return (Atomics.load(this.words, 0) & WAITERS) !== 0;
  }

  readonly take: Attempt = (urgency) => {
    this.urgencies.push(urgency);
    const word = Atomics.load(this.words, 0);
    if (word < ITEM) return false;
    return Atomics.compareExchange(this.words, 0, word, word - ITEM) === word;
  };

  /** Gives an item; a wake-up, if somebody sleeps, goes to this thread's waiters first. */
  give(): void {
    const word = Atomics.add(this.words, 0, ITEM);
    if ((word & WAITERS) === 0) return;
    Atomics.and(this.words, 0, ~WAITERS);
    if (!this.queue.kick()) this.block.cell(0).notify(1);
  }
}

let items: Items;
afterEach(() => items.block.close());

it('a wake-up that a waiter who polls took in vain leaves the sleepers of other processes known', async () => {
  items = new Items();
  const waiting = items.queue.wait(items.take, 'test');
  items.announce();
  items.give();
  expect(items.someSleep).toBe(false);
  // Another agent is faster.
  expect(items.take(Urgency.Fresh)).toBe(true);
  await Promise.resolve();
  expect(items.someSleep).toBe(true);
  items.give();
  expect(await waiting).toBe(true);
});

it('waiters are served in order, whatever phase the queue is in', async () => {
  items = new Items();
  const order: number[] = [];
  const waiting = Array.from({ length: 100 }, async (_, i) => {
    await items.queue.wait(items.take, 'test');
    order.push(i);
  });
  expect(items.queue.length).toBe(100);
  for (let i = 0; i < 100; i++) {
    items.give();
    // Microtasks, turns of the loop and sleeps come between.
    if (i % 3 === 0) await Promise.resolve();
    if (i % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    if (i % 50 === 49) await waiting[i];
  }
  await Promise.all(waiting);
  expect(order).toEqual(Array.from({ length: 100 }, (_, i) => i));
  expect(items.queue.length).toBe(0);
});

it('waiters that leave in any phase take nothing along', async () => {
  items = new Items();
  for (let round = 0; round < 40; round++) {
    const leaving = new AbortController();
    const left = items.queue.wait(items.take, 'test', { signal: leaving.signal });
    const stays = items.queue.wait(items.take, 'test');
    // At once while it polls, and after some turns, when it sleeps.
    for (let turn = 0; turn < round; turn++) await new Promise((resolve) => setImmediate(resolve));
    leaving.abort(new Error('left'));
    items.give();
    await expect(left).rejects.toThrow('left');
    expect(await stays).toBe(true);
    expect(Atomics.load(items.words, 0)).toBeLessThan(ITEM);
  }
});
