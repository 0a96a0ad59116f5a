/**
 * Every order of steps of two and three readers of one end over the real words: each message is
 * handed out once, whoever reads ahead, also when the one that read ahead dies at any step (then
 * what it had not taken may come once more).
 *
 * The kernel's queue is a word, how many messages were taken. Reading exactly is one step there;
 * reading ahead is a look, handing out, and taking, with anything in between. Who is still alone
 * looks again after that without leaving.
 */
import { strictEqual } from 'node:assert';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Agent, explore, type Scenario } from '../support/explorer.js';
import { loadRewritten } from '../support/generatorize.js';

const TAKEN = 3;
const HANDED = 4;

/** The agents of the scenario that is being made. */
let names: readonly string[] = [];
let enrolled = 0;

/** The real words, or a mutant of them. */
function protocolOf(mutation?: readonly [from: string, to: string]): any {
  let source = readFileSync(new URL('../../src/connection/exchange/reader-words.ts', import.meta.url), 'utf8');
  if (mutation !== undefined) {
    if (source.split(mutation[0]).length !== 2)
      throw new Error(`The mutation does not match exactly once: ${mutation[0]}`);
    source = source.replace(mutation[0], () => mutation[1]);
  }
  const memory = {
    currentAgent: () => ++enrolled,
    *hasEnded(agent: number): Generator<any, boolean, any> {
      return yield ['dead', names[agent - 1]];
    },
  };
  return loadRewritten(
    [{ file: 'connection/exchange/reader-words', source }],
    { 'memory/index': memory },
    { calls: ['hasEnded'] },
  );
}

function scenario({ ReaderWords }: any, rounds: Record<string, number>): Scenario {
  names = Object.keys(rounds);
  enrolled = 0;
  const bytes = new ArrayBuffer(64);
  const words = new Int32Array(bytes);
  function* tellOthers(name: string): Agent {
    for (const other of names) if (other !== name) yield ['ring', other];
  }
  function* reader(name: string, protocol: any): Agent {
    for (let round = 0; round < rounds[name]!; ) {
      yield ['at', round];
      const standing = yield* protocol.enter();
      yield ['at', round, standing];
      if (standing === 'wait') {
        yield ['sleep'];
        continue;
      }
      if (standing === 'sole') {
        for (let goesOn = true; goesOn; ) {
          const next = yield ['load', words, TAKEN];
          yield ['add', words, HANDED + next, 1];
          goesOn = round + 1 < rounds[name]! && (yield* protocol.stays());
          yield ['store', words, TAKEN, next + 1];
          if (!goesOn) break;
          round++;
          yield ['at', round, 'goes on'];
        }
      } else {
        const next = yield ['add', words, TAKEN, 1];
        yield ['add', words, HANDED + next, 1];
      }
      yield ['at', round, 'handed out'];
      yield* protocol.leave();
      yield ['at', round, 'left'];
      yield* tellOthers(name);
      round++;
    }
    yield ['at', 'all'];
    yield* protocol.resign();
    yield* tellOthers(name);
  }
  const agents = Object.fromEntries(names.map((name) => [name, reader(name, new ReaderWords({ int32: words }))]));
  const messages = Object.values(rounds).reduce((a, b) => a + b);
  return {
    memory: bytes,
    agents,
    end(dead) {
      for (let i = 0; i < words[TAKEN]!; i++) {
        const handed = words[HANDED + i]!;
        // One that died may have read without handing out, or handed out without taking.
        if (dead.size > 0 && handed !== 1)
          strictEqual(handed === 0 || handed === 2, true, `message ${i} was handed out ${handed} times`);
        else strictEqual(handed, 1, `message ${i} was handed out ${handed} times`);
      }
      if (dead.size === 0) strictEqual(words[TAKEN], messages, 'somebody stopped early');
    },
  };
}

const real = protocolOf();

it.each<[string, Record<string, number>]>([
  ['two readers', { a: 2, b: 2 }],
  ['one that reads long', { a: 4, b: 1 }],
  ['three readers', { a: 1, b: 1, c: 1 }],
])(
  '%s get each message once',
  (_name, rounds) => {
    expect(explore(() => scenario(real, rounds), { races: false }).states).toBeGreaterThan(100);
  },
  300_000,
);

it('a reader that dies at any step keeps nobody waiting', () => {
  explore(() => scenario(real, { a: 2, b: 2 }), { races: false, crash: ['a'] });
});

it.each([
  [
    'looks before it says that it owes',
    [
      'Atomics.store(words, OWES, 1);\n        if (Atomics.load(words, READER) === this.#me) return',
      'Atomics.store(words, OWES, 0);\n        return',
    ],
  ],
  ['does not wait for the one before', ["if (first !== this.#me && !hasEnded(first)) return 'wait';", '']],
  [
    'does not tell that it reads too',
    ['if (Atomics.compareExchange(words, READER, reader, MANY) === reader) return', 'return'],
  ],
  [
    'takes it for shared although that failed',
    [
      'if (Atomics.compareExchange(words, READER, reader, MANY) === reader) return',
      'Atomics.compareExchange(words, READER, reader, MANY); return',
    ],
  ],
  [
    'never says that it is done',
    ['if (Atomics.load(this.#words, FIRST) === this.#me) Atomics.store(this.#words, OWES, 0);', ''],
  ],
] as const)('a mutant that %s is caught', (_name, mutation) => {
  const mutant = protocolOf(mutation);
  expect(() =>
    explore(() => scenario(mutant, _name.startsWith('takes') ? { a: 1, b: 1, c: 1 } : { a: 2, b: 2 }), {
      races: false,
    }),
  ).toThrow();
});
