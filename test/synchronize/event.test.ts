import { Event } from 'multiprocess';
import { describe, expect, it } from 'vitest';
import { mortal } from '../support/mortal.js';
import { until } from '../support/until.js';

const turn = () => new Promise((done) => setImmediate(done));

describe('Event', () => {
  it('ends the waits that had begun when it is set and cleared at once', async () => {
    const event = new Event();
    const waiting = [event.wait(), event.wait({ timeout: 5_000 })];
    event.set();
    event.clear();
    expect(await Promise.all(waiting)).toEqual([true, true]);
    expect(await event.wait({ timeout: 0 })).toBe(false);
  });

  it('shows its state and its changes as an Observable, until nobody listens', async () => {
    const event = new Event();
    const seen: boolean[] = [];
    const subscription = event.asObservable().subscribe((set) => seen.push(set));
    expect(seen).toEqual([false]);
    event.set();
    await until(() => seen.length === 2, 'the set');
    event.clear();
    await until(() => seen.length === 3, 'the clear');
    event.set();
    event.clear();
    await until(() => seen.length === 5, 'a pulse');
    expect(seen).toEqual([false, true, false, true, false]);
    subscription.unsubscribe();
    event.set();
    await turn();
    expect(seen.length).toBe(5);
  });

  it('is set without regard to a waiter that was killed', async () => {
    const event = new Event();
    const waiter = await mortal('waitEvent', { event });
    await waiter.kill();
    event.set();
    expect(await event.wait()).toBe(true);
  });
});
