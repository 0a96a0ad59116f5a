import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CensusItem, emptyCensus, include, TOP } from '../../examples/source-census/census.js';
import { measure } from '../../examples/source-census/measure.js';
import { WorkerCrashError } from '../../src/errors/index.js';

type Result = PromiseSettledResult<CensusItem>;

const fulfilled = (value: CensusItem): Result => ({ status: 'fulfilled', value });
const measured = (file: string, source: string, memory = 1): Result =>
  fulfilled({ file, bytes: source.length, lines: 1, memory, measured: measure(source) });
const failed = (file: string, failure: string): Result => fulfilled({ file, bytes: 5, lines: 1, memory: 1, failure });
const crashed: Result = {
  status: 'rejected',
  reason: new WorkerCrashError('x', { pid: 7, exitCode: null, signal: 'SIGSEGV' }),
};
const census = (results: Result[]) => results.reduce(include, emptyCensus);

describe('include', () => {
  it('adds up what files contain', () => {
    const total = census([
      measured('a.js', 'import "x"; const f = () => a && b;', 30),
      measured('b.js', '/* c */ require("y"); import("z"); function g() { if (a) { if (b) c(); } }', 20),
    ]);
    expect(total).toMatchObject({
      files: 2,
      parsed: 2,
      failed: 0,
      functions: 2,
      complexity: 5,
      lines: 2,
      imports: { static: 1, dynamic: 1, require: 1 },
      comments: { count: 1, lines: 1 },
      longest: { file: 'a.js', name: 'f' },
      largestWorker: 30,
    });
    expect(total.mostComplex.map(({ file, name, complexity }) => [file, name, complexity])).toEqual([
      ['b.js', 'g', 3],
      ['a.js', 'f', 2],
    ]);
  });

  it('counts failures by reason, with the size of what could be read', () => {
    const total = census([
      failed('a.js', 'p'),
      failed('b.js', 'q'),
      failed('c.js', 'p'),
      crashed,
      measured('d.js', 'a'),
    ]);
    expect(total).toMatchObject({
      files: 5,
      parsed: 1,
      failed: 4,
      bytes: 16,
      failures: { p: 2, q: 1, 'worker crashed: SIGSEGV': 1 },
    });
  });

  it('keeps only the most complex functions', () => {
    const total = census(
      Array.from({ length: 30 }, (_, i) => measured(`${i}.js`, `const f = () => a${' && a'.repeat(i)};`)),
    );
    expect(total.mostComplex).toHaveLength(TOP);
    expect(total.mostComplex.map((each) => each.complexity)).toEqual([30, 29, 28, 27, 26, 25, 24, 23, 22, 21]);
  });

  it('leaves the census it extends as it was', () => {
    const before = structuredClone(emptyCensus);
    census([measured('a.js', '() => 1'), failed('b.js', 'p'), crashed]);
    expect(emptyCensus).toEqual(before);
  });

  it('has the same outcome in any order of arrival', () => {
    const results = [
      crashed,
      failed('a.js', 'p'),
      ...Array.from({ length: 20 }, (_, i) =>
        measured(`${i % 7}.js`, `${'\n'.repeat(i)}const f${i} = () => a${' || b'.repeat(i % 5)};`, i),
      ),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(results, { minLength: results.length }), (shuffled) => {
        expect(census(shuffled)).toEqual(census(results));
      }),
    );
  });
});
