/**
 * Every order of steps over the real words of queues: producers and consumers of one small ring who may die at any step, and those who sleep
 * on its word. The two locks are modelled: one agent at a time, and a dead owner's lock goes to who finds out.
 */
import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { describe, expect, it, vi } from 'vitest';
import { ITEM_RING_WORDS, ItemRing } from '../../src/queues/queue/item-ring.js';
import { type Agent, explore, type Report, type Scenario } from '../support/explorer.js';
import { clock, rewrittenQueues } from '../support/rewritten-queues.js';

// A search takes seconds, on a busy machine many; it ends by itself at its limit of states.
vi.setConfig({ testTimeout: 300_000 });

const CAPACITY = 128;
const DATA = 4 * (Math.ceil(ITEM_RING_WORDS / 16) * 16 + 16);
/** Words of the locks. */
const PRODUCERS = DATA / 4 - 16;
const CONSUMERS = PRODUCERS + 1;
/** Whether a consumer has found the ring empty. */
const OVER = PRODUCERS + 2;
const KIND = 1;

type Step = Generator<any, any, any>;

/** Memory of a ring in which cursors start at `start` and `filled` items lie. */
function ringMemory(start: number, filled: number): { buffer: ArrayBuffer; control: Int32Array; bytes: Uint8Array } {
  const buffer = new ArrayBuffer(DATA + CAPACITY);
  const control = new Int32Array(buffer, 0, DATA / 4);
  const bytes = new Uint8Array(buffer, DATA, CAPACITY);
  // TAIL, NEXT: version, position, count; HEAD.
  for (const word of [1, 16 + 1, 32]) control[word] = start;
  const ring = new ItemRing(control, 0, bytes);
  for (let id = 0; id < filled; id++) {
    strictEqual(ring.reserve(16) >= 0, true);
    ring.publish(KIND, id);
  }
  return { buffer, control, bytes };
}

interface Locks {
  /** `state` is all that the agent's further course depends on. */
  lock(word: number, ...state: unknown[]): Step;
  unlock(word: number): Step;
}

function locks(control: Int32Array, names: readonly string[], me: number): Locks {
  return {
    *lock(word, ...state) {
      for (;;) {
        yield ['at', 'locks', ...state];
        const owner = yield ['compareExchange', control, word, 0, me];
        if (owner === 0) return;
        if (!(yield ['dead', names[owner - 1]])) yield ['sleep'];
        else if ((yield ['compareExchange', control, word, owner, me]) === owner) return;
      }
    },
    *unlock(word) {
      yield ['store', control, word, 0];
      for (const other of names) if (other !== names[me - 1]) yield ['ring', other];
    },
  };
}

function* nothing(): Step {}

/**
 * Consumers of `items` items that lie there; one of them may give its first claim back. With `after` the others begin when that one has ended
 * or is known to have died: all that a death can leave is found then, in far fewer states.
 */
function claiming(
  protocol: Record<string, any>,
  items: number,
  consumers: readonly string[],
  leaver?: string,
  after?: string,
): Scenario {
  const { buffer, control, bytes } = ringMemory(0, items);
  const finished = new Map(consumers.map((name) => [name, [] as number[]]));
  function* consume(name: string): Agent {
    const me = consumers.indexOf(name) + 1;
    const { lock, unlock } = locks(control, consumers, me);
    const ring = new protocol['ItemRing'](control, 0, bytes);
    const mine = finished.get(name)!;
    let leaving = name === leaver;
    while (after !== undefined && name !== after && (yield ['load', control, OVER]) === 0 && !(yield ['dead', after])) {
      yield ['sleep'];
      yield ['at', 'waits'];
    }
    for (;;) {
      yield ['at', leaving, mine];
      const claimed: number[] = [];
      yield* lock(CONSUMERS, leaving, mine);
      yield ['at', 'inside', leaving, mine];
      yield* ring.sweep(nothing);
      yield ['at', 'swept', leaving, mine];
      yield* ring.claim(me, 1, claimed);
      yield ['at', 'claimed', leaving, mine, claimed];
      if (claimed.length === 0) {
        yield* ring.reclaim(function* (agent: number): Step {
          return agent !== me && (yield ['dead', consumers[agent - 1]]);
        });
        yield ['at', 'reclaimed', leaving, mine];
        yield* ring.claim(me, 1, claimed);
      }
      const over = claimed.length === 0 && !(yield* ring.occupied());
      if (leaving && claimed.length > 0) {
        leaving = false;
        yield* ring.giveBack(claimed);
        claimed.length = 0;
        yield* unlock(CONSUMERS);
        continue;
      }
      yield ['at', 'decided', leaving, mine, claimed, over];
      yield* unlock(CONSUMERS);
      yield ['at', 'outside', leaving, mine, claimed, over];
      if (over) {
        yield ['store', control, OVER, 1];
        for (const other of consumers) if (other !== name) yield ['ring', other];
        return;
      }
      const [position] = claimed;
      if (position === undefined) {
        yield ['sleep'];
        continue;
      }
      const id = yield* ring.idOf(position);
      yield* ring.finish(position);
      mine.push(id);
      for (const other of consumers) if (other !== name) yield ['ring', other];
    }
  }
  return {
    memory: buffer,
    agents: Object.fromEntries(consumers.map((name) => [name, consume(name)])),
    end() {
      deepStrictEqual(
        [...finished.values()].flat().sort(),
        Array.from({ length: items }, (_, id) => id),
      );
      const ring = new ItemRing(control, 0, bytes);
      deepStrictEqual([ring.size, ring.ready], [0, false]);
    },
  };
}

/** A producer of `items` items and a consumer, in a ring that holds fewer. */
function passing(protocol: Record<string, any>, items: number, start: number): Scenario {
  const { buffer, control, bytes } = ringMemory(start, 0);
  const names = ['producer', 'consumer'];
  const finished: number[] = [];
  let published = 0;
  function* produce(): Agent {
    const { lock, unlock } = locks(control, names, 1);
    const ring = new protocol['ItemRing'](control, 0, bytes);
    for (let id = 0; id < items; id++) {
      for (;;) {
        yield ['at', id];
        yield* lock(PRODUCERS, id);
        yield ['at', 'inside', id];
        const at = yield* ring.reserve(16 + 8 * (id % 3));
        if (at >= 0) {
          yield ['write', ring.words, at >> 2, 0x1000 + id];
          yield* ring.publish(KIND, id);
          published++;
        }
        yield* unlock(PRODUCERS);
        if (at >= 0) break;
        if (yield ['dead', 'consumer']) return;
        yield ['sleep'];
      }
    }
  }
  function* consume(): Agent {
    const { lock, unlock } = locks(control, names, 2);
    const ring = new protocol['ItemRing'](control, 0, bytes);
    for (;;) {
      yield ['at', finished];
      const dead = yield ['dead', 'producer'];
      const claimed: number[] = [];
      yield* lock(CONSUMERS, finished, dead);
      yield* ring.sweep(nothing);
      yield* ring.claim(2, 2, claimed);
      yield* unlock(CONSUMERS);
      yield ['at', 'outside', finished, dead, claimed];
      for (const position of claimed) {
        strictEqual(yield* ring.idOf(position), finished.length, 'out of order');
        strictEqual(yield ['read', ring.words, ring.startOf(position) >> 2], 0x1000 + finished.length, 'damaged');
        yield* ring.finish(position);
        finished.push(finished.length);
      }
      if (finished.length === items || (dead && claimed.length === 0)) return;
      if (claimed.length === 0) yield ['sleep'];
    }
  }
  return {
    memory: buffer,
    atomicBelow: DATA,
    agents: { producer: produce(), consumer: consume() },
    invariant() {
      const ring = new ItemRing(control, 0, bytes);
      ok(ring.free >= 0 && ring.free <= CAPACITY, `${ring.free} bytes are free`);
      ok(ring.size <= items);
    },
    end(dead) {
      const ring = new ItemRing(control, 0, bytes);
      const left = ring.size;
      if (dead.has('consumer')) {
        // Whoever reads next finds what the dead one had not finished: what it had claimed, and the rest, in order.
        const rest: number[] = [];
        ring.reclaim((agent) => agent === 2);
        ring.claim(3, items, rest);
        const first = items - (items - published) - rest.length;
        deepStrictEqual(
          rest.map((position) => ring.idOf(position)),
          Array.from({ length: rest.length }, (_, i) => first + i),
        );
        ok(first === finished.length || first === finished.length + 1, `${finished.length} finished, ${first} is next`);
      } else {
        strictEqual(left, 0);
        strictEqual(finished.length, ring.puts);
        if (dead.size === 0) strictEqual(finished.length, items);
      }
    },
  };
}

/** Sleepers on the word and those who wake them: `puts` items for as many takers. */
function waiting(
  protocol: Record<string, any>,
  courses: Readonly<Record<string, { impatient?: boolean }>>,
  puts: readonly number[],
): Scenario {
  const memory = new ArrayBuffer(16);
  const words = new Int32Array(memory);
  const [WORD, ITEMS] = [0, 1];
  function* take(): Step {
    for (;;) {
      const items = yield ['load', words, ITEMS];
      if (items === 0) return false;
      if ((yield ['compareExchange', words, ITEMS, items, items - 1]) === items) return true;
    }
  }
  function* taker(course: { impatient?: boolean }): Agent {
    let left = course.impatient === true ? 1 : 0;
    let now = 0;
    const cell = {
      *waitSync(expected: number): Step {
        const outcome = yield ['wait', words, WORD, expected, left > 0 ? 10 : Number.POSITIVE_INFINITY];
        if (outcome === 'timed-out' && left > 0) {
          left--;
          now += 10;
        }
        yield ['at', outcome, left, now];
        clock.now = now;
        return outcome;
      },
    };
    // As Waiters: who succeeds after sleeping passes on what is left.
    function* attempt(urgency: number): Step {
      if (!(yield* take())) return false;
      if (urgency === 0) return true;
      yield* protocol['keepWaiters'](words, WORD);
      if ((yield ['load', words, ITEMS]) > 0) yield ['notify', words, WORD, 1];
      return true;
    }
    const gate = {
      announce: () => protocol['announceWaiter'](words, WORD),
      *withdraw(): Step {
        yield* protocol['keepWaiters'](words, WORD);
        yield ['notify', words, WORD, 1];
      },
      *checkPeers() {},
    };
    clock.now = 0;
    if (yield* attempt(0)) return;
    clock.now = now;
    yield* protocol['sleepUntil'](cell, gate, attempt, course.impatient === true ? 10 : Number.POSITIVE_INFINITY);
  }
  function* putter(): Agent {
    for (const [i, count] of puts.entries()) {
      yield ['at', i];
      yield ['add', words, ITEMS, count];
      if (yield* protocol['claimWakeUp'](words, WORD)) yield ['notify', words, WORD, count];
    }
  }
  const agents: Record<string, Agent> = { putter: putter() };
  for (const [name, course] of Object.entries(courses)) agents[name] = taker(course);
  return { memory, agents };
}

const real = rewrittenQueues();
const claims = (items: number): Report => explore(() => claiming(real, items, ['a', 'b']), { races: false });
const deaths = (items: number, leaver?: string, protocol = real): Report =>
  explore(() => claiming(protocol, items, ['a', 'b'], leaver, 'a'), { races: false, crash: ['a'] });
const many = (title: string, report: Report): void => {
  console.log(`${title}: ${report.states} states, ${report.schedules} schedules of up to ${report.longest} steps`);
  expect(report.states).toBeGreaterThan(50);
};

describe('consumers of a ring, in every order of steps', () => {
  it('finish each item once', () => many('two consumers', claims(1)));

  it('may die at any step: the next one finishes what it had not', () => many('a death', deaths(3)));

  it('may die while they give back a claim: the item is not lost', () =>
    many('a death in giving back', deaths(2, 'a')));

  it.each([
    [
      'a claim that is in force before it has a name',
      {
        file: 'queues/queue/item-ring',
        from: 'Atomics.store(this.words, this.#word(position) + 3, agent);\n      into',
        to: 'into',
      },
    ],
    [
      'RETURNED that goes up after the records',
      {
        file: 'queues/queue/item-ring',
        from: `    Atomics.add(this.#control, this.#at + RETURNED, positions.length);
    for (const position of positions) Atomics.store(this.words, this.#word(position) + 3, READY);`,
        to: `    for (const position of positions) Atomics.store(this.words, this.#word(position) + 3, READY);
    Atomics.add(this.#control, this.#at + RETURNED, positions.length);`,
      },
    ],
    [
      'a sweep over what is claimed',
      { file: 'queues/queue/item-ring', from: '!== DONE) break', to: '=== READY) break' },
    ],
    [
      'a cursor whose numbers change one by one',
      {
        file: 'queues/shared/cursor',
        from: 'const pair = this.#at + 1 + 2 * (next & 1);',
        to: 'const pair = this.#at + 1 + 2 * (~next & 1);',
      },
    ],
  ])('%s is caught', (_, mutation) => {
    const mutant = rewrittenQueues(mutation);
    expect(() => deaths(2, 'a', mutant)).toThrow(/waits for ever|wrong end|went on/);
  });
});

describe('a producer and a consumer, in every order of steps', () => {
  const starts: readonly (readonly [string, number])[] = [
    ['from the beginning', 0],
    ['past 2^32', 2 ** 32 - 48],
  ];
  it.each(starts)('hand over each item whole and in order (%s)', (title, start) => {
    many(
      title,
      explore(() => passing(real, 4, start), { races: false }),
    );
  });

  it.each(['producer', 'consumer'])('may die at any step (%s)', (name) => {
    many(
      `death of the ${name}`,
      explore(() => passing(real, 2, 112), { crash: [name], races: false }),
    );
  });

  it.each([
    [
      'a record that is published before its words',
      {
        file: 'queues/queue/item-ring',
        from: `    const word = this.#reserved >> 2;
`,
        to: `    this.#tail.move((this.reservedPosition + recordBytes(this.#length)) | 0, (this.#tail.count + 1) | 0);
    const word = this.#reserved >> 2;
`,
      },
    ],
    [
      'room that is taken before it is free',
      { file: 'queues/queue/item-ring', from: '>>> 0) < need) return -1;', to: '>>> 0) < 0) return -1;' },
    ],
  ])('%s is caught', (_, mutation) => {
    const mutant = rewrittenQueues(mutation);
    expect(() => explore(() => passing(mutant, 5, 0))).toThrow();
  });
});

describe('sleepers on the word of a queue', () => {
  it.each([
    ['one item, one sleeper', { a: {} }, [1]],
    ['a burst for both', { a: {}, b: {} }, [2]],
    ['one that gives up', { a: {}, b: { impatient: true } }, [2]],
  ] as [string, Record<string, { impatient?: boolean }>, number[]][])(
    '%s: nobody sleeps on while there is something',
    (title, courses, puts) => {
      many(
        title,
        explore(() => waiting(real, courses, puts), { races: false }),
      );
    },
  );

  it.each([
    [
      'a sleeper that does not announce itself',
      {
        file: 'memory/waiting/sleeper-bits',
        from: 'Atomics.or(words, at, bits) | bits;',
        to: 'Atomics.load(words, at);',
      },
    ],
    [
      'a taker that forgets the others',
      {
        file: 'queues/shared/wait-word',
        from: '  announceSleeper(words, at, WAITERS);\n}\n',
        to: '  announceSleeper(words, at, 0);\n}\n',
      },
    ],
  ])('%s is caught', (_, mutation) => {
    const protocol = rewrittenQueues(mutation);
    expect(() => explore(() => waiting(protocol, { a: {}, b: {} }, [1, 1]), { races: false })).toThrow(
      /waits for ever/,
    );
  });
});
