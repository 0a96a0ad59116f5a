import { describe, expect, it } from 'vitest';
import { type Census, emptyCensus } from '../../examples/source-census/census.js';
import { type Outcome, toJson, toText } from '../../examples/source-census/report.js';
import { noFindings } from '../../examples/source-census/walk.js';

const worst = { file: 'a/b.js', name: 'f', line: 12, lines: 40, complexity: 17 };
const census: Census = {
  files: 1_200,
  parsed: 1_197,
  failed: 3,
  bytes: 24e6,
  lines: 500_000,
  functions: 4,
  complexity: 30,
  imports: { static: 5, dynamic: 6, require: 7 },
  comments: { count: 8, lines: 9 },
  longest: { file: 'c.js', name: 'g', line: 1, lines: 1_500, complexity: 2 },
  mostComplex: [worst, { ...worst, line: 90, complexity: 9 }],
  failures: { 'does not parse: Unexpected token': 1, 'worker crashed: SIGKILL': 2 },
  largestWorker: 90e6,
};
const outcome: Outcome = {
  directory: 'dir',
  workers: 4,
  partial: false,
  census,
  findings: { ...noFindings(), directories: 50, unreadableDirectories: { EACCES: 2 } },
  seconds: 2,
  comparison: { files: 200, secondsInPool: 1, secondsInOneProcess: 3.5, speedup: 3.5 },
  parentMemory: 70e6,
};
const empty: Outcome = { ...outcome, census: emptyCensus, findings: noFindings(), comparison: null, seconds: 0 };

describe('toText', () => {
  const text = toText(outcome);

  it.each([
    'Census of dir\n',
    '1,200 (1,197 parsed, 3 failed)',
    '24.0 MB, 500,000 lines',
    '4, mean complexity 7.50',
    '5 static, 6 dynamic, 7 require calls',
    '8 on 9 lines',
    '1,500 lines  c.js:1  g\n',
    '17  a/b.js:12  f\n',
    '9  a/b.js:90  f\n',
    '1  does not parse: Unexpected token\n',
    '2  EACCES\n',
    '2.0 s with 4 workers: 600 files/s, 12.0 MB/s',
    '3.50 times one process, on a sample of 200 files',
    'parent 70.0 MB, largest worker 90.0 MB',
    "McCabe's cyclomatic complexity: 1 + if",
  ])('tells %j', (part) => {
    expect(text).toContain(part);
  });

  it('puts the most frequent failure first', () => {
    expect(text.indexOf('SIGKILL')).toBeLessThan(text.indexOf('Unexpected token'));
  });

  it('is marked when partial, and then has no speed-up', () => {
    const partial = toText({ ...outcome, partial: true, comparison: null });
    expect(partial).toMatch(/^PARTIAL census of dir, interrupted after 2\.0 s\n/);
    expect(partial).toContain('not measured');
  });

  it('leaves out what there is none of', () => {
    expect(toText(empty)).not.toMatch(/Longest|Most complex|without|could not|Symbolic|NaN|Infinity|undefined/);
    expect(toText({ ...empty, findings: { ...noFindings(), brokenLinks: 2 } })).toContain('2  broken');
  });
});

describe('toJson', () => {
  it('holds everything the report tells', () => {
    expect(toJson(outcome)).toEqual({
      directory: 'dir',
      files: 1_200,
      parsed: 1_197,
      failed: 3,
      functions: 4,
      lines: 500_000,
      bytes: 24e6,
      comments: { count: 8, lines: 9 },
      imports: { static: 5, dynamic: 6, require: 7 },
      complexity: { max: 17, mean: 7.5 },
      longestFunction: census.longest,
      mostComplex: census.mostComplex,
      failures: census.failures,
      findings: outcome.findings,
      itemsPerSecond: 600,
      megabytesPerSecond: 12,
      seconds: 2,
      workers: 4,
      speedup: 3.5,
      comparison: outcome.comparison,
      peakMemory: { parent: 70e6, largestWorker: 90e6 },
    });
  });

  it('has a mark only when partial', () => {
    expect(toJson(outcome)).not.toHaveProperty('partial');
    expect(toJson({ ...outcome, partial: true })).toHaveProperty('partial', true);
  });

  it('is plain JSON for an empty tree too', () => {
    const json = toJson(empty);
    expect(JSON.parse(JSON.stringify(json))).toEqual(json);
    expect(json).toMatchObject({
      files: 0,
      complexity: { max: 0, mean: 0 },
      longestFunction: null,
      itemsPerSecond: 0,
      speedup: null,
    });
  });
});
