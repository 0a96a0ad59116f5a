/** The real protocols of src/synchronize, and the blocking wait of src/memory, as the explorer runs them. */
import * as errors from '../../src/errors/index.js';
import { loadRewritten } from './generatorize.js';
import { SLEEPER_BITS, sleeperBits } from './rewritten-memory.js';
import { changedSources, type Fitting, type Mutation } from './source-text.js';

/** The time of whoever runs: set before a wait returns, read right after it. */
export const clock = { now: 0 };

const time = { 'node:perf_hooks': { performance: { now: () => clock.now } } };

/** Agents that a table has room for, here. */
export const SLOTS = 3;

/** A table is as small as a test can use, for the sake of the number of bytes in a state. */
const SMALL_TABLE: Fitting[] = [['const SLOTS = 1_024;', `const SLOTS = ${SLOTS};`]];

/** Loads one protocol and `sleepUntil`. */
export function rewrittenProtocol(
  protocol: 'lock-word' | 'semaphore-word' | 'event-word',
  mutation?: Mutation,
): Record<string, any> {
  return loadRewritten(
    changedSources(['memory/waiting/wait-protocol', `synchronize/words/${protocol}`], mutation),
    { ...time, 'memory/index': { AGENT_MASK: 0x3fffffff, ...sleeperBits(mutation) } },
    { calls: ['attempt', 'waitSync', 'withdraw', 'checkPeers', 'announce', ...SLEEPER_BITS] },
  );
}

/** What explores run instead of the parts of src/memory that reach the kernel: names are those of the real ones. */
function memory(gate: Record<string, any>, names: readonly string[]) {
  return {
    AGENT_MASK: 0x3fffffff,
    ...sleeperBits(),
    LIVENESS_CHECK_MS: gate['LIVENESS_CHECK_MS'],
    PATIENT_AFTER_MS: gate['PATIENT_AFTER_MS'],
    Urgency: gate['Urgency'],
    *currentAgent(): Generator<any, number, any> {
      return yield ['self'];
    },
    *hasEnded(agent: number): Generator<any, boolean, any> {
      return agent !== (yield ['self']) && (yield ['dead', names[agent - 1]]);
    },
    WaitQueue: class {
      constructor(
        readonly cell: Cell,
        readonly gate: Record<string, any>,
      ) {}
      *waitSync(attempt: unknown): Generator<any, boolean, any> {
        const { gate: word } = this;
        const cell = this.cell.since(yield ['history'], word);
        const gates = {
          announce: (patient: boolean) => word['announce'](patient),
          *checkPeers(): Generator<any, boolean, any> {
            const found = word['checkPeers'] !== undefined && (yield* word['checkPeers']());
            clock.now = cell.now;
            return found;
          },
        };
        clock.now = 0;
        return yield* gate['sleepUntil'](cell, gates, attempt, Number.POSITIVE_INFINITY);
      }
      kick(): boolean {
        return false;
      }
    },
  };
}

/** What an agent keeps to itself of a primitive: its place in the table. */
const own = (owner: any): unknown => [owner.$table?.$mine, owner.$slot];

/** A word to wait on. What a wait under way depends on is what its agent had observed when it began, and whether it is patient. */
class Cell {
  /** Time of the wait under way. */
  now = 0;
  constructor(
    readonly words: Int32Array,
    readonly index: number,
    readonly began: number = 0,
    readonly owner: object = {},
  ) {}
  since(began: number, owner: object): Cell {
    return new Cell(this.words, this.index, began, owner);
  }
  *waitSync(expected: number): Generator<any, string, any> {
    const outcome = yield ['wait', this.words, this.index, expected, 'death'];
    // sleepUntil knows whether it was patient before the wait.
    const before = this.now;
    if (outcome === 'timed-out') this.now = 10;
    yield ['at', this.began, this.index, outcome, before, this.now, own(this.owner)];
    clock.now = this.now;
    return outcome;
  }
  *notify(count?: number): Generator<any, void, any> {
    yield ['notify', this.words, this.index, count];
  }
}

/** Memory of a primitive, as it sees its block. */
export class ExploredBlock {
  readonly memory: ArrayBuffer;
  readonly int32: Int32Array;
  readonly closed = false;

  constructor(words: number) {
    this.memory = new ArrayBuffer(4 * words);
    this.int32 = new Int32Array(this.memory);
  }
  cell(index: number): Cell {
    return new Cell(this.int32, index);
  }
  *check(): Generator<any, void, any> {}
}

const CALLS = [
  ...SLEEPER_BITS,
  'attempt',
  'waitSync',
  'withdraw',
  'checkPeers',
  'announce',
  'endsOnlyHere',
  'notify',
  'currentAgent',
  'check',
  'hasEnded',
  'section',
  'settle',
  'change',
];

/** Loads what has its state in several words under a robust mutex, with the real mutex. @param names Agents, in order. */
export function rewrittenSections(names: readonly string[], mutation?: Mutation): Record<string, any> {
  const gate = loadRewritten(changedSources(['memory/waiting/wait-protocol'], mutation), time, { calls: CALLS });
  const outside = memory(gate, names);
  const semaphore = loadRewritten(
    changedSources(['synchronize/words/semaphore-word'], mutation),
    { 'memory/index': outside },
    { calls: SLEEPER_BITS },
  );
  const externals = { 'memory/index': outside, 'errors/index': errors };
  const calls = [...CALLS, '#attempt', '#repair', '#notify', '#wake', 'runLocked'];
  const inner = ['words/lock-word', 'words/mutex', 'words/robust-mutex', 'state/agent-table'].map(
    (file) => `synchronize/${file}`,
  );
  const locks = loadRewritten(
    changedSources(inner, mutation, SMALL_TABLE),
    { ...externals, 'synchronize/words/fairness': withoutTime, 'synchronize/words/liveness-throttle': withoutTime },
    { calls },
  );
  const robust = { ROBUST_MUTEX_WORDS: locks['ROBUST_MUTEX_WORDS'], RobustMutex: forgetful(locks['RobustMutex']) };
  const outer = ['permit-ledger', 'condition-state', 'barrier-state'].map((file) => `synchronize/state/${file}`);
  const { AgentTable, tableWords } = locks;
  const table = { AgentTable, tableWords, SLOTS };
  const sections = loadRewritten(
    changedSources(outer, mutation),
    {
      ...externals,
      'synchronize/words/robust-mutex': robust,
      'synchronize/state/agent-table': table,
      'synchronize/words/semaphore-word': semaphore,
    },
    {
      calls: [
        ...calls,
        'take',
        'give',
        'enter',
        'free',
        'leave',
        'inUse',
        'ended',
        'someEnded',
        'known',
        'isMine',
        'repairIfAbandoned',
      ],
    },
  );
  // Lock and semaphore words have functions of the same names.
  return { ...locks, ...sections, semaphore, WaitQueue: outside.WaitQueue };
}

/**
 * Loads the state of an RwLock with the real mutex, guard and table. The agents' slots are taken before they run, so the guard
 * is for those who look after the dead alone. @param names Agents, in order.
 */
export function rewrittenRwState(names: readonly string[], mutation?: Mutation): Record<string, any> {
  const gate = loadRewritten(changedSources(['memory/waiting/wait-protocol'], mutation), time, { calls: CALLS });
  const files = ['words/lock-word', 'words/mutex', 'words/robust-mutex', 'state/agent-table', 'state/rw-state'];
  const fittings: Fitting[] = [
    ...SMALL_TABLE,
    ['const FIELDS = 15;', 'const FIELDS = 2;'],
    ['Math.max(GUARD + ROBUST_MUTEX_WORDS, 14)', 'GUARD + ROBUST_MUTEX_WORDS'],
  ];
  const sources = changedSources(
    files.map((file) => `synchronize/${file}`),
    mutation,
    fittings,
  );
  const outside = memory(gate, names);
  const externals = {
    'memory/index': outside,
    'errors/index': errors,
    'synchronize/words/fairness': withoutTime,
    'synchronize/words/liveness-throttle': withoutTime,
  };
  return { ...loadRewritten(sources, externals, { calls: [...CALLS, '#attempt', '#repair', 'runLocked', 'enter'] }) };
}

/** Loads the mutex and its guard, for what has its state under them. @param names Agents, in order. */
export function rewrittenGuard(names: readonly string[], mutation?: Mutation): Record<string, any> {
  const gate = loadRewritten(changedSources(['memory/waiting/wait-protocol'], mutation), time, { calls: CALLS });
  const files = ['words/lock-word', 'words/mutex', 'words/robust-mutex'].map((file) => `synchronize/${file}`);
  const externals = {
    'memory/index': memory(gate, names),
    'errors/index': errors,
    'synchronize/words/fairness': withoutTime,
    'synchronize/words/liveness-throttle': withoutTime,
  };
  return loadRewritten(changedSources(files, mutation), externals, {
    calls: [...CALLS, '#attempt', '#repair', 'runLocked'],
  });
}

/** Who tries finds nothing reserved, and looks after the dead each time. */
const withoutTime = {
  FairnessReserve: class {
    allows() {
      return true;
    }
  },
  LivenessThrottle: class {
    mayCheckNow() {
      return true;
    }
  },
};

/**
 * A mutex that tells the explorer what an agent's course depends on: what it had observed before a section, then what came of it;
 * not how it came in. The owner is the primitive, set after it was made.
 */
function forgetful(Mutex: any): any {
  return class extends Mutex {
    owner: object = {};
    *runLocked(section: () => Generator<any, unknown, any>): Generator<any, unknown, any> {
      const mutex = this as { owner: object };
      const began = yield ['history'];
      const result = yield* super.runLocked(function* () {
        yield ['at', 'in', began, own(mutex.owner)];
        const outcome = yield* section();
        yield ['at', 'out', began, outcome, own(mutex.owner)];
        return outcome;
      });
      yield ['at', 'after', began, result, own(mutex.owner)];
      return result;
    }
  };
}
