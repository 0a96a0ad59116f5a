/** What a function gives does not depend on how long its script is; a long one is looked at before it is parsed. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { declarationsOf, importStatement, isStrictScript, requiredModuleOf } from '../../src/closures/analysis/glance.js';
import { type Binding, resolve, type Scope } from '../../src/closures/analysis/scope.js';
import { parseProgram } from '../../src/closures/analysis/syntax.js';
import { walkProgram } from '../../src/closures/analysis/walk.js';

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const out = fileURLToPath(new URL('../../.build/long-scripts/', import.meta.url));

const PROGRAM = `
import { basename as base } from 'node:path';
import * as os from 'node:os';
import { Pool } from 'multiprocess';
let count = 0;
const inc = () => ++count;
const counters = [1, 2].map((n) => { let own = 0; return { up: () => (own += n), get: () => own }; });
let swapped = 1, other = 2;
const swap = () => { [swapped, other] = [other, swapped]; };
class Scale { factor = 3; run(pool, n) { return pool.apply((x) => x * this.factor, [n]); } }
function fact(n) { return n < 2 ? n : n * fact(n - 1); }
const memo = function self(n) { return n < 2 ? n : n * self(n - 1); };
const fixed = { deep: [1, 2] };
const pool = new Pool({ processes: 1 });
const results = [
  await pool.apply(() => { inc(); return count; }),
  await pool.apply(() => { counters[0].up(); counters[1].up(); return counters.map((c) => c.get()); }),
  await pool.apply(() => { swap(); return [swapped, other]; }),
  await new Scale().run(pool, 2),
  await pool.apply(() => [fact(4), memo(4), base('/a/b'), typeof os.cpus, fixed.deep[1]]),
];
console.log(JSON.stringify(results));
await pool.terminate();
`;

const COMMONJS = `
'use strict';
const { basename } = require('node:path');
const path = require('node:path');
const { Pool } = require('multiprocess');
let count = 0;
const inc = () => ++count;
async function main() {
  const pool = new Pool({ processes: 1 });
  const strict = { get() { return (() => { try { undefinedName = 1; return 'sloppy'; } catch { return 'strict'; } })(); } };
  console.log(JSON.stringify([
    await pool.apply(() => { inc(); return count; }),
    await pool.apply(() => [basename('/a/b'), path.join('a', 'b')]),
    await pool.apply(strict.get),
  ]));
  await pool.terminate();
}
main();
`;

/** Text that changes nothing: a comment, or code with names that many bundles have. */
const PADDINGS: Readonly<Record<string, () => string>> = {
  'as it is': () => '',
  'with 1.1 MB of comments': () => `/*${'x'.repeat(1_100_000)}*/`,
  'with 300 kB of code': () =>
    Array.from(
      { length: 4_000 },
      (_, i) => `function pad${i}(count, b) { let own = count; own += b; return [own, ${i}, { count }]; }`,
    ).join('\n'),
};

async function outputs(name: string, text: string): Promise<string[]> {
  mkdirSync(out, { recursive: true });
  return Promise.all(
    Object.values(PADDINGS).map(async (padding, index) => {
      const file = `${out}${index}-${name}`;
      writeFileSync(file, `${text}${padding()}`);
      return (await run(process.execPath, [file], { timeout: 100_000, killSignal: 'SIGKILL' })).stdout;
    }),
  );
}

describe('The results are the same at any length', () => {
  test('of an ES module', { timeout: 120_000 }, async () => {
    const [short, ...long] = await outputs('program.mjs', PROGRAM);
    expect(JSON.parse(short!)).toEqual([1, [1, 2], [2, 1], 6, [24, 24, 'b', 'function', 2]]);
    for (const text of long) expect(text).toBe(short);
  });

  test('of a CommonJS module', { timeout: 120_000 }, async () => {
    const [short, ...long] = await outputs('program.cjs', COMMONJS);
    expect(JSON.parse(short!)).toEqual([1, ['b', 'a/b'], 'strict']);
    for (const text of long) expect(text).toBe(short);
  });
});

/** All bindings of a script. */
function bindingsOf(source: string): Binding[] {
  const program = parseProgram(source, false) ?? parseProgram(source, true)!;
  const { findings, scope } = walkProgram(program);
  resolve(findings.references);
  const scopes = new Set<Scope>([scope]);
  for (const { scope: each } of [...findings.references, ...[...findings.functions.values()].flat()]) {
    for (let at: Scope | null = each; at !== null && !scopes.has(at); at = at.parent) scopes.add(at);
  }
  return [...scopes].flatMap(({ bindings }) => [...bindings.values()]);
}

describe('A look at a script says what a parser says, or nothing', () => {
  test.each(['acorn', 'esbuild/lib/main.js', 'ws/lib/websocket.js', 'msgpackr/dist/node.cjs'])('%s', (specifier) => {
    let source: string;
    try {
      source = readFileSync(require.resolve(specifier), 'utf8');
    } catch {
      return;
    }
    const assigned = new Set<string>();
    const names = new Set<string>();
    for (const binding of bindingsOf(source)) {
      names.add(binding.name);
      if (binding.assigned) assigned.add(binding.name);
    }
    const told = [...names].filter((name) => declarationsOf(source, name) !== null);
    expect(told.filter((name) => assigned.has(name))).toEqual([]);
    expect(told.length).toBeGreaterThan(names.size / 4);
  });

  test.each([
    ['name = 1', null],
    ['name += 1', null],
    ['name ??= 1', null],
    ['name++', null],
    ['--name', null],
    ['[name] = [1]', null],
    ['[a, name] = [1]', null],
    ['({ name } = x)', null],
    ['({ a: name } = x)', null],
    ['({ a: [b, { c: name }] } = x)', null],
    ['[...name] = x', null],
    ['({ name = 1 } = x)', null],
    ['for (name of x);', null],
    ['for (name in x);', null],
    ['for ([name] of x);', null],
    ['var name = 1; var name = 2', null],
    ['// the end.\nname = 1', null],
    ['// a const\nname = 1', null],
    ['const name = 1', 1],
    ['let name', 1],
    ['const name = 1; f(name, [name], { name }, { a: name })', 1],
    ['name === 1; name >= 2; name => 3; x.name = 1; x.name++; names = 1; $name = 1', 0],
    ['for (const name of x) name()', 1],
    ["f({ a: name, b: ']' }, 'x' = 1)", 0],
  ])('%s', (text, expected) => {
    expect(declarationsOf(text, 'name')).toBe(expected);
  });

  test('about what it loads', () => {
    expect(importStatement("import a, { b as name } from './x.js' with { type: 'json' };", 'name')).toContain('type');
    expect(importStatement("const name = 1; import { names } from 'x';", 'name')).toBeNull();
    expect(requiredModuleOf('const name = __toESM(require("x"), 1);', 'name')).toEqual({ specifier: 'x', name: null, wrapped: true });
    expect(requiredModuleOf("const { name } = require('x');", 'name')).toBeUndefined();
    expect(requiredModuleOf("const name = require('x').name;", 'name')).toBeUndefined();
    expect(requiredModuleOf("const other = require('x'); const name = 1;", 'name')).toBeNull();
  });

  test('about its strictness', () => {
    expect(isStrictScript('#!/usr/bin/env node\n/* x */ // y\n"use strict"; f()')).toBe(true);
    expect(isStrictScript('f()')).toBe(false);
    expect(isStrictScript('f(); function g() { "use strict" }')).toBeNull();
  });
});
