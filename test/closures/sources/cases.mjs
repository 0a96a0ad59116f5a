// Functions of every kind of script that Node runs. Each case gives what `explain` says of some, and what they return where they were sent.
// Output, through MP_RESULT: { case: [ … ] }. Argument of the thread or process: none.
import fs from 'node:fs';
import Module, { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { explain } from 'multiprocess';
import { dumps, loadsAsync } from 'multiprocess/reduction';

const require = createRequire(import.meta.url);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sources-'));
const k = 5;
// biome-ignore lint/security/noGlobalEval: it is what is tried
const indirect = globalThis.eval;

function file(name, text) {
  fs.writeFileSync(path.join(folder, name), text);
  return path.join(folder, name);
}
const load = (name, text, query = '') => import(pathToFileURL(file(name, text)).href + query);

/** `3:27 d t=./tab.mjs (table)`: the place in its script, and its captures. */
function told(fn) {
  const { sendable, how, place, captures, problem } = explain(fn);
  if (!sendable) return problem.message;
  const names = captures.map(({ name, how, from }) =>
    how === 'value' ? name : `${name}=${from.replace(pathToFileURL(folder).href, '')}`,
  );
  return [how, place?.match(/\d+:\d+$/)?.[0], ...names].join(' ');
}
const sent = async (fn, ...args) => (await loadsAsync(dumps(fn)))(...args);
/** As the code of the file itself sees it, so that it is on the stack. */
const both = async (module, ...args) => [
  module.send(told),
  await sent(
    module.send((fn) => fn),
    ...args,
  ),
];

file('tab.mjs', 'export const table = new Float64Array(200_000);');
file('seven.mjs', 'export const table = new Float64Array(7);');
file(
  'tab.cjs',
  'exports.table = new Float64Array(200_000); exports.map = new Map([[1, class {}]]); exports.port = 80; exports.list = [1];',
);
const text =
  'import { table } from "./tab.mjs"; const k = 3;\nexport const send = (to) => to((x) => x + k + table.length);\n';

const cases = {
  async 'eval of a closure'() {
    const fn = indirect('{ const a = 3; (x) => x + a }');
    return [told(fn), await sent(fn, 1)];
  },
  async 'eval with a sourceURL'() {
    const fn = indirect('{ const a = 3; (x) => x + a }\n//# sourceURL=gen.js');
    return [told(fn), await sent(fn, 1)];
  },
  async 'direct eval'() {
    // biome-ignore lint/security/noGlobalEval: the case itself
    return [await sent(eval('(x) => x + k'), 1)];
  },
  async 'new Function'() {
    return [
      await sent(new Function('x', 'return x + 1'), 1),
      await sent(new Function('c', 'return (x) => x + c')(3), 1),
    ];
  },
  async 'vm.compileFunction'() {
    const inner = vm.compileFunction('const d = 4; return (x) => x + c + d', ['c'], {
      filename: '/gen.js',
      lineOffset: 10,
      columnOffset: 7,
    });
    return [await sent(vm.compileFunction('return x + 1', ['x']), 1), told(inner(3)), await sent(inner(3), 1)];
  },
  async 'vm.Script with offsets'() {
    const results = [];
    for (const [lineOffset, columnOffset] of [
      [3, 40],
      [-3, -5],
    ]) {
      const script = new vm.Script('{ const d = 4; (x) => x + d }', { filename: '/gen2.js', lineOffset, columnOffset });
      const fn = script.runInThisContext();
      results.push(told(fn).replace('-', ''), await sent(fn, 1));
    }
    return results;
  },
  async 'another context'() {
    return [await sent(vm.runInNewContext('{ const d = 4; (x) => x + d }'), 1)];
  },
  async 'a data: URL'() {
    const { fn } = await import('data:text/javascript,const d = 4; export const fn = (x) => x %2B d;');
    return [told(fn), await sent(fn, 1)];
  },
  async 'one URL with two queries, edited in between'() {
    const one = await load(
      'query.mjs',
      'import { table } from "./tab.mjs";\nconst d = 1;\nexport const make = () => (x) => [x, d, table.length];',
      '?v=1',
    );
    const two = await load(
      'query.mjs',
      'import { table as t } from "./tab.mjs";\n\nconst d = 2;\nexport const make = () => (x) => [x, d, t.length];',
      '?v=2',
    );
    return [told(one.make()), told(two.make()), await sent(one.make(), 1), await sent(two.make(), 1)];
  },
  async 'required, edited, required again'() {
    const name = file(
      'again.cjs',
      'const { table } = require("./tab.cjs");\nlet d = 1; exports.send = (to) => to((x) => x + d + table.length);',
    );
    const one = require(name);
    const first = one.send(told);
    file('again.cjs', '"use strict"; const d = 2;\n\nexports.send = (to) => to((x) => x - d);');
    delete require.cache[name];
    const two = require(name);
    return [
      first,
      two.send(told),
      one.send(told),
      await sent(
        one.send((fn) => fn),
        1,
      ),
      await sent(
        two.send((fn) => fn),
        1,
      ),
    ];
  },
  async 'what require gives'() {
    const name = file(
      'requires.cjs',
      `const tab_1 = require("./tab.cjs"); const { table, list: l } = require("./tab.cjs"); const map = require("./tab.cjs").map;
      const star = Object.assign({}, tab_1);
      exports.all = () => [() => tab_1.table.length, () => table.length, () => map.size, () => tab_1.port, () => l[0], () => tab_1, () => star];`,
    );
    const all = require(name).all();
    return [...all.map(told), await sent(all[0]), await sent(all[1]), (await sent(all[2])) === 1];
  },
  async 'a mark of the byte order'() {
    const commonjs = require(file('bom.cjs', '\ufeffconst k = 3;\r\nexports.send = (to) => to((x) => x + k);\r\n'));
    return [...(await both(await load('bom.mjs', `\ufeff${text}`), 1)), ...(await both(commonjs, 1))];
  },
  async 'an interpreter line and CRLF'() {
    return both(await load('crlf.mjs', `#!/usr/bin/env node\n${text}`.replaceAll('\n', '\r\n')), 1);
  },
  async 'line separators'() {
    return both(await load('separators.mjs', `/* \u2028 */ const s = "\u2029";\r${text}`), 1);
  },
  async 'edited after loading'() {
    const module = await load('edited.mjs', text);
    file('edited.mjs', text.replace('table', 'table as unknown').replace('3', '4').replaceAll('\n', '\n\n'));
    return both(module, 1);
  },
  async 'removed after loading'() {
    const module = await load('removed.mjs', `${text} export const exported = (x) => x * k;`);
    const commonjs = require(file('removed.cjs', 'const k = 3;\nexports.exported = (x) => x * k;'));
    for (const name of ['removed.mjs', 'removed.cjs']) fs.rmSync(path.join(folder, name));
    return [
      ...(await both(module, 1)),
      told(module.exported),
      await sent(module.exported, 2),
      await sent(commonjs.exported, 2),
    ];
  },
  async 'a wrapper of their own around CommonJS'() {
    const { wrap } = Module;
    Module.wrap = (source) => `(function (exports, require, module, __filename, __dirname) { /* pad */${source}\n});`;
    try {
      return both(require(file('wrapped.cjs', 'const k = 3; exports.send = (to) => to((x) => x + k);\n')), 1);
    } finally {
      Module.wrap = wrap;
    }
  },
  async 'the same text at the same place of two files'() {
    const twin = (name) =>
      `import { table } from "./${name}.mjs";\nexport const send = (to) => to(() => table.length);`;
    const one = await load('twin1.mjs', twin('seven'));
    const two = await load('twin2.mjs', twin('other').replace('other', 'tab'));
    // Sent by the one, written in the other.
    const other = two.send((fn) => fn);
    return [one.send(() => told(other)), one.send(told), two.send(told)];
  },
  async 'several alike in one line'() {
    const all = [(x) => x + k, (x) => x + k, { get a() { return k; } }]; // biome-ignore format: one line
    const getter = Object.getOwnPropertyDescriptor(all[2], 'a').get;
    const columns = [all[0], all[1], getter].map((fn) => Number(told(fn).match(/:(\d+)/)[1]));
    return [columns[1] - columns[0], columns[2] > columns[1], await sent(getter)];
  },
  async 'a bundle of several megabytes'() {
    const filler = Array.from(
      { length: 20_000 },
      (_, i) => `function f${i}(){return "import {T} from 4; ${'x'.repeat(60)}"}`,
    ).join('');
    const names = 'import{table as T}from"./tab.mjs";import*as N from"./tab.mjs";const k=3;const h=(x)=>x+k;';
    const module = await load(
      'large.mjs',
      `${names}${filler}export const send=(to)=>to((x)=>h(x)+T.length+N.table.length);`,
    );
    return [
      module.send(told).replace(/\d+:\d+/, ''),
      await sent(
        module.send((fn) => fn),
        1,
      ),
    ];
  },
};

const results = {};
for (const [name, run] of Object.entries(cases)) {
  try {
    results[name] = await run();
  } catch (error) {
    results[name] = [String(error.stack)];
  }
}
fs.rmSync(folder, { recursive: true });
fs.writeFileSync(process.env.MP_RESULT, JSON.stringify(results));
