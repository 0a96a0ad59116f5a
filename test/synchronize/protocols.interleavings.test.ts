/**
 * Every order of steps of two and three agents over the real words of Lock, Semaphore and Event, and over the real blocking
 * wait: mutual exclusion, permits that add up, no lost wake-up, no waiter that waits for ever, also when one dies at any step.
 *
 * A wait ends by a time limit only where a scenario says so; so a lost wake-up shows as an agent that waits for ever. The
 * beat, by which real waiters look after dead owners, is an agent of its own: it ends all waits once the death is known.
 */
import { strictEqual } from 'node:assert';
import { describe, expect, it } from 'vitest';
import { type Agent, explore, type Report, type Scenario } from '../support/explorer.js';
import { clock, rewrittenProtocol } from '../support/rewritten-synchronize.js';
import type { Mutation } from '../support/source-text.js';

/** What an agent does beside taking and giving, `rounds` times. */
interface Course {
  readonly rounds?: number;
  /** Its first wait may run out: it gives up. */
  readonly impatient?: boolean;
  /** Its first wait may last so long that it is patient from then on. */
  readonly patient?: boolean;
}

const GUARDED = 2;
const ENDED = 3;
const PATIENT_AFTER_MS = 10;

/** Whether the living know of a death. */
interface Beat {
  known: boolean;
}

/** A cell whose waits end by time once, if at all. */
function cellOf(words: Int32Array, { impatient, patient }: Course, state: () => unknown, beat?: Beat) {
  let left = impatient || patient ? 1 : 0;
  let now = 0;
  return {
    get left() {
      return left;
    },
    enter() {
      clock.now = now;
    },
    *waitSync(expected: number): Generator<any, string, any> {
      const step = ['wait', words, 0, expected, left > 0 ? PATIENT_AFTER_MS : Number.POSITIVE_INFINITY] as const;
      // Once a death is known the beat ends any wait.
      const outcome = yield Object.defineProperty([...step], 4, {
        get: () => (left === 0 && beat?.known ? PATIENT_AFTER_MS : step[4]),
      });
      if (outcome === 'timed-out' && left > 0) {
        left--;
        now += PATIENT_AFTER_MS;
      }
      // All that its further course depends on, at the head of the loop of sleepUntil.
      yield ['at', outcome, state(), left, now];
      clock.now = now;
      return outcome;
    },
  };
}

function lockScenario(protocol: Record<string, any>, courses: Record<string, Course>, beat?: Beat): Scenario {
  const memory = new ArrayBuffer(16);
  const words = new Int32Array(memory);
  const names = Object.keys(courses);
  function* agent(name: string): Agent {
    const me = names.indexOf(name) + 1;
    const course = courses[name]!;
    let round = 0;
    const cell = cellOf(words, course, () => round, beat);
    function* notify(count?: number): Generator<any, void, any> {
      yield ['notify', words, 0, count];
    }
    const gate = {
      announce: (patient: boolean) => protocol['announce'](words, patient),
      *withdraw(): Generator<any, void, any> {
        if (yield* protocol['withdraw'](words)) yield* notify(1);
      },
      *checkPeers() {},
    };
    function* attempt(urgency: number): Generator<any, boolean, any> {
      if (yield* protocol['take'](words, me, urgency === 2, urgency === 0 ? 0 : protocol['WAITERS'])) return true;
      const owner = (yield ['load', words, 0]) & 0x3fffffff;
      const dead = owner !== 0 && owner !== me && (yield ['dead', names[owner - 1]]);
      return dead && (yield* protocol['takeOver'](words, owner, me));
    }
    for (; round < (course.rounds ?? 1); round++) {
      yield ['at', 'round', round, cell.left];
      let had = yield* protocol['takeFree'](words, me);
      if (!had) {
        cell.enter();
        had = yield* protocol['sleepUntil'](
          cell,
          gate,
          attempt,
          course.impatient ? PATIENT_AFTER_MS : Number.POSITIVE_INFINITY,
        );
      }
      if (!had) continue;
      // What the lock guards; damaged when an owner died inside.
      const died = yield ['load', words, protocol['DIED']];
      if (died === 1) yield ['store', words, GUARDED, 0];
      strictEqual(yield ['exchange', words, GUARDED, me], 0, 'two are inside');
      if (died === 1) yield ['store', words, protocol['DIED'], 0];
      strictEqual(yield ['exchange', words, GUARDED, 0], me, 'another one came in');
      if (yield* protocol['releaseAlone'](words, me)) continue;
      const word = yield* protocol['release'](words);
      if ((word & protocol['FAIR']) !== 0) yield* notify();
      else if ((word & protocol['WAITERS']) !== 0) yield* notify(1);
    }
  }
  const agents: Record<string, Agent> = Object.fromEntries(names.map((name) => [name, agent(name)]));
  return { memory, agents, end: () => strictEqual(words[0]! & 0x3fffffff, 0, 'it is still held') };
}

/** The beat of the living: ends all waits once it is known that `victim` died. */
function withBeat(scenario: Scenario, victim: string, known: Beat): Scenario {
  const words = new Int32Array(scenario.memory);
  const all = Object.keys(scenario.agents).length;
  function* ending(agent: Agent): Agent {
    yield* agent;
    yield ['add', words, ENDED, 1];
    yield ['ring', 'beat'];
  }
  function* beat(): Agent {
    for (;;) {
      yield ['sleep'];
      if (yield ['dead', victim]) break;
      if ((yield ['load', words, ENDED]) === all) return;
      yield ['at', 'asleep'];
    }
    known.known = true;
  }
  const agents = Object.entries(scenario.agents).map(([name, agent]) => [name, ending(agent)] as const);
  const { end: _, ...rest } = scenario;
  return { ...rest, agents: { ...Object.fromEntries(agents), beat: beat() } };
}

function semaphoreScenario(protocol: Record<string, any>, permits: number, courses: Record<string, Course>): Scenario {
  const memory = new ArrayBuffer(16);
  const words = new Int32Array(memory);
  words[0] = permits * protocol['PERMIT_UNIT'];
  function* agent(course: Course): Agent {
    let round = 0;
    const cell = cellOf(words, course, () => round);
    const gate = {
      announce: (patient: boolean) => protocol['announce'](words, patient),
      *withdraw(): Generator<any, void, any> {
        if (yield* protocol['withdraw'](words)) yield ['notify', words, 0, 1];
      },
      *checkPeers() {},
    };
    function* attempt(urgency: number): Generator<any, boolean, any> {
      const left = yield* protocol['take'](words, urgency === 2, urgency === 0 ? 0 : protocol['WAITERS'], 0);
      if (left > 0 && urgency !== 0) yield ['notify', words, 0, 1];
      return left >= 0;
    }
    for (; round < (course.rounds ?? 1); round++) {
      yield ['at', 'round', round, cell.left];
      let had = (yield* protocol['take'](words, false, 0, 0)) >= 0;
      if (!had) {
        cell.enter();
        had = yield* protocol['sleepUntil'](
          cell,
          gate,
          attempt,
          course.impatient ? PATIENT_AFTER_MS : Number.POSITIVE_INFINITY,
        );
      }
      if (!had) continue;
      const inside = (yield ['add', words, GUARDED, 1]) + 1;
      strictEqual(inside <= permits, true, `${inside} are inside`);
      yield ['sub', words, GUARDED, 1];
      const word = yield* protocol['give'](words, 1, protocol['MAX_PERMITS'], 0);
      if ((word & protocol['FAIR']) !== 0) yield ['notify', words, 0, undefined];
      else if ((word & protocol['WAITERS']) !== 0) yield ['notify', words, 0, 1];
    }
  }
  const agents = Object.fromEntries(Object.entries(courses).map(([name, course]) => [name, agent(course)]));
  return { memory, agents, end: () => strictEqual(protocol['permits'](words[0]!), permits, 'permits do not add up') };
}

function eventScenario(protocol: Record<string, any>, pulses: number, waiters: number): Scenario {
  const memory = new ArrayBuffer(16);
  const words = new Int32Array(memory);
  function* setter(): Agent {
    for (let i = 0; i < pulses; i++) {
      if (i > 0) {
        const was = yield* protocol['change'](words, false);
        if (was >= 0 && (was & protocol['WAITERS']) !== 0) yield ['notify', words, 0, undefined];
      }
      // The waiters have begun: each of them must see this one.
      for (let begun = 0; i === 0 && begun < waiters; ) {
        yield ['wait', words, GUARDED, begun];
        begun = yield ['load', words, GUARDED];
      }
      const word = yield* protocol['change'](words, true);
      if (word >= 0 && (word & protocol['WAITERS']) !== 0) yield ['notify', words, 0, undefined];
    }
    const was = yield* protocol['change'](words, false);
    if (was >= 0 && (was & protocol['WAITERS']) !== 0) yield ['notify', words, 0, undefined];
  }
  function* waiter(): Agent {
    const start = protocol['generation'](yield ['load', words, 0]);
    const cell = cellOf(words, {}, () => start);
    yield ['add', words, GUARDED, 1];
    yield ['notify', words, GUARDED, undefined];
    cell.enter();
    const gate = { announce: () => protocol['announce'](words), *withdraw() {}, *checkPeers() {} };
    yield* protocol['sleepUntil'](cell, gate, () => protocol['passes'](words, start), Number.POSITIVE_INFINITY);
  }
  const agents: Record<string, Agent> = { setter: setter() };
  for (let i = 0; i < waiters; i++) agents[`waiter ${i}`] = waiter();
  return { memory, agents };
}

const lock = (courses: Record<string, Course>, mutation?: Mutation): Report => {
  const protocol = rewrittenProtocol('lock-word', mutation);
  return explore(() => lockScenario(protocol, courses), { races: false });
};
const semaphore = (permits: number, courses: Record<string, Course>, mutation?: Mutation): Report => {
  const protocol = rewrittenProtocol('semaphore-word', mutation);
  return explore(() => semaphoreScenario(protocol, permits, courses), { races: false });
};
/** Minutes of work, only with MULTIPROCESS_EXHAUSTIVE=1. */
const exhaustive = <C>(...cases: C[]): C[] => (process.env['MULTIPROCESS_EXHAUSTIVE'] === '1' ? cases : []);
const many = (report: Report) => expect(report.states).toBeGreaterThan(100);

describe('the word of a lock', () => {
  it.each([
    ['two agents, twice each', { a: { rounds: 2 }, b: { rounds: 2 } }],
    ['an agent that gives up', { a: { rounds: 2 }, b: { impatient: true } }],
    ['an agent that becomes patient', { a: { rounds: 2 }, b: { patient: true } }],
    ...exhaustive(
      ['three agents', { a: {}, b: {}, c: {} }],
      ['an agent that gives up among two that do not', { a: {}, b: { impatient: true }, c: {} }],
      ['an agent of three that becomes patient', { a: {}, b: { patient: true }, c: {} }],
    ),
  ] as [string, Record<string, Course>][])('%s: one is inside at a time, and all get in', (_, courses) =>
    many(lock(courses)),
  );

  it.each(['a', 'b'])('%s may die at any step: the other gets in, and knows it', (name) => {
    const protocol = rewrittenProtocol('lock-word');
    const scenario = () => {
      const beat: Beat = { known: false };
      return withBeat(lockScenario(protocol, { a: {}, b: {} }, beat), name, beat);
    };
    many(explore(scenario, { crash: [name], races: false }));
  });

  it.each([
    [
      'a release that wakes nobody',
      {
        file: 'synchronize/words/lock-word',
        from: '(words, 0, word, word & FAIR) === word) return word;',
        to: '(words, 0, word, word & FAIR) === word) return word & AGENT_MASK;',
      },
    ],
    [
      'a sleeper that takes the lock and forgets the others',
      { file: 'synchronize/words/lock-word', from: 'me | (word & WAITERS) | keep', to: 'me' },
    ],
    [
      'a lock that is taken though it is held',
      { file: 'synchronize/words/lock-word', from: '(word & AGENT_MASK) !== 0 || ((word', to: '((word' },
    ],
    [
      'a sleeper that does not announce itself',
      {
        file: 'memory/waiting/sleeper-bits',
        from: 'Atomics.or(words, at, bits) | bits;',
        to: 'Atomics.load(words, at);',
      },
    ],
  ])('%s is caught', (_, mutation) => {
    expect(() => lock({ a: {}, b: {}, c: {} }, mutation)).toThrow(/waits for ever|two are inside|another one came in/);
  });

  it('a waiter that leaves and forgets the others is caught', () => {
    const mutation = {
      file: 'memory/waiting/sleeper-bits',
      from: '(word & ~patient) | all',
      to: '(word & ~patient & ~all)',
    };
    expect(() => lock({ a: {}, b: { impatient: true }, c: {} }, mutation)).toThrow(/waits for ever/);
  });
});

describe('the word of a semaphore', () => {
  it.each([
    ['one permit, two agents twice', 1, { a: { rounds: 2 }, b: { rounds: 2 } }],
    ['one that gives up', 1, { a: { rounds: 2 }, b: { impatient: true } }],
    ['one that becomes patient', 1, { a: { rounds: 2 }, b: { patient: true } }],
    ...exhaustive(
      ['one permit, three agents', 1, { a: {}, b: {}, c: {} }],
      ['two permits, three agents', 2, { a: {}, b: {}, c: {} }],
    ),
  ] as [string, number, Record<string, Course>][])('%s: permits add up, and all get one', (_, permits, courses) =>
    many(semaphore(permits, courses)),
  );

  it('a sleeper that takes a permit and forgets the others is caught', () => {
    const mutation = {
      file: 'synchronize/words/semaphore-word',
      from: '- PERMIT_UNIT) | keep | mark',
      to: '- PERMIT_UNIT) | mark',
    };
    expect(() => semaphore(1, { a: {}, b: {}, c: {} }, mutation)).toThrow(/waits for ever/);
  });
});

describe('the word of an event', () => {
  it.each([
    [1, 1],
    [2, 1],
    [1, 2],
  ])('%i sets, each cleared at once, end the waits of %i that had begun', (pulses, waiters) => {
    const protocol = rewrittenProtocol('event-word');
    expect(explore(() => eventScenario(protocol, pulses, waiters), { races: false }).states).toBeGreaterThan(20);
  });

  it('an event without generations is caught', () => {
    const protocol = rewrittenProtocol('event-word', {
      file: 'synchronize/words/event-word',
      from: ' || generation(word) !== start',
      to: '',
    });
    expect(() => explore(() => eventScenario(protocol, 1, 1))).toThrow(/waits for ever/);
  });
});
