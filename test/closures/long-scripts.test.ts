/** What a function gives does not depend on how long its script is; a long one is looked at before it is parsed. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { analyse } from '../../src/closures/analysis/analysis.js';
import {
  declarationsOf,
  importStatement,
  isStrictScript,
  requiredModuleOf,
} from '../../src/closures/analysis/glance.js';
import { type Binding, resolve, type Scope } from '../../src/closures/analysis/scope.js';
import { parseProgram } from '../../src/closures/analysis/syntax.js';
import { walkProgram } from '../../src/closures/analysis/walk.js';
import { surroundings } from '../../src/closures/inspect/enclosing.js';
import { mirror } from '../../src/closures/inspect/inspector.js';
import { locate, type Place } from '../../src/closures/inspect/locate.js';
import { SOMEWHERE } from '../../src/closures/inspect/long-script.js';
import { placedIn } from '../../src/closures/inspect/region.js';

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const out = fileURLToPath(new URL('../../.build/long-scripts/', import.meta.url));

/** More than are looked at before a script is parsed. */
const MANY = Array.from({ length: 40 }, (_, index) => `many${index}`);

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
${MANY.map((name, index) => `let ${name} = ${index};`).join('\n')}
const sum = () => { inc(); many39 += 1; return ${MANY.join(' + ')}; };
const pool = new Pool({ processes: 1 });
const results = [
  await pool.apply(() => { inc(); return count; }),
  await pool.apply(() => { counters[0].up(); counters[1].up(); return counters.map((c) => c.get()); }),
  await pool.apply(() => { swap(); return [swapped, other]; }),
  await new Scale().run(pool, 2),
  await pool.apply(() => [fact(4), memo(4), base('/a/b'), typeof os.cpus, fixed.deep[1]]),
  await pool.apply(() => [sum(), sum(), count, many0, many39]),
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
    expect(JSON.parse(short!)).toEqual([1, [1, 2], [2, 1], 6, [24, 24, 'b', 'function', 2], [781, 782, 2, 0, 41]]);
    for (const text of long) expect(text).toBe(short);
  });

  test('of a CommonJS module', { timeout: 120_000 }, async () => {
    const [short, ...long] = await outputs('program.cjs', COMMONJS);
    expect(JSON.parse(short!)).toEqual([1, ['b', 'a/b'], 'strict']);
    for (const text of long) expect(text).toBe(short);
  });
});

/** Counts the characters that are parsed, and writes them at the end. */
const COUNTER = `
const { Parser } = require(${JSON.stringify(require.resolve('acorn'))});
const { parse } = Parser;
let characters = 0;
Parser.parse = function (source, options) { characters += source.length; return parse.call(this, source, options); };
process.on('exit', () => console.log(characters));
`;

const PACKAGES = `
import { createRequire } from 'node:module';
import { Pool } from 'multiprocess';
import { basename } from 'node:path';
const { join, sep: separator } = createRequire(import.meta.url)('node:path');
const K = 4, text = 'of a chain';
let count = 0;
const help = (x) => x * K;
function again(x) { return help(x) + text.length; }
class Scale { factor = 3; run(pool, n) { return pool.apply((x) => help(x) * this.factor, [n]); } }
export { again };
export async function main() {
  const pool = new Pool({ processes: 1 });
  const local = 2;
  let own = 0;
  const up = () => { own += local; count++; };
  console.log(JSON.stringify([
    await pool.apply((x) => help(x) + K, [1]),
    await pool.apply((x) => again(x) + local, [1]),
    await pool.apply(() => { up(); up(); return [own, count]; }),
    await new Scale().run(pool, 2),
    await pool.apply(() => [basename('/a/b'), join('a', 'b'), separator]),
  ]));
  await pool.terminate();
}
`;

describe('A function in a bundle', () => {
  const pad = PADDINGS['with 300 kB of code']!();
  // Names that the code of packages uses for itself as well.
  const noise = 'function other(K, help) { K = 1; help++; { let text = 2; text++; } return [K, help, text]; }';
  const forms: Readonly<Record<string, readonly [file: string, options: readonly string[], main: string]>> = {
    'that a program imports': ['out.mjs', ['--format=esm'], 'main.mjs'],
    'in ES modules, minified': ['out-min.mjs', ['--format=esm', '--minify'], 'main-min.mjs'],
    'in CommonJS': ['out.cjs', ['--format=cjs'], 'main.cjs'],
    'in CommonJS, minified': ['out-min.cjs', ['--format=cjs', '--minify'], 'main-min.cjs'],
  };

  test.each(Object.entries(forms))(
    '%s is found without parsing that',
    { timeout: 120_000 },
    async (_, [file, options, main]) => {
      mkdirSync(out, { recursive: true });
      const source = `${out}bundled.mjs`;
      writeFileSync(source, `${PACKAGES}\n${pad.replaceAll('function pad', 'export function pad')}\nexport ${noise}`);
      const define = options.includes('--format=cjs') ? ['--define:import.meta.url=__filename'] : [];
      await run('node_modules/.bin/esbuild', [
        source,
        '--bundle',
        '--platform=node',
        '--external:multiprocess',
        ...options,
        ...define,
        `--outfile=${out}${file}`,
      ]);
      writeFileSync(`${out}counter.cjs`, COUNTER);
      writeFileSync(
        `${out}${main}`,
        main.endsWith('.mjs') ? `import { main } from './${file}';\nawait main();` : `require('./${file}').main();`,
      );
      const { stdout } = await run(process.execPath, ['--require', `${out}counter.cjs`, `${out}${main}`], {
        timeout: 100_000,
        killSignal: 'SIGKILL',
      });
      const [results, characters] = stdout.trim().split('\n');
      expect(JSON.parse(results!)).toEqual([8, 4 + 10 + 2, [4, 2], 24, ['b', 'a/b', '/']]);
      // What is parsed of it is small functions, and the list of its exports.
      expect(Number(characters)).toBeLessThan(readFileSync(`${out}${file}`, 'utf8').length / 3);
    },
  );
});

/** Functions that objects lead to. */
function functionsIn(object: object, found = new Set<Function>()): Set<Function> {
  for (const { value } of Object.values(Object.getOwnPropertyDescriptors(object)) as { value: unknown }[]) {
    if (typeof value !== 'function' || found.has(value) || /\[native code\] \}$/.test(value.toString())) continue;
    found.add(value);
    functionsIn(value, found);
    functionsIn((value.prototype as object | undefined) ?? {}, found);
  }
  return found;
}

describe('What is seen around a function of a script that is too long to be parsed', () => {
  const minified = `${out}acorn-min.cjs`;
  beforeAll(async () => {
    mkdirSync(out, { recursive: true });
    const padding = PADDINGS['with 300 kB of code']!();
    const packed = `${out}acorn.mjs`;
    writeFileSync(
      packed,
      `export { Parser, Token, parse, tokenizer, isNewLine } from ${JSON.stringify(require.resolve('acorn'))};\n${padding}\n[pad1];`,
    );
    await run('node_modules/.bin/esbuild', [
      packed,
      '--bundle',
      '--platform=node',
      '--format=cjs',
      '--minify-syntax',
      '--minify-identifiers',
      `--outfile=${minified}`,
    ]);
  });

  test.each([
    ['as it is', () => require.resolve('acorn')],
    ['minified', () => minified],
  ])('is what a parser sees: acorn, %s', { timeout: 60_000 }, (_, fileOf) => {
    const functions = [...functionsIn({ ...(require(fileOf()) as object) })];
    const source = readFileSync(fileOf(), 'utf8');
    const { findings } = walkProgram(parseProgram(source, false)!);
    resolve(findings.references);
    let names = 0;
    for (const fn of functions) {
      const text = fn.toString();
      const found = locate(fn, mirror(fn, ''), text, '');
      const placed =
        found === null || found === 'internal'
          ? undefined
          : placedIn(findings.functions, found.start, found.start + text.length);
      if (placed === undefined) continue;
      const around = surroundings(found as Place, text, false)!;
      for (const { name } of analyse(text)!.free.values()) {
        const exact = placed.scope.lookup(name);
        if (exact === null) continue;
        names++;
        const seen = around.lookup(name)!;
        expect([name, !seen.assigned && exact.assigned, !seen.assignedInside && exact.assignedInside]).toEqual([
          name,
          false,
          false,
        ]);
        expect(seen.required).toEqual(exact.required);
      }
    }
    expect(functions.length).toBeGreaterThan(100);
    expect(names).toBeGreaterThan(200);
  });
});

describe('Names of a script that is too long to be parsed', () => {
  test('are looked at up to a number, and then it is parsed: what was looked at stays so', () => {
    const file = `${out}many.cjs`;
    const names = MANY.join(', ');
    mkdirSync(out, { recursive: true });
    writeFileSync(
      file,
      `let ${MANY.join(' = 1; let ')} = 1; many39++; exports.sum = () => [${names}];\n${PADDINGS['with 300 kB of code']!()}`,
    );
    const { sum } = require(file) as { sum: () => unknown };
    const text = sum.toString();
    const around = surroundings(locate(sum, mirror(sum, ''), text, '') as Place, text, false)!;
    const looks = (): boolean[] => MANY.map((name) => around.lookup(name)!.scope === SOMEWHERE);
    const first = looks();
    expect(first.indexOf(false)).toBe(32);
    expect(first.lastIndexOf(true)).toBe(31);
    expect(looks()).toEqual(first);
    // What is parsed is exact.
    expect(around.lookup('many39')).toMatchObject({ kind: 'let', assigned: true });
    expect(around.lookup('many38')).toMatchObject({ kind: 'let', assigned: false });
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
    expect(requiredModuleOf('const name = __toESM(require("x"), 1);', 'name')).toEqual({
      specifier: 'x',
      name: null,
      wrapped: true,
    });
    expect(requiredModuleOf("const { name } = require('x');", 'name')).toBeUndefined();
    expect(requiredModuleOf("const name = require('x').name;", 'name')).toBeUndefined();
    expect(requiredModuleOf("const other = require('x'); const name = 1;", 'name')).toBeNull();
  });

  test('about its strictness', () => {
    expect(isStrictScript('#!/usr/bin/env node\n/* x */ // y\n"use strict"; f()')).toBe(true);
    expect(isStrictScript('f()')).toBe(false);
    expect(isStrictScript('f(); function g() { "use strict" }')).toBeNull();
    expect(isStrictScript('#!/usr/bin/env node')).toBe(false);
    // As webpack writes it: each line begins with a comment, of which there are thousands.
    expect(isStrictScript(`${'/******/ \n'.repeat(5_000)}f()`)).toBe(false);
    expect(isStrictScript(`f()${'/******/ g();'.repeat(5_000)}`)).toBe(false);
    expect(isStrictScript(`/******/ (() => { // of webpack\n${'/** of x */ g();\n'.repeat(5_000)}})()`)).toBe(false);
  });
});
