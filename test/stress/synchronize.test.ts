/**
 * Four to twelve processes use all primitives at random; of each wave of eight one is killed every 20 ms or so until four are left,
 * and in between one of them is stopped for some milliseconds.
 *
 * Invariants: whoever is inside a lock is alone there (a counter that is odd inside); a lock whose owner died says so; permits
 * that were held come back; nobody waits in vain (every wait that must end does so within 5 s); the living go on, round after round.
 *
 * After each wave the four that are left muster: they pass a barrier together, with the indices 0 to 3; each of some notifications,
 * told to one of them, is acted upon; and when one of them is killed at a barrier, it breaks for the three others.
 *
 * MULTIPROCESS_STORM_ROUNDS: rounds to run, default 4,000. MULTIPROCESS_SEED: of the run to repeat.
 */
import { Barrier, Condition, Event, Lock, RLock, RwLock, Semaphore } from 'multiprocess';
import { dumps } from 'multiprocess/reduction';
import { expect, it } from 'vitest';
import { type FixtureProcess, startFixture } from '../support/fixture-process.js';
import { seeded } from '../support/seeded.js';

const ROUNDS = Number(process.env['MULTIPROCESS_STORM_ROUNDS'] ?? 4_000);
const WAVE = 8;
const LONGEST = 20_000 + 10 * ROUNDS;

it(
  `in a storm of ${ROUNDS} rounds no lock is shared, no wake-up lost and no waiter stuck`,
  async () => {
    const { seed, random } = seeded();
    const stop = new Event();
    const rounds = new Semaphore(0);
    const semaphore = new Semaphore(2);
    const [lock, rlock, rw] = [new Lock(), new RLock(), new RwLock()];
    const guarded = [new Semaphore(0), new Semaphore(0), new Semaphore(0)];
    const objects = {
      lock,
      rlock,
      rw,
      semaphore,
      condition: new Condition(),
      barrier: new Barrier(2),
      event: new Event(),
      stop,
      rounds,
      guarded,
      muster: new Event(),
      atMuster: new Semaphore(0),
      go: new Event(),
      all: new Barrier(4),
      meal: new Semaphore(0),
      eaten: new Semaphore(0),
      fed: new Event(),
      doomed: new Barrier(5),
      resume: new Event(),
    };
    const bytes = Buffer.from(dumps(objects)).toString('hex');
    const start = (): FixtureProcess => startFixture('synchronize/storm.mjs', { args: [bytes, random(1_000_000)] });
    const ready = async (one: FixtureProcess) => expect(await one.line()).toBe('ready');

    // In waves, since to start a process takes far longer than 20 ms.
    const crew: FixtureProcess[] = [];
    let killed = 0;
    const ends: Promise<unknown>[] = [];
    let musters = 0;
    const violations: string[] = [];
    const watchdog = performance.now() + LONGEST;
    while (rounds.getValue() < ROUNDS && violations.length === 0) {
      const wave = Array.from({ length: WAVE }, start);
      await Promise.all(wave.map(ready));
      crew.push(...wave);
      while (crew.length > 4 && violations.length === 0) {
        await new Promise((done) => setTimeout(done, 10 + random(20)));
        if (performance.now() > watchdog)
          violations.push(`only ${rounds.getValue()} of ${ROUNDS} rounds in ${LONGEST} ms (seed ${seed})`);
        const stopped = crew[random(crew.length)]!.child;
        stopped.kill('SIGSTOP');
        await new Promise((done) => setTimeout(done, random(5)));
        stopped.kill('SIGCONT');
        const [victim] = crew.splice(random(crew.length), 1);
        if (victim!.child.exitCode !== null) violations.push(`${await victim!.line()} (seed ${seed})`);
        victim!.child.kill('SIGKILL');
        ends.push(victim!.ended);
        killed++;
      }
      // The four that are left, and no other, must go on.
      for (const goal = rounds.getValue() + 100; rounds.getValue() < goal && violations.length === 0; ) {
        await new Promise((done) => setTimeout(done, 5));
        const ended = crew.find(({ child }) => child.exitCode !== null);
        if (ended !== undefined) violations.push(`${await ended.line()} (seed ${seed})`);
        if (performance.now() > watchdog)
          violations.push(`stuck after ${rounds.getValue()} of ${ROUNDS} rounds (seed ${seed})`);
      }
      if (violations.length > 0) break;
      // A process that has been killed is seen to be dead a while later only, on a busy machine.
      await Promise.all(ends.splice(0));
      const wrong = await muster(objects, crew, random(crew.length));
      if (wrong !== null) violations.push(`${wrong}; ${await reports(crew)} (seed ${seed})`);
      else musters++;
      killed++;
    }
    expect(violations).toEqual([]);
    stop.set();
    for (const one of crew) {
      const end = await one.ended;
      expect(end === 0 ? null : await one.line(), `seed ${seed}`).toBeNull();
    }
    console.info(`${rounds.getValue()} rounds, ${killed} killed, ${musters} musters`);
    // Nothing is left behind.
    expect(await lock.acquire({ timeout: 5_000 })).toBe(true);
    expect(await rlock.acquire({ timeout: 5_000 })).toBe(true);
    (await rw.write({ timeout: 5_000 }))[Symbol.dispose]();
    const permits = [await semaphore.acquire({ timeout: 5_000 }), await semaphore.acquire({ timeout: 5_000 })];
    expect([...permits, semaphore.tryAcquire()]).toEqual([true, true, false]);
  },
  LONGEST + 30_000,
);

type Shared = Record<'muster' | 'go' | 'fed' | 'resume', Event> &
  Record<'atMuster' | 'meal' | 'eaten', Semaphore> &
  Record<'all' | 'doomed', Barrier> & { readonly condition: Condition };

const MEALS = 20;

/** What the survivors do together, as its header says; one of them is killed. Returns what went wrong. */
async function muster(shared: Shared, crew: FixtureProcess[], victim: number): Promise<string | null> {
  const { muster, atMuster, go, all, meal, eaten, fed, doomed, resume, condition } = shared;
  resume.clear();
  muster.set();
  for (let i = 0; i < crew.length; i++)
    if (!(await atMuster.acquire({ timeout: 20_000 }))) return `only ${i} came to the muster`;
  // The dead of this wave may have been parties: whoever comes first learns that, and the barrier is made new.
  for (const barrier of [all, doomed]) {
    await barrier.wait({ timeout: 0 }).catch(() => {});
    barrier.reset();
  }
  muster.clear();
  go.set();
  for (let i = 0; i < MEALS; i++) {
    await condition.runExclusive(() => {
      meal.release();
      condition.notify();
    });
  }
  for (let i = 0; i < MEALS; i++)
    if (!(await eaten.acquire({ timeout: 10_000 }))) return `only ${i} of ${MEALS} notifications arrived`;
  fed.set();
  await condition.runExclusive(() => condition.notifyAll());
  const deadline = performance.now() + 10_000;
  while (doomed.nWaiting < crew.length) {
    if (performance.now() > deadline) return `only ${doomed.nWaiting} of ${crew.length} came to the last barrier`;
    await new Promise((done) => setTimeout(done, 2));
  }
  const [dead] = crew.splice(victim, 1);
  dead!.child.kill('SIGKILL');
  await dead!.ended;
  const indices = await Promise.all(crew.map((one) => one.line()));
  if (!indices.every((index) => /^[0-3]$/.test(String(index))) || new Set(indices).size !== crew.length) {
    return `the survivors passed as ${indices.join(', ')}`;
  }
  doomed.reset();
  fed.clear();
  go.clear();
  resume.set();
  return null;
}

/** What those who ended have said. */
async function reports(crew: readonly FixtureProcess[]): Promise<string> {
  const ended = crew.filter(({ child }) => child.exitCode !== null);
  return (await Promise.all(ended.map((one) => one.line()))).join(', ');
}
