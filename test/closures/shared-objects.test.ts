/**
 * A shared object stays the same one however the program reaches it: through names, namespaces, exports objects, other objects, classes, and the
 * functions of the module that made it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const out = fileURLToPath(new URL('../../.build/shared-objects/', import.meta.url));

beforeAll(() => {
  mkdirSync(join(out, 'node_modules'), { recursive: true });
  symlinkSync(root, join(out, 'node_modules/multiprocess'));
  write('package.json', '{"type":"commonjs"}');
});
afterAll(() => rmSync(out, { recursive: true, force: true }));

function write(name: string, text: string): string {
  writeFileSync(join(out, name), text);
  return join(out, name);
}

function run(file: string): { readonly results: Record<string, unknown>; readonly stderr: string } {
  const env = { ...process.env, NODE_OPTIONS: '' };
  const options = { env, encoding: 'utf8', timeout: 90_000, killSignal: 'SIGKILL' } as const;
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, [file], options);
  if (status !== 0) throw new Error(`The program ended with ${status ?? signal}.\n${stderr.slice(-3_000)}`);
  return { results: JSON.parse(stdout) as Record<string, unknown>, stderr };
}

/** A module with a shared total, and what leads to it. */
const SHARED = `import { Value, Lock, Queue } from 'multiprocess';
export const total = new Value('i32', 0);
export const lock = new Lock();
export const inc = async () => { await total.update((n) => n + 1); };
export const bound = inc.bind(null);
export const plain = (x) => x + 1;
export const nested = { deep: { total } };
export const map = new Map([['a', total]]);
export class Account {
  static total = total;
  async add() { await Account.total.update((n) => n + 1); }
}
export class Savings extends Account {}
export function withProperty() { return withProperty.total.update((n) => n + 1); }
withProperty.total = total;
const hidden = async () => { await inc(); };
export const viaHelper = async () => { await hidden(); };
export class Service {
  constructor() { this.total = total; }
  add() { return this.total.update((n) => n + 1); }
}
export const service = new Service();
let calls = 0;
export const counted = async () => { calls++; await lock.runExclusive(() => total.update((n) => n + 1)); };
export const view = total;
`;
const DEFAULT = 'export default { total, add: () => total.update((n) => n + 1) };\n';
const REEXPORT = `export * from './shared';\nexport * as inner from './shared';\nexport { default } from './shared';\n`;

/** Each adds 1 to the total. */
const CASES = `
  'a member of the namespace': () => shared.total.update((n) => n + 1),
  'a function of the namespace': () => shared.inc(),
  'a function by name': () => inc(),
  'a function itself': inc,
  'the namespace as a whole': (key) => read(shared, key).update((n) => n + 1),
  'a namespace in an object': () => held.shared.total.update((n) => n + 1),
  'a member that holds it': () => shared.nested.deep.total.update((n) => n + 1),
  'a Map, by name': () => map.get('a').update((n) => n + 1),
  'a Map of the namespace': () => shared.map.get('a').update((n) => n + 1),
  'a static field': () => new Account().add(),
  'a static field of the class above': () => new shared.Savings().add(),
  'a property of a function': () => shared.withProperty(),
  'what a function uses that the function uses': () => viaHelper(),
  'a bound function': () => shared.bound(),
  'a field of an instance': () => service.add(),
  'a class of an instance': () => account.add(),
  'with state of the module': () => shared.counted(),
  'beside what is not shared': async () => { shared.plain(1); await inc(); },
`;
const MORE = `
  'a default export': () => standard.add(),
  'a member of a default export': () => standard.total.update((n) => n + 1),
  'a re-export': () => again.inc(),
  'a namespace that is exported': () => again.inner.inc(),
  'a member of a namespace that is exported': () => again.inner.total.update((n) => n + 1),
  'a namespace that is exported, as a whole': (key) => read(again, 'inner')[key].update((n) => n + 1),
`;
const MAIN = (more: string) => `import { Pool } from 'multiprocess';
import * as shared from './shared';
${more === '' ? '' : `import standard from './shared';\nimport * as again from './reexport';`}
import { inc, total, map, Account, viaHelper, service } from './shared';
const held = { shared };
const account = new Account();
const read = (object, key) => object[key];
const cases = {${CASES}${more}};
(async () => {
  const pool = new Pool({ processes: 1 });
  const results = {};
  for (const [name, fn] of Object.entries(cases)) {
    const before = total.value;
    const error = await pool.apply(fn, ['total']).then(() => null, (error) => error.code + ' ' + error.message);
    results[name] = error ?? total.value - before;
  }
  await pool.terminate();
  console.log(JSON.stringify(results));
})();`;

const titles = (cases: string) => [...cases.matchAll(/^ {2}'(.*?)':/gm)].map(([, title]) => title!);

function compiled(text: string): string {
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true };
  return ts.transpileModule(text, { compilerOptions }).outputText;
}

function esbuild(text: string): string {
  const bin = fileURLToPath(import.meta.resolve('esbuild/bin/esbuild'));
  return execFileSync(bin, ['--format=cjs', '--platform=node'], { input: text, encoding: 'utf8' });
}

/** What Babel and swc make of the exports of a module: getters. */
function withGetters(text: string): string {
  const names = [...text.matchAll(/^export (?:const|class|function) (\w+)/gm)].map(([, name]) => name!);
  const body = compiled(text.replace(/^export default /gm, 'const standard = ').replace(/^export /gm, ''));
  const exports = [
    ...names.map((name) => `${name}: function () { return ${name}; }`),
    'default: function () { return standard; }',
  ];
  return `"use strict";\nObject.defineProperty(exports, "__esModule", { value: true });
    function _export(target, all) { for (var name in all) Object.defineProperty(target, name, { enumerable: true, get: all[name] }); }
    _export(exports, { ${exports.join(', ')} });\n${body}`;
}

/** The module as a person writes CommonJS. */
function writePlain(): void {
  write(
    'plain.cjs',
    SHARED.replace(/^import (.*) from (.*);/m, 'const $1 = require($2);').replace(
      /^export (const|class|function) (\w+)/gm,
      'exports.$2 = null; $1 $2',
    ) +
      `Object.assign(exports, { ${[...SHARED.matchAll(/^export (?:const|class|function) (\w+)/gm)].map(([, name]) => name).join(', ')} });`,
  );
}

const hosts: Readonly<Record<string, () => { readonly main: string; readonly more: boolean }>> = {
  'ES modules': () => {
    const esm = (text: string) => text.replace(/'(\.\/\w+)'/g, "'$1.mjs'");
    write('shared.mjs', SHARED + DEFAULT);
    write('reexport.mjs', esm(REEXPORT));
    return { main: write('main.mjs', esm(MAIN(MORE))), more: true };
  },
  CommonJS: () => {
    writePlain();
    const main = MAIN('')
      .replace(/^import \* as (\w+) from '.*?';/gm, "const $1 = require('./plain.cjs');")
      .replace(/^import (\{.*?\}) from '\.\/shared';/gm, "const $1 = require('./plain.cjs');")
      .replace(/^import (.*) from '(.*)';/gm, "const $1 = require('$2');");
    return { main: write('main.cjs', main), more: false };
  },
  'CommonJS in an ES module': () => {
    writePlain();
    const main = MAIN('')
      .replace(/^import \* as shared from.*$/m, "import shared from './plain.cjs';")
      .replace(/^import (\{ inc.*?\}) from.*$/m, 'const $1 = shared;');
    return { main: write('mixed.mjs', main), more: false };
  },
  'what TypeScript compiles to CommonJS': () => {
    write('shared.js', compiled(SHARED + DEFAULT));
    write('reexport.js', compiled(REEXPORT));
    return { main: write('compiled.js', compiled(MAIN(MORE))), more: true };
  },
  'what esbuild compiles to CommonJS': () => {
    write('shared.js', esbuild(SHARED + DEFAULT));
    write('reexport.js', esbuild(REEXPORT));
    return { main: write('esbuild.js', esbuild(MAIN(MORE))), more: true };
  },
  'exports that are getters': () => {
    write('shared.js', withGetters(SHARED + DEFAULT));
    write('reexport.js', compiled(REEXPORT));
    return { main: write('getters.js', compiled(MAIN(MORE))), more: true };
  },
};

describe('What is shared stays shared through', () => {
  test.each(Object.entries(hosts))('%s', { timeout: 100_000 }, (_name, make) => {
    const { main, more } = make();
    const expected = titles(CASES + (more ? MORE : ''));
    expect(run(main).results).toEqual(Object.fromEntries(expected.map((title) => [title, 1])));
  });
});

test('what leads to a shared object and cannot be copied goes by reference, with a warning', () => {
  write(
    'bound.mjs',
    `import { Value } from 'multiprocess';
    export const total = new Value('i32', 0);
    export const service = { total, waits: Promise.resolve(), add() { return this.total.update((n) => n + 1); } };`,
  );
  const main = write(
    'warned.mjs',
    `import { Pool } from 'multiprocess';
    import { service, total } from './bound.mjs';
    const pool = new Pool({ processes: 1 });
    await pool.apply(() => service.add());
    await pool.apply(() => service.add());
    await pool.terminate();
    console.log(JSON.stringify({ total: total.value }));`,
  );
  const { results, stderr } = run(main);
  expect(results).toEqual({ total: 0 });
  expect(
    stderr.match(/MP_SHARED_IN_MODULE.*`service` of .*bound\.mjs.*pass the shared object as an argument/g),
  ).toHaveLength(1);
});

test('a module without anything shared goes by reference, with its state', () => {
  write('state.mjs', 'let calls = 0;\nexport const count = () => ++calls;\nexport default { count };');
  const main = write(
    'stateful.mjs',
    `import { Pool } from 'multiprocess';
    import standard, { count } from './state.mjs';
    import * as state from './state.mjs';
    const pool = new Pool({ processes: 1 });
    const results = [];
    for (const fn of [() => count(), () => state.count(), () => standard.count()]) results.push(await pool.apply(fn));
    await pool.terminate();
    console.log(JSON.stringify({ results }));`,
  );
  expect(run(main).results).toEqual({ results: [1, 2, 3] });
});
