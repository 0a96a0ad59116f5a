/**
 * Every order of steps over the real words of topics: a publisher and a subscriber of one small ring, with a slot or two for large items. One of
 * them may die at any step; the other one begins then, which finds all that a death can leave in far fewer states. The lock is modelled.
 */
import { ok, strictEqual } from 'node:assert';
import { describe, expect, it, vi } from 'vitest';
import { RecordKind } from '../../src/queues/shared/item-memory.js';
import { LAGS, type Lag } from '../../src/queues/topic-options.js';
import { type Agent, explore, type Report, type Scenario } from '../support/explorer.js';
import { alone, newGround, rewrittenMemories } from '../support/rewritten-queues.js';

// A search takes seconds, on a busy machine many; it ends by itself at its limit of states.
vi.setConfig({ testTimeout: 300_000 });

const CAPACITY = 128;
const HANDLE = { ino: 'attached' };

interface Course {
  readonly lag: Lag;
  readonly items: number;
  readonly maxSize?: number;
  readonly large?: boolean;
  /** Who may die; the other one begins after it. */
  readonly dies?: 'p' | 's';
}

/** A publisher `p` and a subscriber `s` that checks what it sees. Item `i` of p is 100 + i; what s publishes after p's death is 200. */
function topic(protocol: Record<string, any>, { lag, items, maxSize = 0, large = false, dies }: Course): Scenario {
  const names = ['p', 's'];
  const { memory, words, board } = newGround(256, names);
  const settings = { replay: 0, capacity: CAPACITY, maxSize, lag: LAGS.indexOf(lag), completeOnLoss: false };
  const last = new protocol['TopicMemory'](settings);
  // Subscribed before anything is published, so that it must see, or miss, all of it.
  const slot: number = alone(last.subscribe('the test'));
  words[words.indexOf(names.length + 1)] = 2;
  let next = 0;
  const first = dies === 's' ? 1 : 0;
  if (first === 1) alone(one(last, 100));

  function* others(name: string): Agent {
    for (const other of names) if (other !== name) yield ['ring', other];
  }

  function* place(it: any, id: number): Generator<any, number, any> {
    for (;;) {
      yield ['at', 'takes', id];
      let slot: number = yield* it.takeLarge(4);
      if (slot < 0) {
        yield* it.reclaim();
        slot = yield* it.takeLarge(4);
      }
      if (slot >= 0) {
        yield ['at', 'writes', id, slot];
        yield* it.large.withMemory(slot, 4, (bytes: Uint8Array) => {
          new Int32Array(bytes.buffer)[0] = id;
        });
        return slot;
      }
      yield ['at', 'finds no slot', id];
      yield ['sleep'];
    }
  }

  function* one(it: any, id: number): Agent {
    const slot = large ? yield* place(it, id) : 0;
    const payload = {
      *layout(target: Uint8Array, offset: number): Agent {
        if (large) new Float64Array(target.buffer, target.byteOffset + offset, 1)[0] = 4;
        else
          yield [
            dies === 'p' ? 'store' : 'write',
            new Int32Array(target.buffer, target.byteOffset, CAPACITY >> 2),
            offset >> 2,
            id,
          ];
      },
    };
    for (;;) {
      yield ['at', 'publishes', id, slot];
      if (yield* it.append(large ? RecordKind.Large : RecordKind.Item, slot, 8, payload)) return;
      yield* it.reclaim();
      yield ['at', 'tries again', id, slot];
      if (yield* it.append(large ? RecordKind.Large : RecordKind.Item, slot, 8, payload)) return;
      yield ['at', 'waits', id, slot];
      yield ['sleep'];
    }
  }

  /** Waits until the one that may die has ended, somehow. */
  function* after(): Agent {
    if (dies === undefined) return;
    while ((yield ['load', board, 0]) === 0 && !(yield ['dead', dies])) {
      yield ['sleep'];
      yield ['at', 'is not there yet'];
    }
  }

  function* over(name: string): Agent {
    yield ['store', board, 0, 1];
    yield* others(name);
  }

  function* publish(): Agent {
    const it = new protocol['TopicMemory'](HANDLE);
    if (dies === 's') yield* after();
    for (let i = first; i < items; i++) {
      yield* one(it, 100 + i);
      yield ['at', 'published', i];
      yield* others('p');
    }
    if (dies !== 's') yield* over('p');
  }

  function* subscribe(): Agent {
    const it = new protocol['TopicMemory'](HANDLE);
    let before = 0;
    let own = dies === 'p';
    if (own) yield* after();
    for (;;) {
      if (own && lag !== 'block') {
        own = false;
        yield* one(it, 200);
      }
      yield ['at', before, next, own];
      const ended = dies === 's' || (yield ['load', board, 0]) === 1 || (yield ['dead', 'p']);
      yield ['at', 'looks', before, next, own, ended];
      if (!(yield* it.behind(slot, 0))) {
        if (own) {
          own = false;
          yield* one(it, 200);
        } else if (ended) break;
        else yield ['sleep'];
        continue;
      }
      yield ['at', 'reads', before, next, own];
      const { items: found, gap } = yield* it.read(slot, 2, 1_000);
      if (gap !== null) {
        ok(lag !== 'block', 'a gap');
        strictEqual(gap.from, next);
        next += gap.count;
      }
      for (const bytes of found as Uint8Array[]) {
        const id = new Int32Array(bytes.buffer, bytes.byteOffset, 1)[0]!;
        ok(id > before && (id === 200 || id === 100 + next), `number ${next} is ${id}, after ${before}`);
        before = id;
        next++;
      }
      if (lag === 'block')
        for (let left = found.length; left > 0; left--) {
          yield ['at', 'passes', before, next, own, left];
          yield* it.passed(slot);
          yield* others('s');
        }
    }
    yield* it.subscribers.leave(slot);
    yield* others('s');
    if (dies === 's') yield* over('s');
  }

  return {
    memory,
    agents: { p: publish(), s: subscribe() },
    end(dead) {
      const published = countOf(last, slot);
      if (dies !== 's') strictEqual(next, published);
      if (!dead.has('p')) strictEqual(published, items + (dies === 'p' ? 1 : 0));
      // Of what the dead had nothing is in the way of who comes then.
      alone(last.reclaim());
      alone(last.sweep());
      if (large)
        for (let i = 0; i < slotsOf(lag) - (lag === 'latest' ? 1 : 0); i++)
          ok(alone(last.takeLarge(4)) >= 0, 'a slot is lost');
    },
  };
}

/** A publisher of two items, of which a subscriber takes the first; one that takes nothing may be one behind. */
function twoSubscribers(protocol: Record<string, any>): Scenario {
  const names = ['p', 's'];
  const { memory, words, board } = newGround(256, names);
  const settings = { replay: 0, capacity: CAPACITY, maxSize: 1, lag: LAGS.indexOf('block'), completeOnLoss: false };
  const last = new protocol['TopicMemory'](settings);
  const slot: number = alone(last.subscribe('the test'));
  const idle: number = alone(last.subscribe('the test'));
  words[slot] = 2;
  words[idle] = names.length + 2;
  const payload = { *layout(): Agent {} };

  function* publish(): Agent {
    const it = new protocol['TopicMemory'](HANDLE);
    ok(yield* it.append(RecordKind.Item, 0, 8, payload), 'no room for the first item');
    yield ['store', board, 0, 1];
    yield ['ring', 's'];
    ok(!(yield* it.append(RecordKind.Item, 0, 8, payload)), 'a subscriber is too far behind');
    ok(!(yield* it.mayFit(8)), 'a look finds room where there is none');
  }

  function* subscribe(): Agent {
    const it = new protocol['TopicMemory'](HANDLE);
    while ((yield ['load', board, 0]) === 0) {
      yield ['sleep'];
      yield ['at', 'has nothing yet'];
    }
    yield* it.read(slot, 2, 1_000);
    yield ['at', 'passes'];
    yield* it.passed(slot);
  }

  return {
    memory,
    agents: { p: publish(), s: subscribe() },
    end: () => strictEqual(alone(last.behind(slot, 0)), false),
  };
}

/** Items that were ever published. */
function countOf(memory: any, slot: number): number {
  alone(memory.subscribers.move(slot, 0, 0));
  for (let count = 0; ; count++) if (!alone(memory.behind(slot, count))) return count;
}

/** Where the newest item stays it needs a slot of its own. */
const slotsOf = (lag: Lag): number => (lag === 'block' ? 1 : 2);

const many = (title: string, report: Report): void => {
  console.log(`${title}: ${report.states} states, ${report.schedules} schedules of up to ${report.longest} steps`);
  expect(report.states).toBeGreaterThan(50);
};
const run = (course: Course, mutation?: Parameters<typeof rewrittenMemories>[0]['mutation']): Report => {
  const protocol = rewrittenMemories({
    slots: slotsOf(course.lag),
    plain: course.dies !== 'p',
    ...(mutation && { mutation }),
  });
  return explore(() => topic(protocol, course), {
    races: false,
    crash: course.dies === undefined ? [] : [course.dies],
  });
};
const LAG: readonly Lag[] = ['block', 'drop-oldest', 'latest'];

describe('in every order of steps a subscriber', () => {
  it.each(LAG)('sees each item in order, or has a gap for it (lag: %s)', (lag) => {
    many(lag, run({ lag, items: 2, maxSize: 1 }));
  });

  it.each(LAG)('sees what large items hold, or has a gap for them (lag: %s)', (lag) => {
    many(`large, ${lag}`, run({ lag, items: 2, large: true }));
  });

  it.each(LAG)('may die at any step without keeping a publisher waiting (lag: %s)', (lag) => {
    many(`death of the subscriber, ${lag}`, run({ lag, items: 3, maxSize: 1, dies: 's' }));
    many(`death of the subscriber of large items, ${lag}`, run({ lag, items: 3, large: true, dies: 's' }));
  });
});

describe('a subscriber that goes on', () => {
  const explored = (mutation?: Parameters<typeof rewrittenMemories>[0]['mutation']): Report => {
    const protocol = rewrittenMemories({ slots: 1, plain: true, ...(mutation && { mutation }) });
    return explore(() => twoSubscribers(protocol), { races: false });
  };

  it('lets no publisher pass another one that does not', () => {
    many('two subscribers', explored());
  });

  it.each([
    [
      'a count that moves before its position',
      `    Atomics.store(this.#words, slot + 1, position);
    Atomics.store(this.#words, slot + 2, count);
`,
      `    Atomics.store(this.#words, slot + 2, count);
    Atomics.store(this.#words, slot + 1, position);
`,
    ],
    [
      'a count that is read after its position',
      `    const count = Atomics.load(this.#words, slot + 2);
    return [Atomics.load(this.#words, slot + 1), count];
`,
      `    const position = Atomics.load(this.#words, slot + 1);
    return [position, Atomics.load(this.#words, slot + 2)];
`,
    ],
  ])('would, with %s', (_, from, to) => {
    expect(() => explored({ file: 'queues/topic/subscribers', from, to })).toThrow(/too far behind|finds room/);
  });
});

describe('a publisher that dies at any step', () => {
  it.each(LAG)('leaves no half record (lag: %s)', (lag) => {
    many(`death of the publisher, ${lag}`, run({ lag, items: 4, maxSize: lag === 'block' ? 0 : 2, dies: 'p' }));
  });

  it.each(LAG)('leaves no large item that is not whole, and loses no slot (lag: %s)', (lag) => {
    many(
      `death of the publisher of large items, ${lag}`,
      run({ lag, items: lag === 'block' ? 1 : 3, large: true, dies: 'p' }),
    );
  });
});

describe('the search finds', () => {
  it.each<[string, { file: string; from: string; to: string }, Course]>([
    [
      'a record that is in force before it is written',
      {
        file: 'queues/topic/topic-memory',
        from: `      payload.layout(ring.bytes, ring.startOf(start), ring.words);
      if (kind === RecordKind.Large) this.large.bindSlot(id, start);
      ring.tail.move((start + size) | 0, (count + 1) | 0);
`,
        to: `      ring.tail.move((start + size) | 0, (count + 1) | 0);
      payload.layout(ring.bytes, ring.startOf(start), ring.words);
`,
      },
      { lag: 'block', items: 1, dies: 'p' },
    ],
    [
      'a publisher that passes a subscriber it should wait for',
      {
        file: 'queues/topic/topic-memory',
        from: 'slowest !== null && ((slowest[0] - position) | 0) <= 0',
        to: 'false',
      },
      { lag: 'block', items: 2, large: true },
    ],
    [
      'a subscriber that is waited for after its death',
      {
        file: 'queues/topic/subscribers',
        from: 'if (agent === 0 || !hasEnded(agent, LIVENESS_CHECK_MS / 2)) continue;',
        to: 'if (agent !== -1) continue;',
      },
      { lag: 'block', items: 3, maxSize: 1, dies: 's' },
    ],
    [
      'a gap that forgets what was skipped for the newest item',
      {
        file: 'queues/topic/topic-memory',
        from: 'const gap = count === from ? null',
        to: 'const gap = this.lag === "latest" ? null',
      },
      { lag: 'latest', items: 3, maxSize: 2 },
    ],
    [
      'a slot that is free before its record is gone',
      {
        file: 'queues/topic/topic-memory',
        from: `    ring.floor.move(ring.after(at), (count + 1) | 0);
    if (slot >= 0) this.large.releaseSwept(slot, at);
`,
        to: `    if (slot >= 0) this.large.releaseSwept(slot, at);
    ring.floor.move(ring.after(at), (count + 1) | 0);
`,
      },
      { lag: 'drop-oldest', items: 3, large: true, dies: 'p' },
    ],
    [
      'a slot that is lost between its record and its release',
      { file: 'queues/shared/large-items', from: ' || (head !== undefined && ((position - head) | 0) < 0)', to: '' },
      { lag: 'drop-oldest', items: 3, large: true, dies: 'p' },
    ],
    [
      'a slot that is lost with a record that never came',
      { file: 'queues/shared/large-items', from: '((position - tail) | 0) >= 0 || ', to: '' },
      { lag: 'block', items: 1, large: true, dies: 'p' },
    ],
  ])('%s', (_, mutation, course) => {
    expect(() => run(course, mutation)).toThrow(/wrong end|throws|waits for ever|data race/);
  });
});
