/** The real words of src/queues as the explorer runs them, and mutants of them that must be caught. */
import * as errors from '../../src/errors/index.js';
import { LINE, lines, RecordKind } from '../../src/queues/shared/item-memory.js';
import { LAGS } from '../../src/queues/topic-options.js';
import { loadRewritten } from './generatorize.js';
import { SLEEPER_BITS, sleeperBits } from './rewritten-memory.js';
import { changedSources, type Fitting, type Mutation } from './source-text.js';

/** The time of whoever runs: set before a wait returns, read right after it. */
export const clock = { now: 0 };

/** The layout of records; what it writes are steps where words are `shared`. */
function recordLayout(shared: string[]): Record<string, any> {
  return loadRewritten(changedSources(['memory/ring/record-layout'], undefined), {}, { calls: [], shared });
}

/** Loads the ring of items, its cursors and the word that is waited on. */
export function rewrittenQueues(mutation?: Mutation): Record<string, any> {
  const modules = changedSources(
    ['memory/waiting/wait-protocol', 'queues/shared/wait-word', 'queues/shared/cursor', 'queues/queue/item-ring'],
    mutation,
  );
  const externals = {
    'node:perf_hooks': { performance: { now: () => clock.now } },
    'memory/index': { ...recordLayout(['words', '#words']), ...sleeperBits(mutation) },
  };
  return loadRewritten(modules, externals, {
    calls: [
      ...SLEEPER_BITS,
      'writePad',
      'attempt',
      'waitSync',
      'withdraw',
      'checkPeers',
      'announce',
      'announceWaiter',
      'onSwept',
      'swept',
      'hasEnded',
    ],
    shared: ['words', '#words'],
  });
}

/** What the memories of {@link rewrittenMemories} lie in, for the scenario that runs now. */
interface Ground {
  /** Of the memory as the library sees it, and of the lock words behind it. */
  readonly words: Int32Array;
  /** A word for each page of large items: what was written there. */
  readonly pages: Int32Array;
  /** Bytes of the file. */
  readonly size: Int32Array;
  /** For the scenario. */
  readonly board: Int32Array;
  /** Agents, in their order. */
  readonly names: readonly string[];
}

let ground: Ground;

/** A ground of `words` words and four pages, in memory of its own. */
export function newGround(words: number, names: readonly string[]): Ground & { readonly memory: ArrayBuffer } {
  const memory = new ArrayBuffer(4 * (words + 8));
  const at = 4 * words;
  const made = {
    memory,
    words: new Int32Array(memory, 0, words),
    pages: new Int32Array(memory, at, 4),
    size: new Int32Array(memory, at + 16, 1),
    board: new Int32Array(memory, at + 20, 3),
    names,
  };
  made.size[0] = PAGE;
  ground = made;
  return made;
}

/** Runs a function of the rewritten modules to its end, as somebody who comes when all others have ended. */
export function alone(body: Generator<any, any, any>): any {
  let answer: unknown;
  for (;;) {
    const { done, value } = body.next(answer);
    if (done === true) return value;
    const [operation, array, index, ...operands] = value as [string, any, any, ...any[]];
    if (operation === 'self') answer = ground.names.length + 1;
    else if (operation === 'dead') answer = true;
    else if (operation === 'read') answer = array[index];
    else if (operation === 'write') array[index] = operands[0];
    else if (!/^(at|ring|history)$/.test(operation)) answer = (Atomics as any)[operation](array, index, ...operands);
  }
}

/** Bytes of a page, here. */
const PAGE = 4096;

/** A lock as synchronize/words/robust-mutex.ts has it: one at a time, a dead owner's goes to who finds out, who then repairs. */
class ModelledMutex {
  constructor(
    _block: unknown,
    readonly at: number,
    _name: string,
    readonly repair: () => Generator<any, any, any> | undefined,
  ) {}

  *runLocked(section: () => Generator<any, any, any>): Generator<any, any, any> {
    const { words, names } = ground;
    const me: number = yield ['self'];
    const history: number = yield ['history'];
    for (;;) {
      yield ['at', 'locks', history];
      const owner: number = yield ['compareExchange', words, this.at, 0, me];
      if (owner === 0) break;
      if (!(yield ['dead', names[owner - 1]])) yield ['sleep'];
      else {
        yield ['store', words, this.at + 1, 1];
        if ((yield ['compareExchange', words, this.at, owner, me]) === owner) break;
      }
    }
    if ((yield ['load', words, this.at + 1]) !== 0) {
      // A repair with nothing to do is no generator.
      yield* this.repair() ?? [];
      yield ['store', words, this.at + 1, 0];
    }
    const result: unknown = yield* section();
    yield ['store', words, this.at, 0];
    for (const other of names) if (other !== names[me - 1]) yield ['ring', other];
    return result;
  }
}

/** Mappings of large items that are open: what is written into them goes to their page. */
const mappings = new Map<ArrayBuffer, readonly [page: number, before: number]>();

const native = {
  *descriptorSize() {
    return (yield ['load', ground.size, 0]) as unknown as number;
  },
  *growMemory(_: number, size: number) {
    yield ['store', ground.size, 0, size];
  },
  *mapMemory(_: number, __: number, { offset }: { offset: number }): Generator<any, ArrayBuffer, any> {
    const page = offset / PAGE - 1;
    const size: number = yield ['load', ground.size, 0];
    if (offset + PAGE > size) throw new Error(`page ${page} lies behind the end of the file`);
    const buffer = new ArrayBuffer(4);
    const content: number = yield ['load', ground.pages, page];
    new Int32Array(buffer)[0] = content;
    mappings.set(buffer, [page, content]);
    return buffer;
  },
  *unmapMemory(buffer: ArrayBuffer) {
    const [page, before] = mappings.get(buffer)!;
    mappings.delete(buffer);
    const content = new Int32Array(buffer)[0]!;
    if (content !== before) yield ['store', ground.pages, page, content];
  },
  *releasePages(_: number, offset: number, length: number) {
    for (let at = offset; at < offset + length; at += PAGE) yield ['store', ground.pages, at / PAGE - 1, 0];
  },
};

/**
 * Loads the memories of queues and topics, large items and subscribers with them: a few slots of each. Locks are modelled; members and
 * waiters, which have words of their own, are left out.
 * @param plain Whether words of records are looked at for races. Not where a publisher dies: nothing orders what comes then after what it wrote.
 */
export function rewrittenMemories({
  mutation,
  slots,
  plain,
}: {
  mutation?: Mutation;
  slots: number;
  plain: boolean;
}): Record<string, any> {
  const fittings: Fitting[] = [
    ['const SLOTS = 64;', `const SLOTS = ${slots};`],
    ['const SLOTS = 128;', 'const SLOTS = 2;'],
    // In constructors, which run before the agents start.
    [/\bwords\[(\d)\]!?/g, 'words.at($1)'],
    // Who looks when is not what is looked at here.
    ['    this.#noteUse();\n', ''],
  ];
  const files = [
    'shared/cursor',
    'queue/item-ring',
    'shared/large-items',
    'topic/subscribers',
    'topic/topic-ring',
    'topic/topic-memory',
    'queue/queue-memory',
  ];
  const modules = changedSources(
    files.map((file) => `queues/${file}`),
    mutation,
    fittings,
  );
  const block = () => {
    const { words } = ground;
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    return { int32: words, bytes, region: { buffer: words.buffer, descriptor: 3 }, offset: 0, size: PAGE };
  };
  const none = class {};
  const externals = {
    'node:fs': native,
    'errors/index': errors,
    'native/index': native,
    'memory/index': {
      ...recordLayout(plain ? ['words'] : []),
      LIVENESS_CHECK_MS: 50,
      allocateBlock: block,
      attachBlock: block,
      isBlockHandle: (from: object) => 'ino' in from,
      *hasEnded(agent: number): Generator<any, boolean, any> {
        return yield ['dead', ground.names[agent - 1]];
      },
      *currentAgent(): Generator<any, number, any> {
        return yield ['self'];
      },
    },
    'synchronize/index': { ROBUST_MUTEX_WORDS: 2, RobustMutex: ModelledMutex },
    'queues/shared/item-memory': { RecordKind, LINE, lines },
    'queues/topic-options': { LAGS },
    'queues/shared/failure': { FAILURE_WORDS: 0, SharedFailure: none },
    'queues/shared/members': { MEMBER_WORDS: 0, Members: none },
    'queues/shared/waiters': { Waiters: none },
  };
  return loadRewritten(modules, externals, {
    calls: [
      'writePad',
      'run',
      'runLocked',
      'layout',
      'swept',
      'onSwept',
      'hasEnded',
      'currentAgent',
      ...Object.keys(native),
    ],
    shared: plain ? ['words'] : [],
  });
}
