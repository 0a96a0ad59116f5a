/**
 * Four to ten processes use one SharedMap and an RwLock at random; of each wave of six one is killed every 20 ms or so until four are
 * left, and in between one of them is stopped for some milliseconds.
 *
 * Invariants: values are whole, and of their key; what nobody changes is always there, and comes once when the map is iterated; no
 * update is lost, and none counts twice; a failed update changes nothing; a reader under the lock sees two values that belong
 * together; the living go on; in the end all memory is there.
 *
 * MULTIPROCESS_STORM_ROUNDS: rounds to run, default 6,000. MULTIPROCESS_SEED: of the run to repeat.
 */
import { Event, RwLock, Semaphore, SharedArray, SharedMap } from 'multiprocess';
import { dumps } from 'multiprocess/reduction';
import { expect, it } from 'vitest';
import { type FixtureProcess, startFixture } from '../support/fixture-process.js';
import { seeded } from '../support/seeded.js';

const ROUNDS = Number(process.env['MULTIPROCESS_STORM_ROUNDS'] ?? 6_000);
const WAVE = 6;
const STABLE = 20;
const MOST = 10_000;
const CAPACITY = 100;
const BYTES = 40_000;
const LONGEST = 30_000 + 10 * ROUNDS;

it(
  `in a storm of ${ROUNDS} rounds no value is torn, no entry, update or memory lost, and nobody stuck`,
  async () => {
    const { seed, random } = seeded();
    const map = new SharedMap<string | number, unknown>({ capacity: CAPACITY, bytes: BYTES });
    for (let i = 0; i < STABLE; i++) map.set(`stable ${i}`, i);
    for (let i = 0; i < 4; i++) map.set(`counter ${i}`, 0);
    map.set('failing', 'old').set('left', 0).set('right', 0);
    const objects = {
      map,
      lock: new RwLock(),
      acknowledged: new SharedArray('i', MOST, { lock: false }),
      stop: new Event(),
      rounds: new Semaphore(0),
      stable: STABLE,
    };
    const bytes = Buffer.from(dumps(objects)).toString('hex');
    let number = 0;
    const start = (): FixtureProcess =>
      startFixture('shared-map/storm.mjs', { args: [bytes, number++, random(1_000_000)] });
    const crew: FixtureProcess[] = [];
    let killed = 0;
    const violations: string[] = [];
    const watchdog = performance.now() + LONGEST;
    const look = async (): Promise<boolean> => {
      const ended = crew.find(({ child }) => child.exitCode !== null);
      if (ended !== undefined)
        violations.push(`${(await ended.line()) ?? `it ended with ${ended.child.exitCode}`} (seed ${seed})`);
      if (performance.now() > watchdog)
        violations.push(`stuck after ${objects.rounds.getValue()} of ${ROUNDS} rounds (seed ${seed})`);
      return violations.length === 0;
    };
    while (objects.rounds.getValue() < ROUNDS && violations.length === 0) {
      const wave = Array.from({ length: WAVE }, start);
      for (const one of wave) expect(await one.line()).toBe('ready');
      crew.push(...wave);
      while (crew.length > 4 && (await look())) {
        await pause(10 + random(20));
        const stopped = crew[random(crew.length)]!.child;
        stopped.kill('SIGSTOP');
        await pause(random(8));
        stopped.kill('SIGCONT');
        const [victim] = crew.splice(random(crew.length), 1);
        victim!.child.kill('SIGKILL');
        await victim!.ended;
        killed++;
      }
      // The four that are left, and no other, must go on.
      for (const goal = objects.rounds.getValue() + 200; objects.rounds.getValue() < goal && (await look()); )
        await pause(5);
    }
    expect(violations).toEqual([]);
    objects.stop.set();
    for (const one of crew) {
      const end = await one.ended;
      expect(end === 0 ? null : await one.line(), `seed ${seed}`).toBeNull();
    }
    console.info(`${objects.rounds.getValue()} rounds, ${killed} killed`);
    const counted = [0, 1, 2, 3].reduce((sum, i) => sum + (map.get(`counter ${i}`) as number), 0);
    const said = objects.acknowledged.array.reduce((sum, count) => sum + count, 0);
    expect(counted - said, `seed ${seed}`).toBeGreaterThanOrEqual(0);
    expect(counted - said, `seed ${seed}`).toBeLessThanOrEqual(killed);
    for (let i = 0; i < STABLE; i++) expect(map.get(`stable ${i}`)).toBe(i);
    // All of the memory is there: as one value, and as many.
    for (const key of [...map.keys()]) map.delete(key);
    expect(map.size).toBe(0);
    const most = map.bytes - 64;
    map.set('all', new Uint8Array(most));
    map.delete('all');
    for (let i = 0; i < CAPACITY; i++) map.set(i, new Uint8Array(250));
    expect(map.size).toBe(CAPACITY);
  },
  LONGEST + 30_000,
);

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
