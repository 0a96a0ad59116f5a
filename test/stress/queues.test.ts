/**
 * Producers and consumers of one small queue, of whom one is killed every 20 ms or so.
 *
 * Accounting: of each producer all items whose put has returned arrive, and at most one more; each exactly once. Two exceptions, which are
 * counted: an item arrives again when the consumer that reported it was killed before it acknowledged; one item may be missing for each
 * consumer that was killed between taking (without acknowledgement) and reporting.
 *
 * MULTIPROCESS_STORM_KILLS: processes to kill, default 16. MULTIPROCESS_SEED: of the run to repeat.
 */
import { Event, Queue, RawArray } from 'multiprocess';
import { expect, it } from 'vitest';
import { type FixtureProcess, startFixture } from '../support/fixture-process.js';
import { pass } from '../support/pass.js';

const KILLS = Number(process.env['MULTIPROCESS_STORM_KILLS'] ?? 16);
const LONGEST = 60_000 + 5_000 * KILLS;
const MOST = 4_096;
type Report = [consumer: number, producer: number, seq: number, whole: boolean];
type Role = 'producer' | 'manual' | 'auto';
interface Member {
  readonly role: Role;
  readonly number: number;
  readonly process: FixtureProcess;
}

it(
  `in a storm of ${KILLS} kills every item arrives once, or was not put`,
  async () => {
    const seed = Number(process.env['MULTIPROCESS_SEED'] ?? Date.now() % 1_000_000);
    console.info(`seed ${seed}`);
    let state = seed;
    const random = (n: number) => {
      state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
      return (state >>> 8) % n;
    };
    const queue = new Queue<unknown>({ capacity: 16_384, maxSize: 40 });
    const report = new Queue<Report>({ onWriterLost: 'complete' });
    const [stop, drained] = [new Event(), new Event()];
    const [progress, between] = [new RawArray('i', MOST), new RawArray('i', MOST)];
    const shared = pass({ queue, report, progress, between, stop, drained });
    const start = (role: Role): Member => {
      const number = members.length;
      const one = { role, number, process: startFixture('queues/storm.mjs', { args: [shared, role, number, random(1_000_000)] }) };
      members.push(one);
      return one;
    };
    const members: Member[] = [];
    const killed = new Set<number>();
    const problems: string[] = [];

    // Which items arrived, and at whom.
    const arrived = new Map<number, Map<number, number[]>>();
    let count = 0;
    const reading = (async () => {
      for await (const [consumer, producer, seq, whole] of report) {
        count++;
        if (!whole) problems.push(`item ${producer}:${seq} arrived damaged`);
        const items = arrived.get(producer) ?? new Map<number, number[]>();
        arrived.set(producer, items);
        items.set(seq, [...(items.get(seq) ?? []), consumer]);
      }
    })().catch((error: unknown) => problems.push(String(error)));

    const watchdog = performance.now() + LONGEST;
    const crew: Member[] = [];
    const look = (): boolean => {
      const ended = crew.find(({ process: { child } }) => child.exitCode !== null);
      if (ended !== undefined) problems.push(`${ended.role} ${ended.number} ended by itself (${ended.process.child.exitCode})`);
      if (performance.now() > watchdog) problems.push(`stuck after ${count} items`);
      return problems.length === 0;
    };
    const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));
    while (killed.size < KILLS && problems.length === 0) {
      // In waves, since to start a process takes far longer than 20 ms. At most four of each role: after a wave two of each are left.
      const roles: Role[] = ['producer', 'manual', 'producer', 'auto'];
      const wave = [...roles, ...(crew.length === 0 ? roles : [])].map(start);
      for (const one of wave) expect(await one.process.line()).toBe('ready');
      crew.push(...wave);
      for (let kills = 4; kills > 0 && look(); ) {
        await pause(10 + random(20));
        const at = random(crew.length);
        const { role } = crew[at]!;
        const left = crew.filter((one) => (one.role === 'producer') === (role === 'producer')).length;
        if (left <= 2) continue;
        const [victim] = crew.splice(at, 1);
        killed.add(victim!.number);
        victim!.process.child.kill('SIGKILL');
        kills--;
      }
      // Those that are left, and no other, must go on.
      for (const goal = count + 200; count < goal && look(); ) await pause(5);
    }
    stop.set();
    for (const { role, process } of crew) if (role === 'producer') expect(await process.ended).toBe(0);
    drained.set();
    for (const { role, process } of crew) if (role !== 'producer') expect(await process.ended, `seed ${seed}`).toBe(0);
    report.complete();
    await reading.catch(() => {});

    let [twice, missing] = [0, 0];
    for (const { role, number } of members) {
      if (role !== 'producer') continue;
      const items = arrived.get(number) ?? new Map<number, number[]>();
      const put = Atomics.load(progress.array as Int32Array, number);
      for (const [seq, consumers] of items) {
        if (seq > put + (killed.has(number) ? 1 : 0)) problems.push(`item ${number}:${seq} was never put`);
        if (consumers.length === 1) continue;
        twice++;
        if (!consumers.slice(0, -1).every((consumer) => killed.has(consumer) && members[consumer]!.role === 'manual')) {
          problems.push(`item ${number}:${seq} arrived at ${consumers.join(' and ')}`);
        }
      }
      for (let seq = 1; seq <= put; seq++) if (!items.has(seq)) missing++;
    }
    const excused = members.filter(({ role, number }) => role === 'auto' && killed.has(number) && between.array[number] === 1).length;
    if (missing > excused) problems.push(`${missing} items are missing, ${excused} may be`);
    console.info(`${count} items, ${killed.size} killed, ${twice} came back, ${missing} of ${excused} went with their consumer`);
    expect(problems.slice(0, 10), `seed ${seed}`).toEqual([]);
    expect(queue.qsize()).toBe(0);
    queue.close();
    report.close();
  },
  LONGEST + 30_000,
);
