/**
 * Every order of steps of readers and writers over the real MapMemory (SharedMap), its real cells and guard: whole values only, no
 * entry lost, no memory lost, also when a writer dies at any step. Each word of a value is read and written in a step of its own.
 *
 * MULTIPROCESS_EXHAUSTIVE=1 adds what takes minutes.
 */
import { deepStrictEqual, ok, strictEqual } from 'node:assert';
import { describe, expect, it } from 'vitest';
import { keyOf } from '../../src/shared-map/key.js';
import { type Agent, before, explore, type Report, type Scenario } from '../support/explorer.js';
import { rewrittenSharedMap } from '../support/rewritten-shared-map.js';
import { ExploredBlock } from '../support/rewritten-synchronize.js';
import type { Mutation } from '../support/source-text.js';

type Steps<R> = Generator<any, R, any>;

const EXHAUSTIVE = process.env['MULTIPROCESS_EXHAUSTIVE'] === '1';
const FILE = 'shared-map/map-memory';
const CAPACITY = 3;
const ANY = -1;
/** So long that it takes two cells. */
const VALUE_WORDS = 3;

/** What an agent does, one after another. */
type Deed =
  | readonly ['put', key: number, value: number]
  | readonly ['remove', key: number]
  | readonly ['clear']
  /** Reads: what may be found. `null`: nothing. */
  | readonly ['read', key: number, ...expected: (number | null)[]]
  /** Looks whether the size is that of the entries, once it is known that `w`, who changes them, is dead. */
  | readonly ['size', entries: number]
  | readonly ['has', key: number, ...expected: boolean[]]
  /** Looks at an entry by its number: what may be found, as key and value. */
  | readonly ['entry', at: number, ...expected: (string | null)[]]
  /** Replaces what it has read, if it is the same still, until that is so. */
  | readonly ['add', key: number];

interface Setup {
  readonly cells?: number;
  /** What is there at first. */
  readonly there?: readonly [key: number, value: number][];
  /** An agent died under the guard before: who takes it next repairs. */
  readonly broken?: boolean;
  /** What may be there in the end, by key. */
  readonly end: Readonly<Record<number, readonly (number | null)[]>>;
}

function scenario(
  map: Record<string, any>,
  deeds: Record<string, readonly Deed[]>,
  { cells = 8, there = [], broken, end }: Setup,
): Scenario {
  const layout = map['layoutOf'](CAPACITY, cells);
  const block = new ExploredBlock(layout.words);
  map['MapMemory'].format(block, layout);
  const keyOf = (key: number) => map['copyOf'](map['keyOf']('test', key));
  const wordsOf = (value: number) => new Int32Array(VALUE_WORDS).fill(value);
  const make = () => new map['MapMemory'](block);
  const whole = (words: Int32Array): number => {
    ok(
      words.subarray(0, VALUE_WORDS).every((word) => word === words[0]),
      `a value is torn: ${words}`,
    );
    return words[0]!;
  };
  for (const [key, value] of there) before(make().put(keyOf(key), wordsOf(value), 4 * VALUE_WORDS, ANY), 1);
  if (broken === true) block.int32[1] = 1;

  function* doOne(memory: any, [what, ...args]: Deed): Steps<void> {
    const [key, ...expected] = args as [number, ...any[]];
    const among = (found: unknown) =>
      ok(expected.includes(found), `${what} ${key} found ${String(found)}, not ${expected.join(' or ')}`);
    switch (what) {
      case 'put':
        strictEqual(yield* memory.put(keyOf(key), wordsOf(expected[0]), 4 * VALUE_WORDS, ANY), 0, 'it was not put');
        return;
      case 'remove':
        yield* memory.remove(keyOf(key));
        return;
      case 'clear':
        yield* memory.clear();
        return;
      case 'read': {
        const found = yield* memory.valueOf(keyOf(key));
        among(found === null ? null : whole(found.words));
        return;
      }
      case 'size': {
        if (!(yield ['dead', 'w'])) return;
        const size = yield* memory.size();
        let count = 0;
        for (let i = 0; i < key; i++) if ((yield* memory.entryAt(i, false)) !== null) count++;
        strictEqual(size, count, 'the size is wrong');
        return;
      }
      case 'has':
        among(yield* memory.contains(keyOf(key)));
        return;
      case 'entry': {
        const found = yield* memory.entryAt(key, true);
        among(found === null ? null : `${map['keyFrom'](found.header, found.key)}=${whole(found.value.words)}`);
        return;
      }
      case 'add':
        for (;;) {
          const found = yield* memory.valueOf(keyOf(key));
          yield ['at', 'add', key, found === null ? null : [found.stamp, whole(found.words)]];
          const next = found === null ? 1 : whole(found.words) + 1;
          if ((yield* memory.put(keyOf(key), wordsOf(next), 4 * VALUE_WORDS, found?.stamp ?? 0)) === 0) return;
          yield ['at', 'again', key];
        }
      default:
    }
  }
  function* agent(all: readonly Deed[]): Agent {
    const memory = make();
    for (const [i, deed] of all.entries()) {
      yield ['at', i];
      yield* doOne(memory, deed);
    }
  }
  return {
    memory: block.memory,
    agents: Object.fromEntries(Object.entries(deeds).map(([name, all]) => [name, agent(all)])),
    end: () => {
      // What the explorer's memory is now stays as it is: another block has a copy.
      const copy = new ExploredBlock(layout.words);
      copy.int32.set(block.int32);
      // Nobody is left: the one that may hold the guard has died.
      if (copy.int32[0] !== 0) copy.int32.set([0, 1]);
      const memory = new map['MapMemory'](copy);
      const now = () => Object.keys(end).map((key) => before<any>(memory.valueOf(keyOf(Number(key))), 1));
      const seen = now().map((found) => (found === null ? null : whole(found.words)));
      for (const [i, [key, allowed]] of Object.entries(end).entries())
        ok(allowed.includes(seen[i]!), `in the end ${key} is ${seen[i]}`);
      // A change repairs, and changes nothing else.
      before(memory.remove(keyOf(99)), 1);
      deepStrictEqual(
        now().map((found) => (found === null ? null : whole(found.words))),
        seen,
        'a repair changed what is there',
      );
      const size = seen.filter((value) => value !== null).length;
      strictEqual(before(memory.size(), 1), size, 'the size is wrong');
      strictEqual(before(memory.freeCells(), 1), cells - size * map['cellsFor'](2, 4 * VALUE_WORDS), 'memory is lost');
      // All of it can be used.
      for (const key of Object.keys(end)) before(memory.remove(keyOf(Number(key))), 1);
      for (let key = 50; key < 50 + CAPACITY; key++)
        strictEqual(before(memory.put(keyOf(key), wordsOf(key), 4 * VALUE_WORDS, ANY), 1), 0);
      for (let key = 50; key < 50 + CAPACITY; key++)
        strictEqual(whole(before<any>(memory.valueOf(keyOf(key)), 1).words), key);
    },
  };
}

function run(deeds: Record<string, readonly Deed[]>, setup: Setup, victim?: string, mutation?: Mutation): Report {
  const map = rewrittenSharedMap(Object.keys(deeds), mutation);
  const start = performance.now();
  const crash = victim === undefined ? {} : { crash: [victim] };
  const report = explore(() => scenario(map, deeds, setup), {
    races: false,
    racy: true,
    plain: 'step',
    limit: 20_000_000,
    ...crash,
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.info(`${report.states} states, ${report.schedules} orders, longest ${report.longest}, ${seconds} s`);
  return report;
}

const many = (report: Report) => expect(report.states).toBeGreaterThan(50);

type Case = readonly [deeds: Record<string, readonly Deed[]>, setup: Setup, victim?: string];

/** The cells of what a reader looks at are used again while it looks. */
const REPLACED: Case = [
  { w: [['put', 1, 20], ['put', 1, 30]], r: [['read', 1, 10, 20, 30]] },
  { cells: 6, there: [[1, 10]], end: { 1: [30] } },
]; // biome-ignore format: a case
/** A key of another stripe than 1. */
const FAR = [2, 3, 4, 5, 6, 7].find((key) => (keyOf('test', key).hash & 1) !== (keyOf('test', 1).hash & 1))!;
const REUSED: Case = [
  { w: [['put', 1, 20], ['put', FAR, 30]], r: [['read', 1, 10, 20]] },
  { cells: 6, there: [[1, 10]], end: { 1: [20], [FAR]: [30] } },
]; // biome-ignore format: a case
const REMOVED: Case = [
  { w: [['remove', 1], ['put', 2, 20]], r: [['read', 1, 10, null]] },
  { cells: 6, there: [[1, 10]], end: { 1: [null], 2: [20] } },
]; // biome-ignore format: a case
const LOOKED_AT: Case = [
  { w: [['remove', 1], ['put', 2, 20]], r: [['entry', 0, '1=10', '2=20', null]] },
  { cells: 6, there: [[1, 10]], end: { 1: [null], 2: [20] } },
]; // biome-ignore format: a case
const DYING_PUT: Case = [
  { w: [['put', 2, 20]], v: [['put', 3, 30]] },
  { cells: 6, there: [[1, 10]], end: { 1: [10], 2: [20, null], 3: [30] } },
  'w',
]; // biome-ignore format: a case
const DYING_REPLACE: Case = [
  { w: [['put', 1, 20]], v: [['read', 1, 10, 20], ['put', 2, 30]] },
  { cells: 6, there: [[1, 10]], end: { 1: [10, 20], 2: [30] } },
  'w',
]; // biome-ignore format: a case
const REPAIRED: Case = [
  { w: [['put', 2, 20]], r: [['read', 1, 10]] },
  { cells: 6, there: [[1, 10], [3, 30]], broken: true, end: { 1: [10], 2: [20], 3: [30] } },
]; // biome-ignore format: a case

describe('the memory of a SharedMap', { timeout: 3_600_000 }, () => {
  it.each([
    ['a reader beside a replacement, and a put that uses its memory again', ...REUSED],
    ['a reader beside a removal, and a put that uses its memory again', ...REMOVED],
    ['one that iterates beside these', ...LOOKED_AT],
    ['a reader beside a repair', ...REPAIRED],
    ['two that add to one value', { a: [['add', 1]], b: [['add', 1]] }, { there: [[1, 10]], end: { 1: [12] } }],
    ['two that add to what is not there', { a: [['add', 1]], b: [['add', 1]] }, { end: { 1: [2] } }],
    [
      'one that adds beside a put',
      { a: [['add', 1]], b: [['put', 1, 20]] },
      { there: [[1, 10]], end: { 1: [20, 21] } },
    ],
    [
      'one that looks beside a removal and a clearing',
      { w: [['clear']], r: [['has', 1, true, false]] },
      { there: [[1, 10]], end: { 1: [null] } },
    ],
    ...(EXHAUSTIVE ? [['a reader beside two replacements', ...REPLACED]] : []),
    ['two writers', { a: [['put', 1, 10]], b: [['put', 2, 20]] }, { end: { 1: [10], 2: [20] } }],
  ] as [string, ...Case][])('%s: values are whole, and none is lost', (_, ...[deeds, setup, victim]) =>
    many(run(deeds, setup, victim)),
  );

  it.each([
    ['a put', ...DYING_PUT],
    ['a replacement', ...DYING_REPLACE],
    ['a put that somebody counts', { w: [['put', 2, 20]], v: [['size', 2]] }, { there: [[1, 10]], end: { 1: [10], 2: [20, null] } }, 'w'],
    ['a removal', { w: [['remove', 1]], v: [['put', 2, 20]] }, { there: [[1, 10], [3, 30]], end: { 1: [10, null], 2: [20], 3: [30] } }, 'w'],
    ['a clearing', { w: [['clear']], v: [['put', 2, 20]] }, { there: [[1, 10]], end: { 1: [10, null], 2: [20, null] } }, 'w'],
    ['a repair', { w: [['put', 2, 20]], v: [['read', 1, 10], ['put', 3, 30]] }, { cells: 8, there: [[1, 10]], broken: true, end: { 1: [10], 2: [20, null], 3: [30] } }, 'w'],
  ] as [string, ...Case][])('%s may die at any step: the old or the new value is there, and all else', (_, ...[deeds, setup, victim]) =>
    many(run(deeds, setup, victim)),
  ); // biome-ignore format: a table

  it.each([
    ['a replacement that readers do not see', 'this.#touch(key.hash);\n      this.#cells.release(old);', 'this.#cells.release(old);', REPLACED],
    ['a removal that readers do not see', 'this.#touch(key.hash);\n      this.#freeEntry(entry);', 'this.#freeEntry(entry);', REMOVED],
    ['a reader that does not look again', 'return now === version && ', 'return now === now && ', REPLACED],
    ['a reader that trusts a repair', 'if ((rebuilds & 1) !== 0) break;\n      let value', 'let value', REPAIRED],
    ['a repair that readers do not see', 'Atomics.or(this.#words, REBUILDS, 1);', '', REPAIRED],
    ['a repair that finds no memory', 'this.#cells.rebuild(this.#rebuildTable());', 'this.#rebuildTable();', DYING_PUT],
    ['a repair that finds no entries', 'this.#cells.rebuild(this.#rebuildTable());', 'this.#cells.rebuild([]);', DYING_PUT],
    [
      'an entry that is there before its hash is',
      '    Atomics.store(this.#words, at + HASH, hash);\n    Atomics.store(this.#words, at + NEXT, Atomics.load(this.#words, bucket));',
      '    Atomics.store(this.#words, at + FIRST, first + 1);\n    Atomics.store(this.#words, at + HASH, hash);\n    Atomics.store(this.#words, at + NEXT, Atomics.load(this.#words, bucket));',
      DYING_PUT,
    ],
    [
      'a value that is there before it is written',
      'this.#cells.fill(first, key, value, bytes, this.#nextStamp());\n      if (entry < 0) {\n        this.#insert(key.hash, first);',
      'if (entry < 0) {\n        this.#insert(key.hash, first);\n        this.#cells.fill(first, key, value, bytes, this.#nextStamp());',
      [{ w: [['put', 2, 20]], v: [['entry', 0, '2=20', null]] }, { end: { 2: [20] } }],
    ],
    [
      'an old value that is given back first',
      'Atomics.store(this.#words, this.#entry(entry) + FIRST, first + 1);\n      this.#touch(key.hash);\n      this.#cells.release(old);',
      'this.#touch(key.hash);\n      this.#cells.release(old);\n      Atomics.store(this.#words, this.#entry(entry) + FIRST, first + 1);',
      REUSED,
    ],
    [
      'a size that the dead left',
      '    this.#guard.repairIfAbandoned();\n',
      '',
      [{ w: [['put', 2, 20]], v: [['size', 2]] }, { there: [[1, 10]], end: { 1: [10], 2: [20, null] } }, 'w'],
    ],
    ['one that adds to what was replaced', ' !== expected) return Put.Overtaken;', ' === -7) return Put.Overtaken;', [{ a: [['add', 1]], b: [['add', 1]] }, { there: [[1, 10]], end: { 1: [12] } }]],
  ] as [string, string, string, Case][])('%s is caught', (_, from, to, [deeds, setup, victim]) => {
    expect(() => run(deeds, setup, victim, { file: FILE, from, to })).toThrow(/torn|found|lost|in the end|is wrong|changed|for ever|throws/);
  }); // biome-ignore format: a table

  it.runIf(EXHAUSTIVE)('a reader beside a writer that dies and one that repairs', () => {
    many(
      run(
        { w: [['put', 1, 20]], v: [['put', 2, 30]], r: [['read', 1, 10, 20]] },
        { cells: 6, there: [[1, 10]], end: { 1: [10, 20], 2: [30] } },
        'w',
      ),
    );
  });
});
