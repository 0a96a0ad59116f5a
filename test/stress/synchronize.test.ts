/**
 * Four to twelve processes use all primitives at random; of each wave of eight one is killed every 20 ms or so until four are left.
 *
 * Invariants: whoever is inside a lock is alone there (a counter that is odd inside); a lock whose owner died says so; permits
 * that were held come back; nobody waits in vain (every wait that must end does so within 5 s); the living go on, round after round.
 *
 * MULTIPROCESS_STORM_ROUNDS: rounds to run, default 4,000. MULTIPROCESS_SEED: of the run to repeat.
 */
import { Barrier, Condition, Event, Lock, RLock, Semaphore } from 'multiprocess';
import { dumps } from 'multiprocess/reduction';
import { expect, it } from 'vitest';
import { type FixtureProcess, startFixture } from '../support/fixture-process.js';

const ROUNDS = Number(process.env['MULTIPROCESS_STORM_ROUNDS'] ?? 4_000);
const WAVE = 8;
const LONGEST = 20_000 + 10 * ROUNDS;

it(
  `in a storm of ${ROUNDS} rounds no lock is shared, no wake-up lost and no waiter stuck`,
  async () => {
    const seed = Number(process.env['MULTIPROCESS_SEED'] ?? Date.now() % 1_000_000);
    console.info(`seed ${seed}`);
    let state = seed;
    const random = (n: number) => {
      state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
      return (state >>> 8) % n;
    };
    const stop = new Event();
    const rounds = new Semaphore(0);
    const semaphore = new Semaphore(2);
    const [lock, rlock] = [new Lock(), new RLock()];
    const guarded = [new Semaphore(0), new Semaphore(0)];
    const objects = {
      lock,
      rlock,
      semaphore,
      condition: new Condition(),
      barrier: new Barrier(2),
      event: new Event(),
      stop,
      rounds,
      guarded,
    };
    const bytes = Buffer.from(dumps(objects)).toString('hex');
    const start = (): FixtureProcess => startFixture('synchronize/storm.mjs', { args: [bytes, random(1_000_000)] });
    const ready = async (one: FixtureProcess) => expect(await one.line()).toBe('ready');

    // In waves, since to start a process takes far longer than 20 ms.
    const crew: FixtureProcess[] = [];
    let killed = 0;
    const violations: string[] = [];
    const watchdog = performance.now() + LONGEST;
    while (rounds.getValue() < ROUNDS && violations.length === 0) {
      const wave = Array.from({ length: WAVE }, start);
      await Promise.all(wave.map(ready));
      crew.push(...wave);
      while (crew.length > 4 && violations.length === 0) {
        await new Promise((done) => setTimeout(done, 10 + random(20)));
        if (performance.now() > watchdog) violations.push(`only ${rounds.getValue()} of ${ROUNDS} rounds in ${LONGEST} ms (seed ${seed})`);
        const [victim] = crew.splice(random(crew.length), 1);
        if (victim!.child.exitCode !== null) violations.push(`${await victim!.line()} (seed ${seed})`);
        victim!.child.kill('SIGKILL');
        killed++;
      }
      // The four that are left, and no other, must go on.
      for (const goal = rounds.getValue() + 100; rounds.getValue() < goal && violations.length === 0; ) {
        await new Promise((done) => setTimeout(done, 5));
        const ended = crew.find(({ child }) => child.exitCode !== null);
        if (ended !== undefined) violations.push(`${await ended.line()} (seed ${seed})`);
        if (performance.now() > watchdog) violations.push(`stuck after ${rounds.getValue()} of ${ROUNDS} rounds (seed ${seed})`);
      }
    }
    expect(violations).toEqual([]);
    stop.set();
    for (const one of crew) {
      const end = await one.ended;
      expect(end === 0 ? null : await one.line(), `seed ${seed}`).toBeNull();
    }
    console.info(`${rounds.getValue()} rounds, ${killed} killed`);
    // Nothing is left behind.
    expect(await lock.acquire({ timeout: 5_000 })).toBe(true);
    expect(await rlock.acquire({ timeout: 5_000 })).toBe(true);
    const permits = [await semaphore.acquire({ timeout: 5_000 }), await semaphore.acquire({ timeout: 5_000 })];
    expect([...permits, semaphore.tryAcquire()]).toEqual([true, true, false]);
  },
  LONGEST + 30_000,
);
