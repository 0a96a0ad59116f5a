/** docs/python-mapping.md: every public name of Python has a row, and what is given as ours is there. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hasPython } from '../support/python.js';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const python = JSON.parse(read('../fixtures/python-names.json')) as Record<string, Record<string, string[]>>;
const exported = JSON.parse(read('../../package.json')) as { exports: Record<string, unknown> };

interface Row {
  readonly theirs: string;
  readonly ours: string;
  readonly remark: string;
}

/** Python module -> rows of its tables. */
const tables = new Map<string, Row[]>();
let rows: Row[] = [];
for (const line of read('../../docs/python-mapping.md').split('\n')) {
  // A section, or a table that says in its head which module it is about.
  const heading = /^(?:## |\| Python \(`)multiprocess(?:ing)?((?:\.\w+)?)\b/.exec(line);
  if (heading !== null) {
    const module = `multiprocessing${heading[1]}`;
    rows = tables.get(module) ?? [];
    tables.set(module, rows);
  }
  const inner = /^\|(.*)\|$/.exec(line)?.[1];
  const cells = inner?.split('|').map((cell) => cell.trim());
  if (cells === undefined || cells.length !== 3 || /^-+$/.test(cells[0]!)) continue;
  const [theirs, ours, remark] = cells as [string, string, string];
  if (!theirs.startsWith('Python')) rows.push({ theirs, ours, remark });
}

const spans = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text!);
const words = (cell: string): string[] => spans(cell).flatMap((span) => span.match(/\w+/g) ?? []);
const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const absent = (ours: string): boolean => /^(—|-)$/.test(ours);

/** Where a Python module's names are here: the subpath of the same name, and the root. */
async function modulesFor(name: string): Promise<Record<string, unknown>[]> {
  const subpath = `./${name
    .replace(/^multiprocessing\.?/, '')
    .replaceAll('_', '-')
    .replace(/^popen-.*/, 'popen')}`;
  const paths = [...(subpath in exported.exports ? [`multiprocess${subpath.slice(1)}`] : []), 'multiprocess'];
  return Promise.all(paths.map((path) => import(path) as Promise<Record<string, unknown>>));
}

/** Names of the members of a class, an object, or of what a factory of ours gives. */
function membersOf(value: unknown): Set<string> {
  const found = new Set<string>();
  const add = (object: unknown): void => {
    for (
      let level = object;
      level !== null && level !== undefined && level !== Object.prototype && level !== Function.prototype;
    ) {
      for (const name of Object.getOwnPropertyNames(level)) found.add(name);
      level = Object.getPrototypeOf(level);
    }
  };
  add(value);
  if (typeof value === 'function') add(value.prototype);
  return found;
}

/** What a code span of ours names: `new Pool(…)` -> Pool, `await pool.map(fn)` -> pool.map; `null` for an option or a literal. */
function reference(span: string): { head: string; member: string | undefined } | null {
  if (/^await \w+$/.test(span)) return null;
  const plain = span
    .replace(/^(?:(?:await )?using \w+ = |const .* = )/, '')
    .replace(/^(?:await |new )+/, '')
    .replace(/^\(/, '');
  const found = /^([A-Za-z]\w*)(?:\.(\w+))?/.exec(plain);
  return found === null ? null : { head: found[1]!, member: found[2] };
}

/** Fields are made by constructors: only their declarations show them. */
function isField(module: string, name: string): boolean {
  const subpath = `./${module.replace(/^multiprocessing\.?/, '').replaceAll('_', '-')}`;
  const entry = exported.exports[subpath] as { require: { types: string } } | undefined;
  if (entry === undefined) return false;
  const folder = new URL(`../../${entry.require.types.replace('./dist/', '.build/')}`, import.meta.url);
  const files = readdirSync(new URL('.', folder)).filter((file) => file.endsWith('.d.ts'));
  const declared = new RegExp(`^\\s+(readonly )?${name}\\??: `, 'm');
  return files.some((file) => declared.test(readFileSync(new URL(file, folder), 'utf8')));
}

describe('docs/python-mapping.md', () => {
  for (const [module, names] of Object.entries(python)) {
    it(`has every public name of ${module}`, () => {
      const listed = new Set((tables.get(module) ?? []).flatMap(({ theirs }) => words(theirs)));
      const wanted = Object.entries(names).flatMap(([name, members]) => [name, ...members]);
      expect([...new Set(wanted)].filter((name) => !listed.has(name))).toEqual([]);
    });
  }

  for (const [module, listed] of tables) {
    it(`gives for ${module} only names that are exported, or the reason why there is none`, async () => {
      const modules = await modulesFor(module);
      const exports = new Set(modules.flatMap((names) => Object.keys(names)));
      const members = new Set(
        modules.flatMap((names) => Object.values(names).flatMap((value) => [...membersOf(value)])),
      );
      const { getContext } = await import('multiprocess');
      if (module.endsWith('.context')) for (const name of membersOf(getContext('spawn'))) members.add(name);
      for (const { theirs, ours, remark } of listed) {
        if (absent(ours)) {
          expect(remark, `${module}: ${theirs} has no equivalent; say why`).not.toBe('');
          continue;
        }
        if (/not in this version/.test(ours)) continue;
        if (ours === 'the same') {
          const theirNames = new Set(Object.entries(python[module] ?? {}).flatMap(([name, own]) => [name, ...own]));
          const same = words(theirs)
            .filter((name) => theirNames.has(name))
            .map(camel);
          expect(
            same.filter((name) => !exports.has(name) && !members.has(name) && !isField(module, name)),
            `${module}: given as the same`,
          ).toEqual([]);
          continue;
        }
        for (const span of spans(ours)) {
          if (span.startsWith('multiprocess/')) {
            expect(exported.exports).toHaveProperty([`./${span.slice('multiprocess/'.length)}`]);
            continue;
          }
          const named = reference(span);
          if (named === null) continue;
          const { head, member } = named;
          const isMember = (name: string) => members.has(name) || isField(module, name);
          const known = member === undefined ? exports.has(head) || isMember(head) : isMember(member);
          expect(known, `${module}: \`${span}\`, given for ${theirs}, is not exported`).toBe(true);
        }
      }
    });
  }

  it('knows all modules of Python', () => {
    expect(Object.keys(python).filter((module) => !tables.has(module))).toEqual([]);
  });

  it.skipIf(!hasPython)('is held against the names of the Python that is here, where that is 3.11', async () => {
    const { spawnSync } = await import('node:child_process');
    const { version } = { version: spawnSync('python3', ['--version'], { encoding: 'utf8' }).stdout };
    if (!version.startsWith('Python 3.11')) return;
    const script = new URL('../support/python-names.py', import.meta.url).pathname;
    expect(JSON.parse(spawnSync('python3', [script], { encoding: 'utf8' }).stdout)).toEqual(python);
  });
});
