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
import { Crew } from '../support/crew.js';
import { pass } from '../support/pass.js';
import { seeded } from '../support/seeded.js';

const KILLS = Number(process.env['MULTIPROCESS_STORM_KILLS'] ?? 16);
const LONGEST = 60_000 + 5_000 * KILLS;
const MOST = 4_096;
type Report = [consumer: number, producer: number, seq: number, whole: boolean];
type Role = 'producer' | 'manual' | 'auto';

it(
  `in a storm of ${KILLS} kills every item arrives once, or was not put`,
  async () => {
    const { seed, random } = seeded();
    const queue = new Queue<unknown>({ capacity: 16_384, maxSize: 40 });
    const report = new Queue<Report>({ onWriterLost: 'complete' });
    const [stop, drained] = [new Event(), new Event()];
    const [progress, between] = [new RawArray('i', MOST), new RawArray('i', MOST)];
    const shared = pass({ queue, report, progress, between, stop, drained });
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

    const crew = new Crew<Role>({
      fixture: 'queues/storm.mjs',
      args: () => [shared, random(1_000_000)],
      groupOf: (role) => (role === 'producer' ? 'producers' : 'consumers'),
      random,
      problems,
      count: () => count,
      longest: LONGEST,
    });
    const { members, killed } = crew;
    await crew.rage(KILLS, ['producer', 'manual', 'producer', 'auto']);
    stop.set();
    await crew.ended('producers', `seed ${seed}`);
    drained.set();
    await crew.ended('consumers', `seed ${seed}`);
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
    const excused = members.filter(
      ({ role, number }) => role === 'auto' && killed.has(number) && between.array[number] === 1,
    ).length;
    if (missing > excused) problems.push(`${missing} items are missing, ${excused} may be`);
    console.info(
      `${count} items, ${killed.size} killed, ${twice} came back, ${missing} of ${excused} went with their consumer`,
    );
    expect(problems.slice(0, 10), `seed ${seed}`).toEqual([]);
    expect(queue.qsize()).toBe(0);
    queue.close();
    report.close();
  },
  LONGEST + 30_000,
);
