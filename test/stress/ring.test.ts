/**
 * Links between real processes under load, and under SIGKILL at random moments.
 *
 * STRESS_ROUNDS multiplies the short form that runs in CI; STRESS_SEED repeats a run.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { Link, LinkSide, linkBytes, Region } from '../../src/memory/index.js';
import { Course, dawdle, randomOf } from '../fixtures/memory/course.mjs';
import { startFixture } from '../support/fixture-process.js';

const rounds = Number(process.env['STRESS_ROUNDS'] ?? 1);
const seed = Number(process.env['STRESS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const random: (below: number) => number = randomOf(seed);
console.log(`STRESS_SEED=${seed}`);

/** A child that says nothing for so long hangs: a doorbell was lost. */
const WATCHDOG = 30_000;

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

function resources(capacity: number) {
  const region = Region.create(linkBytes(capacity), 'storm');
  const bells = Link.createBells();
  const close = () => {
    Link.closeBells(bells);
    region.close();
  };
  return { region, bells, fds: [region.descriptor, bells.parent, bells.worker], close };
}

/** Starts both cursors of both rings near their wrap-around. */
function age(region: Region, capacity: number): void {
  const start = 2 ** 32 - capacity;
  for (const ring of [4096, 4096 + linkBytes(capacity) - 4096 - (linkBytes(capacity) - 4096) / 2]) {
    const control = new Int32Array(region.buffer, ring, 64);
    control[0] = start;
    control[16] = start;
  }
}

async function within<T>(what: string, result: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const watchdog = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing for ${WATCHDOG} ms (STRESS_SEED=${seed})`)), WATCHDOG);
  });
  try {
    return await Promise.race([result, watchdog]);
  } finally {
    clearTimeout(timer);
  }
}

describe('two processes', () => {
  it.each([1 << 12, 1 << 14, 1 << 18])(
    'exchange messages of all sizes in both directions at once, over rings of %i bytes',
    { timeout: 120_000 * rounds },
    async (capacity) => {
      for (let round = 0; round < rounds; round++) {
        const { region, fds, close } = resources(capacity);
        open.push(close);
        age(region, capacity);
        const [down, up] = [random(2 ** 31), random(2 ** 31)];
        const [downCount, upCount] = [60_000 + random(20_000), 60_000 + random(20_000)];
        const parent = startFixture('memory/storm.mjs', {
          args: [LinkSide.Parent, capacity, down, downCount, up, upCount],
          fds,
        });
        const worker = startFixture('memory/storm.mjs', {
          args: [LinkSide.Worker, capacity, up, upCount, down, downCount],
          fds,
        });
        expect(await within(`seeds ${down} and ${up}`, Promise.all([parent.ended, worker.ended]))).toEqual([0, 0]);
      }
    },
  );

  it('hand one message back and forth and lose no ring of a bell', { timeout: 120_000 * rounds }, async () => {
    const capacity = 1 << 12;
    const { region, bells, fds, close } = resources(capacity);
    open.push(close);
    const count = 20_000 * rounds;
    const echo = startFixture('memory/echo.mjs', { args: [capacity], fds });
    let sent = 0;
    let done!: () => void;
    let beat = 0;
    const all = new Promise<void>((resolve) => {
      done = resolve;
    });
    const nothing = { total: 0, layout: () => {} };
    const link = new Link(region, capacity, LinkSide.Parent, bells, () => {
      do {
        while (link.receive()) {
          expect(link.id).toBe(sent);
          link.release();
          beat++;
          if (++sent === count) {
            done();
            return;
          }
          dawdle();
          link.send(1, sent, 0, nothing);
          link.wake();
        }
        dawdle();
      } while (!link.sleep());
    });
    open.unshift(() => link.close());
    link.sleep();
    link.send(1, 0, 0, nothing);
    link.wake();
    for (let before = -1; sent < count; ) {
      expect(beat, `it hangs after ${sent} messages (STRESS_SEED=${seed})`).not.toBe(before);
      before = beat;
      await Promise.race([all, new Promise((done) => setTimeout(done, 5_000))]);
    }
    expect(sent).toBe(count);
    echo.child.kill('SIGKILL');
    await echo.ended;
  });
});

describe('a kill at any moment', () => {
  const kills = 50 * rounds;
  /** After how many messages: a few, or so many that both sides are in full swing. */
  const moment = () => (random(3) === 0 ? random(5) : random(4_000));

  it('of a writer leaves whole, correct messages, in order, and perhaps one that never comes', {
    timeout: 60_000 * (rounds + 1),
  }, async () => {
    let total = 0;
    for (let round = 0; round < kills; round++) {
      const capacity = 1 << (9 + random(6));
      const { region, bells, fds, close } = resources(capacity);
      age(region, capacity);
      const course = random(2 ** 31);
      const expected = new Course(course, capacity);
      let received = 0;
      let failure: unknown;
      const drain = () => {
        try {
          do {
            while (link.receive()) {
              expected.next().check(link, received);
              link.release();
              received++;
              if (received === last) writer.child.kill('SIGKILL');
            }
          } while (!link.sleep());
        } catch (error) {
          failure ??= error;
        }
      };
      const last = 1 + moment();
      const link = new Link(region, capacity, LinkSide.Parent, bells, drain);
      drain();
      const writer = startFixture('memory/endless-writer.mjs', { args: [capacity, course], fds });
      try {
        expect(await within(`round ${round}`, writer.line())).toBe('sending');
        expect(await within(`round ${round}`, writer.ended)).toBe('SIGKILL');
        // What it published before it died is all there.
        drain();
        expect(failure, `round ${round}, course ${course}, capacity ${capacity}, STRESS_SEED=${seed}`).toBeUndefined();
        expect(link.ready).toBe(false);
      } finally {
        link.close();
        close();
      }
      total += received;
    }
    console.log(`${kills} writers were killed after ${total} messages`);
    expect(total).toBeGreaterThan(0);
  });

  it('of a reader leaves the writer able to go on with the next one', { timeout: 60_000 * (rounds + 1) }, async () => {
    let total = 0;
    for (let round = 0; round < kills; round++) {
      const capacity = 1 << (9 + random(6));
      const { region, bells, fds, close } = resources(capacity);
      age(region, capacity);
      const course = random(2 ** 31);
      const messages = new Course(course, capacity);
      const last = 1 + moment();
      let sent = 0;
      // It is killed when all is sent, while it reads the last of it.
      const fill = () => {
        for (link.flush(); link.writable && sent < last; sent++) {
          link.send(1 + (sent & 0xfff), sent, ~sent, messages.next());
          link.wake();
        }
        if (sent === last && link.writable) reader.child.kill('SIGKILL');
      };
      const link = new Link(region, capacity, LinkSide.Parent, bells, fill);
      const reader = startFixture('memory/endless-reader.mjs', { args: [capacity, course], fds });
      const worker = () => new Link(region, capacity, LinkSide.Worker, bells, () => {});
      let heir: Link | undefined;
      try {
        expect(await within(`round ${round}`, reader.line())).toBe('reading');
        fill();
        expect(await within(`round ${round}`, reader.ended)).toBe('SIGKILL');
        // The heir reads on where the dead one stopped: whole messages in their order, up to the last one sent.
        heir = worker();
        let next = -1;
        const end = sent;
        while (next < end - 1) {
          if (!heir.receive()) {
            // The dead reader may have had the first parts of a message, whose rest nobody can use.
            if (link.writable) break;
            link.flush();
            continue;
          }
          if (next >= 0) expect(heir.id).toBe(next + 1);
          next = heir.id;
          expect(heir.kind).toBe(1 + (next & 0xfff));
          expect(heir.state).toBe(~next);
          heir.release();
        }
        expect(link.flush()).toBe(true);
        expect(link.writable).toBe(true);
        link.send(4095, 7, 7, { total: 3, layout: (target, at) => target.set([1, 2, 3], at) });
        link.wake();
        expect(heir.receive()).toBe(true);
        expect([...heir.source.subarray(heir.start, heir.end)]).toEqual([1, 2, 3]);
        heir.release();
        total += end;
      } finally {
        heir?.close();
        link.close();
        close();
      }
    }
    console.log(`${kills} readers were killed amid ${total} messages`);
  });
});
