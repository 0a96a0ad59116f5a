/**
 * Every order of steps of readers and writers over the real RwState (RwLock), its real mutex, guard and agent table, and the real
 * blocking wait, with one agent that dies at any step: no writer beside anybody, no lost wake-up, nobody who waits for ever.
 *
 * Waits end by time only once a death is known, as the beat ends them. MULTIPROCESS_EXHAUSTIVE=1 adds what takes minutes.
 */
import { strictEqual } from 'node:assert';
import { describe, expect, it } from 'vitest';
import { type Agent, before, explore, type Report, type Scenario, type Step } from '../support/explorer.js';
import { ExploredBlock, rewrittenRwState } from '../support/rewritten-synchronize.js';
import type { Mutation } from '../support/source-text.js';

const EXHAUSTIVE = process.env['MULTIPROCESS_EXHAUSTIVE'] === '1';
const FILE = 'synchronize/state/rw-state';

interface Course {
  readonly role: 'reader' | 'nested' | 'writer' | 'trier' | 'quitter';
  readonly rounds?: number;
  /** It has the lock when the others begin. */
  readonly early?: boolean;
}

/** What is not the lock's: who is inside, as its users see it. */
const EXTRA = 3;

function scenario(protocol: Record<string, any>, courses: Record<string, Course>, victim?: string): Scenario {
  const words = protocol['RW_WORDS'] as number;
  const [readers, writer, damage] = [words, words + 1, words + 2];
  const block = new ExploredBlock(words + EXTRA);
  const { int32 } = block;
  const [gate, inside, died] = [2, 4, 5];

  function agent(name: string, number: number): Agent {
    const { role, rounds = 1, early = false } = courses[name]!;
    const state = new protocol['RwState'](block);
    const marks = name !== victim;
    // A slot for readers, as one that has read before has it.
    if (role === 'reader' || role === 'nested') before(state.leave(before(state.arrive(), number)), number);
    let had: any = null;
    if (early && role === 'reader') had = before(state.arrive(), number);
    if (early && role === 'writer') {
      before(state.writers.acquireSync(), number);
      before(state.enter(0), number);
      int32[damage] = name === victim ? 1 : 0;
      had = true;
    }
    const at = (...what: unknown[]): Step => ['at', name, ...what, state.$table.$mine];

    function* seesDamage(): Generator<any, void, any> {
      if (victim !== undefined && marks && int32[damage] === 1)
        strictEqual(yield ['load', int32, died], 1, 'it does not say that a writer died');
    }
    function* read(): Generator<any, void, any> {
      const share = had ?? (yield* state.arrive());
      had = null;
      yield at('arrived', share.at, share.phase);
      if (!(yield* state.passes(share))) yield* state.gate.waitSync(() => state.passes(share));
      yield at('in', share.at);
      if (marks) {
        yield ['add', int32, readers, 1];
        strictEqual(yield ['load', int32, writer], 0, 'a reader is in beside a writer');
        yield* seesDamage();
        yield ['sub', int32, readers, 1];
      }
      yield* state.leave(share);
    }
    /** Reads within reading, as runRead does within runRead. */
    function* nest(): Generator<any, void, any> {
      const outer = yield* state.arrive();
      if (!(yield* state.passes(outer))) yield* state.gate.waitSync(() => state.passes(outer));
      yield at('in', outer.at);
      let inner = yield* state.arrive();
      if (!(yield* state.passes(inner))) inner = yield* state.join(inner, outer);
      yield at('in twice', outer.at, inner.at);
      yield* state.leave(outer);
      if (marks) {
        yield ['add', int32, readers, 1];
        strictEqual(yield ['load', int32, writer], 0, 'a reader is in beside a writer');
        yield ['sub', int32, readers, 1];
      }
      yield* state.leave(inner);
    }
    function* inside_(): Generator<any, void, any> {
      if (!marks) return;
      strictEqual(yield ['exchange', int32, writer, 1], 0, 'two writers are in');
      strictEqual(yield ['load', int32, readers], 0, 'a writer is in beside a reader');
      yield* seesDamage();
      yield ['store', int32, writer, 0];
    }
    function* write(): Generator<any, void, any> {
      if (had === null) {
        yield* state.writers.acquireSync();
        yield at('has the mutex');
        yield* state.settle();
        if (!(yield* state.enter(0))) yield* state.drain.waitSync(state.enter);
      }
      had = null;
      yield at('in');
      yield* inside_();
      yield* state.leaveWriter();
    }
    /** As tryWrite. */
    function* attempt(): Generator<any, void, any> {
      if (!(yield* state.writers.tryAcquire())) return;
      yield* state.settle();
      if (yield* state.tryEnter()) yield* inside_();
      yield* state.leaveWriter();
    }
    /** A writer that waits no longer once it has looked at the readers. */
    function* quit(): Generator<any, void, any> {
      yield* state.writers.acquireSync();
      yield* state.settle();
      if (yield* state.enter(0)) yield* inside_();
      yield* state.leaveWriter();
    }
    const courseOf = { reader: read, nested: nest, writer: write, trier: attempt, quitter: quit };
    function* all(): Agent {
      for (let round = 0; round < rounds; round++) {
        yield at('round', round, had);
        yield* courseOf[role]();
      }
    }
    return name === victim ? noting(all()) : all();
  }
  /** Notes whether the victim is inside as a writer. */
  function* noting(body: Agent): Agent {
    let next = body.next();
    while (next.done !== true) {
      const answer: unknown = yield next.value;
      const [operation, , index, value] = next.value;
      if (operation === 'store' && index === inside) int32[damage] = value;
      next = body.next(answer);
    }
  }
  return {
    memory: block.memory,
    agents: Object.fromEntries(Object.keys(courses).map((name, i) => [name, agent(name, i + 1)])),
    end: (dead) => {
      if (int32[died] === 1)
        strictEqual(int32[damage], 1, 'a writer that was not inside counts as one that died there');
      if (dead.size > 0) return;
      strictEqual(int32[0]! & 0x3fffffff, 0, 'a writer has it still');
      strictEqual((int32[gate]! >>> 1) & 1, 0, 'the gate is closed');
      const table = protocol['RW_WORDS'] - 3 * 3;
      for (let slot = 0; slot < 3; slot++)
        for (const field of [1, 2]) strictEqual(int32[table + 3 * slot + field], 0, 'a reader is counted still');
    },
  };
}

function run(courses: Record<string, Course>, victim?: string, mutation?: Mutation): Report {
  const protocol = rewrittenRwState(Object.keys(courses), mutation);
  const start = performance.now();
  const crash = victim === undefined ? {} : { crash: [victim] };
  const report = explore(() => scenario(protocol, courses, victim), { races: false, limit: 20_000_000, ...crash });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.info(`${report.states} states, ${report.schedules} orders, longest ${report.longest}, ${seconds} s`);
  return report;
}

const R = { role: 'reader' } as const;
const W = { role: 'writer' } as const;
const many = (report: Report) => expect(report.states).toBeGreaterThan(50);

const Q = { role: 'quitter' } as const;
const early = { early: true };
const exhaustive = <C>(...cases: C[]): C[] => (EXHAUSTIVE ? cases : []);
const QUITTING = { r: { ...R, ...early }, g: Q, w: W };

describe('readers and writers', { timeout: 3_600_000 }, () => {
  it.each([
    ['a reader and a writer', { r: R, w: W }],
    ['a reader that comes twice, and a writer', { r: { ...R, rounds: 2 }, w: W }],
    ['a reader and a writer that comes twice', { r: R, w: { ...W, rounds: 2 } }],
    ['a reader and a try to write', { r: R, t: { role: 'trier' } }],
    ['a reader within reading, and a writer', { r: { role: 'nested' }, w: W }],
    ['a writer that gives up beside a reader and a writer', QUITTING],
    ...exhaustive(
      ['two readers and a try to write', { r: R, q: R, t: { role: 'trier' } }],
      ['two readers and a writer', { r: R, q: R, w: W }],
      ['a reader and two writers', { r: R, v: W, w: W }],
      ['a reader and a writer, both twice', { r: { ...R, rounds: 2 }, w: { ...W, rounds: 2 } }],
    ),
  ] as [string, Record<string, Course>][])('%s: all get in, and a writer alone', (_, courses) => many(run(courses)));

  it.each([
    ['a reader that is in', { r: { ...R, ...early }, w: W }, 'r'],
    ['a reader', { r: R, w: W }, 'r'],
    ['a writer that is in, while another one waits', { w: { ...W, ...early }, v: W }, 'w'],
    ['a writer that is in, while a reader waits', { w: { ...W, ...early }, r: R }, 'w'],
    ['a writer', { w: W, r: R }, 'w'],
    ['a writer that a reader keeps waiting', { r: { ...R, ...early }, w: W }, 'w'],
    ...exhaustive(
      ['a writer before a reader and a writer', { w: { ...W, ...early }, r: R, v: W }, 'w'],
      ['a writer beside a reader that comes twice', { w: W, r: { ...R, rounds: 2 } }, 'w'],
      ['a reader beside a reader and a writer', { r: R, q: R, w: W }, 'r'],
    ),
  ] as [string, Record<string, Course>, string][])(
    '%s dies at any step: the others get in, and know it',
    (_, courses, victim) => many(run(courses, victim)),
  );

  const dyingReader: [Record<string, Course>, string] = [{ r: { ...R, ...early }, w: W }, 'r'];
  const dyingWriter: [Record<string, Course>, string] = [{ w: { ...W, ...early }, r: R }, 'w'];
  it.each([
    [
      'a reader that does not look again',
      'if (generationOf(word) === generation) return',
      'if (word !== -1) return',
      [{ r: R, w: W }],
    ],
    [
      'a writer that forgets the generation before',
      'if (this.#table.someHave(1 - reading)) return false;',
      '',
      [QUITTING],
    ],
    ['a writer that does not wait', 'if (this.#table.someHave(reading)) return false;', '', [{ r: R, w: W }]],
    ['a last reader that wakes nobody', 'this.#drainCell.notify(1);', 'this.#drainCell.notify(0);', [{ r: R, w: W }]],
    ['a writer that wakes no reader', 'this.#gateCell.notify();', 'this.#gateCell.notify(0);', [{ r: R, w: W }]],
    [
      'a writer that looked for sleepers too early',
      '(before & SLEEPERS) !== 0',
      '(word & SLEEPERS) !== 0',
      [{ r: R, w: W }],
    ],
    [
      'a reader that waits until no writer is there',
      'Atomics.load(this.#words, GATE) >>> 1 !== phase;',
      '(Atomics.load(this.#words, GATE) & PHASE_UNIT) === 0;',
      [{ r: R, w: { ...W, rounds: 2 } }],
    ],
    [
      'a reader within reading that waits for the writer',
      'Atomics.add(this.#words, at, 1);\n    this.#depart(share.at);',
      'this.#depart(share.at);',
      [{ r: { role: 'nested' }, w: W }],
    ],
    ['a reader that is counted for ever', 'if (this.#table.someEnded())', 'if (this.#words.length < 0)', dyingReader],
    [
      'readers that trust a dead writer',
      'if (!this.writers.abandoned || ',
      'if (this.#words.length > 0 || ',
      dyingWriter,
    ],
    ['a death inside that is kept secret', 'Atomics.store(this.#words, DIED, 1);', '', dyingWriter],
    [
      'a writer that is inside before its readers have left',
      'Atomics.store(this.#words, INSIDE, 0);\n    this.#open();',
      'this.#open();',
      [{ w: W, r: R }, 'w'],
    ],
  ] as [string, string, string, [Record<string, Course>, string?]][])(
    '%s is caught',
    (_, from, to, [courses, victim]) => {
      expect(() => run(courses, victim, { file: FILE, from, to })).toThrow(
        /for ever|is in beside|two writers|does not say|counts as one/,
      );
    },
  );
});
