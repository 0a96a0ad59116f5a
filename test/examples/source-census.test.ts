/** examples/source-census and the small examples, built, as a user runs them. */
import { copyFileSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, ExampleProgram, runExample } from '../support/example-program.js';

const MAIN = 'source-census/main';
const run = (...line: string[]): Promise<Ended> => runExample(MAIN, line);

let base: string;
let small: string;

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'census-run-'));
  small = join(base, 'small');
  mkdirSync(join(small, 'sub'), { recursive: true });
  mkdirSync(join(small, 'empty'));
  writeFileSync(
    join(small, 'module.mjs'),
    'import "x";\n// one\nexport const twist = (a) => {\n  if (a && a.b) return 1;\n};\n',
  );
  writeFileSync(join(small, 'sub', 'common.cjs'), 'with (a) b;\nfunction plain() {\n\n\n}\nrequire("y");\n');
  writeFileSync(join(small, 'sub', 'broken.js'), 'let a = ;\n');
  writeFileSync(join(small, 'sub', 'also-broken.js'), '\n\nfoo(];\n');
  writeFileSync(join(small, 'not.txt'), 'function no() {}');
  symlinkSync('..', join(small, 'sub', 'up'));
});

afterAll(() => rmSync(base, { recursive: true }));

describe('source census', () => {
  it('prints one JSON object and nothing else with --json', async () => {
    const { stdout, stderr, code } = await run('--json', '--workers', '2', small);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('files/s') });
    expect(stdout.trimEnd()).not.toContain('\n');
    const json = JSON.parse(stdout);
    expect(json).toMatchObject({
      files: 4,
      parsed: 2,
      failed: 2,
      functions: 2,
      lines: 15,
      comments: { count: 1, lines: 1 },
      imports: { static: 1, dynamic: 0, require: 1 },
      complexity: { max: 3, mean: 2 },
      longestFunction: { file: 'sub/common.cjs', name: 'plain', line: 2, lines: 4 },
      mostComplex: [
        { file: 'module.mjs', name: 'twist', line: 3, complexity: 3 },
        { file: 'sub/common.cjs', name: 'plain', complexity: 1 },
      ],
      failures: { 'does not parse: Unexpected token': 2 },
      findings: { directories: 3, unreadableDirectories: {}, repeatedLinks: 1, brokenLinks: 0 },
      workers: 2,
    });
    expect(json).not.toHaveProperty('partial');
    for (const number of [json.itemsPerSecond, json.seconds, json.speedup, json.bytes, json.peakMemory.parent]) {
      expect(number).toBeGreaterThan(0);
    }
    expect(json.peakMemory.largestWorker).toBeGreaterThan(1e6);
  });

  it('prints a report for a reader', async () => {
    const { stdout, code } = await run(small);
    expect(code).toBe(0);
    for (const part of [
      '4 (2 parsed, 2 failed)',
      'module.mjs:3  twist',
      '2  does not parse: Unexpected token',
      'times one process',
    ]) {
      expect(stdout).toContain(part);
    }
    expect(stdout).not.toContain('PARTIAL');
  });

  it('has nothing to compare in an empty tree', async () => {
    const { stdout, code } = await run('--json', join(small, 'empty'));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ files: 0, failed: 0, speedup: null, comparison: null });
  });

  it('explains itself with --help', async () => {
    const { stdout, stderr, code } = await run('--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: /);
  });

  it.each([
    [['--jsn'], "unknown option '--jsn'"],
    [['no/such/place'], 'there is no directory "no/such/place"'],
  ])('refuses %j with exit code 2 and one line', async (line, message) => {
    const { stdout, stderr, code } = await run(...line);
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: `source-census: ${message}. Try --help.\n`,
    });
  });
});

describe('an interrupted source census', () => {
  let large: string;

  // One large file under very many names: more work than is done before the signal arrives.
  beforeAll(() => {
    large = join(base, 'large');
    mkdirSync(large);
    const first = join(large, '0.js');
    copyFileSync(createRequire(import.meta.url).resolve('acorn'), first);
    for (let i = 1; i < 4_000; i++) linkSync(first, join(large, `${i}.js`));
  });

  it.each(['program', 'group'] as const)(
    'ends with a partial object and no process left when SIGINT reaches the %s',
    async (whom) => {
      const census = new ExampleProgram(MAIN, ['--json', '--workers', '2', large]);
      await census.saying(/^\d+ of \d+ files/m);
      census.signal(whom);
      const { stdout, code, signal } = await census.ended;
      await census.gone();
      expect({ code, signal }).toEqual({ code: 130, signal: null });
      const json = JSON.parse(stdout);
      expect(json).toMatchObject({ partial: true, speedup: null, failed: 0, failures: {}, workers: 2 });
      expect(json.files).toBeGreaterThan(0);
      expect(json.files).toBeLessThan(4_000);
    },
  );

  it('ends with a partial report', async () => {
    const census = new ExampleProgram(MAIN, [large]);
    await census.saying(/^\d+ of \d+ files/m);
    census.signal('program');
    const { stdout, code } = await census.ended;
    await census.gone();
    expect(code).toBe(130);
    expect(stdout).toMatch(/^PARTIAL census of /);
    expect(stdout).toContain('not measured');
  });
});

describe('the small examples', () => {
  it('closures: captures and imports are there in the workers', async () => {
    const { stdout, stderr, code } = await new ExampleProgram('closures').ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n')[0]).toBe('anna 27d48a7d8de4cc762f9e890a666aad9125b26a7d20a6544d49198060d9605d8c');
    expect(stdout.trimEnd().split('\n')).toHaveLength(3);
  });

  it('backpressure: stops after twenty, never further ahead than its window', async () => {
    const example = new ExampleProgram('backpressure');
    const { stdout, stderr, code } = await example.ended;
    await example.gone();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const rows = [...stdout.matchAll(/^read (\d+): (\d+), (\d+) ahead$/gm)].map((row) => row.slice(1).map(Number));
    expect(rows.map(([read, square]) => [read, square])).toEqual(Array.from({ length: 20 }, (_, i) => [i + 1, i * i]));
    expect(Math.max(...rows.map(([, , ahead]) => ahead!))).toBeLessThanOrEqual(8);
  });
});
