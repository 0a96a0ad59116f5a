/** list.md against the tests that are here: each line is the name of a test in each variant, or has a reason in docs/python-mapping.md. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { itNeeds } from '../support/needs.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Test {
  /** Titles, from the outermost on. */
  readonly name: string;
  readonly file: string;
  readonly projectName: string;
}

interface Line {
  readonly name: string;
  readonly variants: readonly string[];
}

/** Where tests with names of Python's are. */
const FILES = [
  'test/conformance',
  'test/process/hosts.test.ts',
  'test/process/starting.test.ts',
  'test/process/forkserver/template.test.ts',
  'test/shared-memory/random-name.test.ts',
];

let tests: Test[] = [];
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  try {
    const out = join(folder, 'tests.json');
    // A vitest of its own, which must not take itself for a part of this one.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')));
    const line = ['node_modules/vitest/vitest.mjs', 'list', `--json=${out}`, ...FILES];
    await promisify(execFile)(process.execPath, line, { cwd: root, env });
    tests = JSON.parse(readFileSync(out, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 300_000);

const lines: Line[] = [];
let variants: readonly string[] = [];
for (const line of read('test/conformance/list.md').split('\n')) {
  const heading = /^## .*?(?:\(([PMT](?: [PMT])*)[;,)]|$)/.exec(line);
  if (heading !== null) variants = heading[1]?.split(' ') ?? [];
  const item = /^- `(?:≈ )?([^`]+)`/.exec(line);
  if (item !== null) lines.push({ name: item[1]!, variants });
}

/** Lines that have no test here, or not in this variant, with the reason. */
const reasons = new Map<string, string>();
const section = read('docs/python-mapping.md').split('\n## Tests of Python that have none here\n')[1] ?? '';
for (const [, names, reason] of section.matchAll(/^\| (`.+?) \| (.+) \|$/gm)) {
  for (const [, name, which] of names!.matchAll(/`([^`]+)`(?: \(([PMT](?: [PMT])*)\))?/g)) {
    for (const variant of which?.split(' ') ?? ['']) reasons.set(`${name} ${variant}`.trim(), reason!);
  }
}

const has = (text: string, name: string): boolean =>
  new RegExp(`(?<!\\w)${name.replaceAll(/[.()]/g, '\\$&')}(?!\\w)`).test(text);

/** Tests whose titles name the line: whole, or the class around the method. */
function testsOf({ name }: Line): Test[] {
  const [group, method] = name.split('.', 2) as [string, string | undefined];
  return tests.filter(
    ({ name: title }) =>
      has(title, name) || (method !== undefined && !name.includes(' ') && has(title, group) && has(title, method)),
  );
}

const through = ({ file }: Test): boolean => /\/managers[^/]*\.test\.ts$/.test(file);
const inThreads = ({ name, projectName }: Test): boolean => projectName === 'threads' || /over thread/.test(name);
const OF: Readonly<Record<string, (test: Test) => boolean>> = { M: through, T: inThreads };

/** Whether tests prove a variant of a line. Where a class has M, what goes through a manager proves nothing about P. */
function prove(found: readonly Test[], variant: string, { variants }: Line): boolean {
  if (variant !== 'P') return found.some(OF[variant]!);
  return found.some((test) => !inThreads(test) && !(variants.includes('M') && through(test)));
}

describe('the list of what Python tests', () => {
  it('is read whole', () => {
    expect(lines).toHaveLength(270);
    expect(tests.length).toBeGreaterThan(600);
    expect(reasons.size).toBeGreaterThan(0);
  });

  itNeeds('forks')('has a test for each line in each variant, or a reason why there is none', () => {
    const missing = lines.flatMap((line) => {
      const found = testsOf(line);
      const lacking = line.variants.filter((variant) => !prove(found, variant, line));
      if (reasons.has(line.name)) return [];
      if (found.length === 0) return [line.name];
      return lacking.map((variant) => `${line.name} ${variant}`).filter((lack) => !reasons.has(lack));
    });
    expect(missing).toEqual([]);
  });

  it('gives a reason only for what has no test', () => {
    const known = new Map(lines.map((line) => [line.name, line]));
    const idle = [...reasons.keys()].filter((key) => {
      const [, name, variant] = /^(.*?)(?: ([PMT]))?$/.exec(key)!;
      const line = known.get(name!);
      if (line === undefined) return true;
      const found = testsOf(line);
      return variant === undefined ? found.length > 0 : prove(found, variant, line);
    });
    expect(idle).toEqual([]);
  });

  itNeeds('forks')('is over every start method where processes are its subject', () => {
    const once = lines.flatMap((line) => {
      const found = testsOf(line).filter(({ file }) => /\/process(\.fork)?\.test\.ts$/.test(file));
      const over = (method: string): boolean => found.some(({ name }) => has(name, `over ${method}`));
      return found.length === 0
        ? []
        : ['spawn', 'forkserver', 'fork']
            .filter((method) => !over(method))
            .map((method) => `${line.name} over ${method}`);
    });
    // A fork has all that its parent has; Python leaves that line out for it too.
    expect(once).toEqual(['_TestProcess.test_child_fd_inflation over fork']);
    const pools = lines.filter(({ name }) => name.startsWith('_TestPool.'));
    const projects = ['processes', 'forkserver', 'threads'];
    const lacking = pools.flatMap((line) => {
      const found = testsOf(line).filter(({ file }) => file.endsWith('/pool.test.ts'));
      return found.length === 0
        ? []
        : projects
            .filter((project) => !found.some(({ projectName }) => projectName === project))
            .map((project) => `${line.name} in ${project}`);
    });
    expect(lacking).toEqual([]);
  });
});
