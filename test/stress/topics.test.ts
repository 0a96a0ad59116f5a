/**
 * Publishers and subscribers of one small topic, of whom one is killed every 20 ms or so.
 *
 * Accounting: the test's own subscription is there from the first item on, so what it reads and what its `gaps` leave out tell the number of
 * each item. Every subscription elsewhere, also that of a process which is killed later, must have seen a run of these numbers, without a
 * hole that its own `gaps` do not name, and the same item for the same number. Of each publisher all items whose publishing was acknowledged
 * have a number, in their order, and at most those more that it was publishing when it was killed.
 *
 * MULTIPROCESS_STORM_KILLS: processes to kill for each policy, default 8. MULTIPROCESS_SEED: of the run to repeat.
 */
import { Event, type Lag, Queue, RawArray, Topic } from 'multiprocess';
import { expect, it } from 'vitest';
import { Crew } from '../support/crew.js';
import { pass } from '../support/pass.js';
import { seeded } from '../support/seeded.js';
import { until } from '../support/until.js';

const KILLS = Number(process.env['MULTIPROCESS_STORM_KILLS'] ?? 8);
const LONGEST = 60_000 + 5_000 * KILLS;
const MOST = 4_096;
/** Publishing that waits at once in one publisher, at most. */
const AT_ONCE = 3;

type Seen = [publisher: number, seq: number, whole: boolean];
type Missed = [from: number, count: number];
type Report = [subscriber: number, subscription: number, events: (Seen | Missed)[]];
type Role = 'publisher' | 'subscriber';

/** What one subscription saw: the numbers are relative to its first item until its place is known. */
class Course {
  readonly #items: [relative: number, key: string][] = [];
  #next = 0;
  /** Number of its first item; known from the start, or from a gap, or from an item that another one has seen too. */
  #offset: number | undefined;

  constructor(
    readonly name: string,
    readonly problems: string[],
    offset?: number,
  ) {
    this.#offset = offset;
  }

  add(event: Seen | Missed): void {
    if (event.length === 2) {
      const [from, count] = event;
      this.#place(from - this.#next, `its gap of ${count} from ${from}`);
      this.#next += count;
      return;
    }
    const [publisher, seq, whole] = event;
    if (!whole) this.problems.push(`item ${publisher}:${seq} arrived damaged at ${this.name}`);
    this.#items.push([this.#next++, `${publisher}:${seq}`]);
  }

  /** Compares it with what is known, and adds to that: whether its place is known. */
  settle(numbers: Map<string, number>, keys: Map<number, string>): boolean {
    for (const [relative, key] of this.#offset === undefined ? this.#items : []) {
      const number = numbers.get(key);
      if (number !== undefined) this.#place(number - relative, `item ${key}`);
      if (number !== undefined) break;
    }
    if (this.#offset === undefined) return false;
    for (const [relative, key] of this.#items) {
      const number = this.#offset + relative;
      const [otherNumber, otherKey] = [numbers.get(key) ?? number, keys.get(number) ?? key];
      if (otherNumber !== number || otherKey !== key) {
        this.problems.push(
          `${this.name} saw ${key} as number ${number}, others as ${otherNumber}, and ${otherKey} there`,
        );
        return true;
      }
      numbers.set(key, number);
      keys.set(number, key);
    }
    return true;
  }

  get end(): number | undefined {
    return this.#offset === undefined ? undefined : this.#offset + this.#next;
  }

  #place(offset: number, by: string): void {
    if (this.#offset !== undefined && this.#offset !== offset) {
      this.problems.push(`${this.name}: by ${by} it began at ${offset}, by what came before at ${this.#offset}`);
    }
    this.#offset ??= offset;
  }
}

it.each<Lag>(['block', 'drop-oldest', 'latest'])(
  `in a storm of ${KILLS} kills each subscription sees one order, and what it misses stands in its gaps (lag: %s)`,
  async (lag) => {
    const { seed, random } = seeded(`${lag}: `);
    const topic = new Topic<[number, number, Uint8Array]>({
      capacity: 16_384,
      lag,
      replay: 3,
      onWriterLost: 'complete',
    });
    const report = new Queue<Report>({ onWriterLost: 'complete' });
    const stop = new Event();
    const progress = new RawArray('i', MOST);
    const problems: string[] = [];
    const courses = new Map<string, Course>();
    const course = (name: string, offset?: number): Course => {
      const known = courses.get(name) ?? new Course(name, problems, offset);
      courses.set(name, known);
      return known;
    };

    const own = course('the test', 0);
    let count = 0;
    topic.gaps.subscribe(({ from, count: missed }) => own.add([from, missed]));
    const watched = new Promise<void>((resolve) => {
      topic.subscribe({
        next: ([publisher, seq, bytes]) => {
          count++;
          own.add([publisher, seq, bytes.every((byte) => byte === (seq & 255))]);
        },
        error: (error: unknown) => {
          problems.push(String(error));
          resolve();
        },
        complete: resolve,
      });
    });
    // This publisher stays, so that the topic is not over while all others are dead.
    topic.next([MOST, 1, new Uint8Array(3).fill(1)]);
    const reading = (async () => {
      for await (const [subscriber, subscription, events] of report) {
        const one = course(`subscription ${subscription} of ${subscriber}`);
        for (const event of events) one.add(event);
      }
    })().catch((error: unknown) => problems.push(String(error)));

    const shared = pass({ topic, report, progress, stop });
    const crew = new Crew<Role>({
      fixture: 'queues/topic-storm.mjs',
      args: () => [shared, random(1_000_000)],
      groupOf: (role) => role,
      random,
      problems,
      count: () => count,
      longest: LONGEST,
    });
    const { members, killed } = crew;
    await crew.rage(KILLS, ['publisher', 'subscriber', 'publisher', 'subscriber']);
    stop.set();
    await crew.ended('publisher', `seed ${seed}`);
    topic.complete();
    await crew.ended('subscriber', `seed ${seed}`);
    await watched;
    report.complete();
    await reading;

    const [numbers, keys] = [new Map<string, number>(), new Map<number, string>()];
    let open = [...courses.values()];
    for (let before = -1; before !== open.length; ) {
      before = open.length;
      open = open.filter((one) => !one.settle(numbers, keys));
    }
    const total = own.end!;
    for (const one of courses.values())
      if ((one.end ?? 0) > total) problems.push(`${one.name} went on to ${one.end}, of ${total} items`);
    let held = 0;
    for (const { role, number } of members) {
      if (role !== 'publisher') continue;
      const published = Atomics.load(progress.array as Int32Array, number);
      const seen = [...numbers]
        .filter(([key]) => key.startsWith(`${number}:`))
        .map(([key, at]) => [Number(key.split(':')[1]), at] as const);
      seen.sort(([a], [b]) => a - b);
      held += published;
      for (const [i, [seq, at]] of seen.entries()) {
        if (seq > published + (killed.has(number) ? AT_ONCE : 0))
          problems.push(`item ${number}:${seq} was never published`);
        if (i > 0 && at <= seen[i - 1]![1]) problems.push(`item ${number}:${seq} came before ${seen[i - 1]![0]}`);
      }
      if (lag === 'block') {
        const last = seen.at(-1)?.[0] ?? 0;
        if (seen.length !== last || last < published)
          problems.push(`of ${number} came ${seen.length} items up to ${last}, of ${published}`);
      }
    }
    const most = held + 1 + AT_ONCE * killed.size;
    if (total < held + 1 || total > most) problems.push(`${total} items have a number, of ${held + 1} to ${most}`);
    const gone = total - keys.size;
    if (lag === 'block' && gone > 0) problems.push(`${gone} items are missing`);
    console.info(
      `${lag}: ${total} items, ${killed.size} killed, ${courses.size} subscriptions, ${open.length} with no place, nobody saw ${gone}`,
    );
    expect(problems.slice(0, 10), `seed ${seed}`).toEqual([]);
    await until(() => topic.subscribers === 0, 'the end of the dead subscriptions');
    topic.close();
    report.close();
  },
  LONGEST + 30_000,
);
