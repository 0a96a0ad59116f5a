/**
 * Every order of steps of two and three agents over the real ConditionState (Condition), BarrierState (Barrier) and PermitLedger (Semaphore.hold), their
 * real guard, mutex and agent table, and the real blocking wait, with one agent that dies at any step.
 *
 * Waits end by time only once a death is known, as the beat ends them. So what is lost shows as an agent that waits for ever.
 * MULTIPROCESS_EXHAUSTIVE=1 adds the scenarios of three agents that take minutes.
 */
import { ok, strictEqual } from 'node:assert';
import { describe, expect, it } from 'vitest';
import {
  type Agent,
  before,
  type ExplorerOptions,
  explore,
  type Report,
  type Scenario,
  type Step,
} from '../support/explorer.js';
import { ExploredBlock, rewrittenSections, SLOTS } from '../support/rewritten-synchronize.js';
import type { Mutation } from '../support/source-text.js';

type Steps<R> = Generator<any, R, any>;
/** Makes a scenario over freshly loaded sources. */
type Make = (protocol: Record<string, any>) => Scenario;

const EXHAUSTIVE = process.env['MULTIPROCESS_EXHAUSTIVE'] === '1';

function run(names: readonly string[], make: Make, options: ExplorerOptions = {}, mutation?: Mutation): Report {
  const protocol = rewrittenSections(names, mutation);
  const start = performance.now();
  const report = explore(() => make(protocol), { races: false, limit: 20_000_000, ...options });
  console.info(
    `${report.states} states, ${report.schedules} orders, longest ${report.longest}, ${((performance.now() - start) / 1000).toFixed(1)} s`,
  );
  return report;
}

/** Calls `after` at once when the agent has made a step that `matches`. */
function* noting<R>(agent: Steps<R>, matches: (step: Step) => boolean, after: () => void): Steps<R> {
  let next = agent.next();
  while (next.done !== true) {
    const answer: unknown = yield next.value;
    if (matches(next.value)) after();
    next = agent.next(answer);
  }
  return next.value;
}

describe('Semaphore.hold', () => {
  /** `permits` are held and given back by each; who is left when another one has died gets one still. */
  const holding =
    (names: readonly string[], permits: number, victim?: string, early?: string): Make =>
    (protocol) => {
      const base = 2;
      const block = new ExploredBlock(base + protocol['PERMIT_LEDGER_WORDS'] + 1);
      const words = block.int32;
      const inside = words.length - 1;
      words[0] = permits * protocol['semaphore'].PERMIT_UNIT;
      const cell = block.cell(0);
      const word = words.subarray(0, 1);
      function agent(name: string): Agent {
        const holders = new protocol['PermitLedger'](block, base, (count: number) => cell.notify(count));
        holders.$mutex.owner = holders;
        const gate = {
          $table: holders.$table,
          announce: (patient: boolean) => protocol['semaphore'].announce(word, patient),
          *checkPeers(): Steps<boolean> {
            return (yield* holders.reclaim()) > 0;
          },
        };
        function* attempt(urgency: number): Steps<boolean> {
          if ((yield ['load', words, 0]) >>> 3 === 0) return false;
          const left = yield* holders.take(urgency === 2, urgency === 0 ? 0 : protocol['semaphore'].WAITERS);
          if (left > 0 && urgency !== 0) yield ['notify', words, 0, 1];
          return left >= 0;
        }
        const has = name === early && before(attempt(0), names.indexOf(name) + 1);
        function* hold(): Steps<void> {
          if (!has && !(yield* attempt(0))) yield* new protocol['WaitQueue'](cell, gate).waitSync(attempt);
          if (name !== victim) {
            const others: number = yield ['add', words, inside, 1];
            ok(others < permits, 'more are inside than there are permits');
            yield ['sub', words, inside, 1];
          }
          const was = yield* holders.give();
          if ((was & protocol['semaphore'].FAIR) !== 0) yield ['notify', words, 0, undefined];
          else if ((was & protocol['semaphore'].WAITERS) !== 0) yield ['notify', words, 0, 1];
        }
        return hold();
      }
      return {
        memory: block.memory,
        agents: Object.fromEntries(names.map((name) => [name, agent(name)])),
        end: (dead) => {
          if (dead.size === 0) strictEqual(words[0]! >>> 3, permits, 'permits do not add up');
          else {
            const table = base + protocol['PERMIT_LEDGER_WORDS'] - 2 * SLOTS;
            let held = 0;
            for (let i = 0; i < SLOTS; i++) held += words[table + 2 * i + 1]!;
            const journal = (words[0]! & protocol['semaphore'].MARK) !== 0;
            ok(
              journal || (words[0]! >>> 3) + held === permits,
              `${words[0]! >>> 3} permits and ${held} held do not add up`,
            );
          }
        },
      };
    };

  it('two agents take and give the only permit', () => {
    expect(run(['a', 'b'], holding(['a', 'b'], 1)).states).toBeGreaterThan(100);
  });

  it('who holds the permit dies at any step: it comes back', () => {
    expect(run(['a', 'b'], holding(['a', 'b'], 1, 'a', 'a'), { crash: ['a'] }).states).toBeGreaterThan(100);
  });

  it.runIf(EXHAUSTIVE)('an agent dies at any step: its permit comes back', { timeout: 3_600_000 }, () => {
    run(['a', 'b'], holding(['a', 'b'], 1, 'a'), { crash: ['a'] });
  });

  it.runIf(EXHAUSTIVE)('three agents and one permit', { timeout: 3_600_000 }, () => {
    run(['a', 'b', 'c'], holding(['a', 'b', 'c'], 1));
  });

  it.each([
    ['a journal that nobody reads', '(Atomics.load(this.#word, 0) & MARK) !== 0) this.#finish', 'false) this.#finish'],
    [
      'a count that is noted before the permit is taken',
      'const result = change();\n    if (result >= 0) this.#finish();',
      'this.#finish();\n    const result = change();',
    ],
    ['permits that stay with the dead', 'if (count > 0) this.#change(slot, 0', 'if (count > 9) this.#change(slot, 0'],
  ])('%s is caught', (_, from, to) => {
    const mutation = { file: 'synchronize/state/permit-ledger', from, to };
    expect(() => run(['a', 'b'], holding(['a', 'b'], 1, 'a'), { crash: ['a'] }, mutation)).toThrow(
      /add up|for ever|more are inside/,
    );
  });
});

describe('Condition', () => {
  const LOCK = 0;
  /**
   * All but the notifier wait until a flag is set; whoever has been notified notifies the next. One that died after it took its
   * notification cannot, so the notifier, which learns of the death, does: only then.
   */
  const waiting =
    (waiters: readonly string[], victim?: string): Make =>
    (protocol) => {
      const sleepersAt = 2;
      const all = sleepersAt + protocol['CONDITION_WORDS'];
      const [flag, took, left] = [all, all + 1, all + 2];
      const block = new ExploredBlock(all + 3);
      const words = block.int32;
      const view = {
        int32: words.subarray(sleepersAt),
        cell: (index: number) => block.cell(sleepersAt + index),
        check: () => block.check(),
      };
      const make = () => {
        const sleepers = new protocol['ConditionState'](view);
        sleepers.$mutex.owner = sleepers;
        return { sleepers, lock: new protocol['Mutex'](block, LOCK) };
      };
      function* waiter(name: string): Agent {
        const { sleepers, lock } = make();
        yield* lock.acquireSync();
        yield ['at', name, 'has the lock'];
        if ((yield ['load', words, flag]) === 0) {
          const queue = yield* sleepers.join();
          yield* lock.release();
          yield ['at', name, 'waits', sleepers.$slot, sleepers.$table.$mine];
          yield* queue.waitSync(sleepers.take);
          yield ['at', name, 'was notified', sleepers.$slot, sleepers.$table.$mine];
          yield* lock.acquireSync();
          yield* sleepers.notify(1);
        }
        yield* lock.release();
        yield ['at', name, 'leaves'];
        yield ['add', words, left, 1];
        yield ['ring', 'notifier'];
      }
      function* notifier(): Agent {
        const { sleepers, lock } = make();
        yield* lock.acquireSync();
        yield ['at', 'sets'];
        yield ['store', words, flag, 1];
        yield* sleepers.notify(1);
        yield* lock.release();
        yield ['at', 'notified'];
        for (;;) {
          if ((yield ['load', words, left]) === waiters.length) return;
          yield ['sleep'];
          if (victim !== undefined && (yield ['dead', victim])) break;
        }
        if ((yield ['load', words, took]) === 0) return;
        yield* lock.acquireSync();
        yield* sleepers.notify(1);
        yield* lock.release();
      }
      const granted = (step: Step) => step[0] === 'sub' && step[1] === view.int32;
      const agents = waiters.map((name) => {
        const body = waiter(name);
        return [name, name === victim ? noting(body, granted, () => (words[took] = 1)) : body] as const;
      });
      return { memory: block.memory, agents: { ...Object.fromEntries(agents), notifier: notifier() } };
    };

  it('a waiter and a notifier: no notification is lost', () => {
    expect(run(['a', 'notifier'], waiting(['a'])).states).toBeGreaterThan(100);
  });

  it('the waiter dies at any step: the notifier ends', () => {
    expect(run(['a', 'notifier'], waiting(['a'], 'a'), { crash: ['a'] }).states).toBeGreaterThan(100);
  });

  it.each([
    [
      'a grant that wakes nobody',
      'this.#block.cell(slot + GRANTED).notify();',
      'this.#block.cell(slot + GRANTED).notify(0);',
    ],
    [
      'a waiter that is not counted',
      'Atomics.add(this.#words, slot + WAITING, 1);',
      'Atomics.add(this.#words, slot + WAITING, 0);',
    ],
  ])('%s is caught', (_, from, to) => {
    const mutation = { file: 'synchronize/state/condition-state', from, to };
    expect(() => run(['a', 'notifier'], waiting(['a']), {}, mutation)).toThrow(/for ever/);
  });

  it.runIf(EXHAUSTIVE)(
    'what a dead waiter was notified of, kept from the others, is caught',
    { timeout: 3_600_000 },
    () => {
      const mutation = {
        file: 'synchronize/state/condition-state',
        from: 'if (granted > 0) this.#grant(granted, slot);',
        to: '',
      };
      expect(() => run(['a', 'b', 'notifier'], waiting(['a', 'b'], 'a'), { crash: ['a'] }, mutation)).toThrow(
        /for ever/,
      );
    },
  );

  it.runIf(EXHAUSTIVE)(
    'two waiters of which one dies at any step: what it was notified of goes to the other',
    { timeout: 3_600_000 },
    () => {
      run(['a', 'b', 'notifier'], waiting(['a', 'b'], 'a'), { crash: ['a'] });
    },
  );
});

describe('Barrier', () => {
  /** Each passes `rounds` rounds. A round that the victim took part in before it died is broken, or had been passed. */
  const rounding =
    (names: readonly string[], rounds: number, victim?: string, early?: string) =>
    (protocol: Record<string, any>): Scenario & { readonly block: ExploredBlock } => {
      const all = protocol['barrierWords'](1);
      const [known, results] = [all, all + 1];
      const block = new ExploredBlock(results + names.length * rounds);
      const words = block.int32;
      function agent(name: string): Agent {
        const barrier = new protocol['BarrierState'](block, 1);
        barrier.$mutex.owner = barrier;
        return passing(
          name,
          barrier,
          name === early ? before(barrier.arrive(names.length), names.indexOf(name) + 1) : null,
        );
      }
      function* passing(name: string, barrier: any, came: any): Agent {
        for (let round = 0; round < rounds; round++) {
          yield ['at', 'round', round, barrier.$table.$mine];
          const { kind, phase, index } = round === 0 && came !== null ? came : yield* barrier.arrive(names.length);
          yield ['at', 'arrived', round, kind, phase, index, barrier.$table.$mine];
          let passed = false;
          if (kind === 'last') passed = yield* barrier.pass(phase);
          else if (kind === 'waits') {
            yield* barrier.queue.waitSync(() => barrier.over(phase));
            yield ['at', 'over', round, phase, barrier.$table.$mine];
            passed = yield* barrier.passed(phase);
          }
          ok(kind !== 'full', 'the barrier was full');
          // Not for what follows: what this agent alone writes and nobody reads but the end.
          words[results + names.indexOf(name) * rounds + round] = passed ? 1 : 2;
          if (!passed) break;
        }
        if (name === victim) yield ['ring', 'breaker'];
      }
      /** A party that died before it ever came is nobody's to know: somebody breaks the barrier then. */
      function* breaker(): Agent {
        yield ['sleep'];
        if (!(yield ['dead', victim]) || (yield ['load', words, known]) === 1) return;
        const barrier = new protocol['BarrierState'](block, 1);
        barrier.$mutex.owner = barrier;
        yield* barrier.abort();
      }
      const number = names.indexOf(victim ?? '') + 1;
      const enters = (step: Step) => step[0] === 'store' && step[1] === words && step[3] === number;
      const agents: Record<string, Agent> = {};
      for (const name of names)
        agents[name] = name === victim ? noting(agent(name), enters, () => (words[known] = 1)) : agent(name);
      if (victim !== undefined) agents['breaker'] = breaker();
      return {
        block,
        memory: block.memory,
        agents,
        end: (dead) => {
          if (dead.size > 0) return;
          for (const [i] of names.entries()) {
            for (let round = 0; round < rounds; round++)
              strictEqual(words[results + i * rounds + round], 1, 'a round was broken');
          }
        },
      };
    };
  it('two parties pass a round together', () => {
    expect(run(['a', 'b'], rounding(['a', 'b'], 1)).states).toBeGreaterThan(100);
  });

  it.runIf(EXHAUSTIVE)('two parties pass two rounds together', { timeout: 3_600_000 }, () => {
    run(['a', 'b'], rounding(['a', 'b'], 2));
  });

  it.runIf(EXHAUSTIVE)(
    'the last party dies at any step: who waits passes, or learns it is broken',
    { timeout: 3_600_000 },
    () => {
      expect(run(['a', 'b', 'breaker'], rounding(['a', 'b'], 1, 'a', 'b'), { crash: ['a'] }).states).toBeGreaterThan(
        100,
      );
    },
  );

  it.runIf(EXHAUSTIVE)(
    'a party dies at any step: the other passes, or learns that the round is broken',
    { timeout: 3_600_000 },
    () => {
      run(['a', 'b', 'breaker'], rounding(['a', 'b'], 1, 'a'), { crash: ['a'] });
    },
  );

  it.runIf(EXHAUSTIVE)(
    'one that is no party dies at any step of an abort: who waits learns it',
    { timeout: 3_600_000 },
    () => {
      const make: Make = (protocol) => {
        const scenario = rounding(['a', 'b'], 1, 'c')(protocol);
        const block = scenario.block;
        const known = protocol['barrierWords'](1);
        function* aborter(): Agent {
          const barrier = new protocol['BarrierState'](block, 1);
          barrier.$mutex.owner = barrier;
          yield* barrier.abort();
          yield ['ring', 'breaker'];
        }
        const begins = (step: Step) => step[0] === 'store';
        const { a, breaker } = scenario.agents;
        const c = noting(aborter(), begins, () => (block.int32[known] = 1));
        return { memory: scenario.memory, agents: { a: a!, c, breaker: breaker! } };
      };
      expect(run(['a', 'c', 'breaker'], make, { crash: ['c'] }).states).toBeGreaterThan(1_000);
    },
  );

  it.runIf(EXHAUSTIVE)('a party dies at any step of two rounds', { timeout: 3_600_000 }, () => {
    run(['a', 'b', 'breaker'], rounding(['a', 'b'], 2, 'a'), { crash: ['a'] });
  });

  it.runIf(EXHAUSTIVE)('three parties pass a round together', { timeout: 3_600_000 }, () => {
    run(['a', 'b', 'c'], rounding(['a', 'b', 'c'], 1));
  });

  it.runIf(EXHAUSTIVE)('one of three parties dies at any step', { timeout: 3_600_000 }, () => {
    run(['a', 'b', 'c', 'breaker'], rounding(['a', 'b', 'c'], 1, 'a'), { crash: ['a'] });
  });

  it.each([
    ['a dead party that breaks nothing', 'if (!died) return;', 'return;'],
    [
      'waiters that trust an emptied round',
      '    this.#mutex.repairIfAbandoned();\n    if (this.#table',
      '    if (this.arrived > 0 && this.#table',
    ],
    ['a phase that nobody is told of', 'cell.notify();', 'cell.notify(0);'],
    [
      'a round that begins with those of the last',
      'this.#empty();\n    Atomics.store(this.#words, HISTORY',
      'Atomics.store(this.#words, HISTORY',
    ],
  ])('%s is caught', (_, from, to) => {
    const mutation = { file: 'synchronize/state/barrier-state', from, to };
    const caught = /ever|was broken|was full/;
    if (/repairIfAbandoned|died/.test(from)) {
      expect(() => run(['a', 'b', 'breaker'], rounding(['a', 'b'], 1, 'a', 'b'), { crash: ['a'] }, mutation)).toThrow(
        caught,
      );
    } else expect(() => run(['a', 'b'], rounding(['a', 'b'], 2), {}, mutation)).toThrow(caught);
  });
});
