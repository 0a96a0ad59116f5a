/**
 * CommonJS, as people and compilers write it: modules whose exports are getters, what compilers make of imports, what is hooked into `require`,
 * modules that need each other while they load.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const out = fileURLToPath(new URL('../../.build/commonjs/', import.meta.url));
const require_ = `const { Pool, explain } = require('multiprocess');`;

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

/** Runs a program, which prints what becomes of it as JSON. */
function run(args: readonly string[]): unknown {
  const env = { ...process.env, NODE_NO_WARNINGS: '1', NODE_OPTIONS: '' };
  const options = { env, encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL' } as const;
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, args, options);
  if (status !== 0) throw new Error(`The program ended with ${status ?? signal}.\n${stderr.slice(-3_000)}`);
  return JSON.parse(stdout.slice(stdout.lastIndexOf('\n', stdout.length - 2) + 1));
}

/** Sends each function of `cases` to a worker and prints the results, or the messages. */
const report = (cases: string) => `
;(async () => {
  const pool = new Pool({ processes: 1 });
  const results = {};
  for (const [name, fn] of Object.entries({ ${cases} }))
    results[name] = await pool.apply(fn, [2]).catch((error) => error.code + ' ' + error.message);
  await pool.terminate();
  console.log(JSON.stringify(results));
})();`;

describe('A package whose exports are getters goes by reference', () => {
  test('however the function holds it', () => {
    const main = write(
      'getters.cjs',
      `${require_}
      const rxjs = require('rxjs');
      const held = { rxjs };
      let assigned;
      assigned = require('rxjs');
      const given = ((library) => (x) => library.firstValueFrom(library.of(x)))(rxjs);
      const { of: just } = rxjs;
      const list = [require('typescript'), rxjs.of, rxjs.map];
      const sizes = () => Object.fromEntries(Object.entries({ given, just: () => just, list: () => list }).map(([name, fn]) => [name, explain(fn).size < 1000]));
      ${report(`
        required: (x) => rxjs.firstValueFrom(rxjs.of(x)),
        held: (x) => held.rxjs.firstValueFrom(held.rxjs.of(x)),
        assigned: (x) => assigned.firstValueFrom(assigned.of(x)),
        given,
        'a name': (x) => rxjs.firstValueFrom(just(x)),
        'in a list': () => [list[0].version === require('typescript').version, list[1] === rxjs.of, list[2] === rxjs.map],
        'by few bytes': Object.assign(((found) => () => found)(sizes()), {}),
      `)}`,
    );
    expect(run([main])).toEqual({
      required: 2,
      held: 2,
      assigned: 2,
      given: 2,
      'a name': 2,
      'in a list': [true, true, true],
      'by few bytes': { given: true, just: true, list: true },
    });
  });

  test('an export under another name, a getter that loads another module, an instance as exports', () => {
    write('inner.cjs', 'exports.inner = (x) => x * 10; exports.second = (x) => x * 20;');
    write(
      'outer.cjs',
      `const inner = require('./inner.cjs');
      const local = (x) => x * 30;
      Object.defineProperty(exports, 'alias', { enumerable: true, get: () => local });
      Object.defineProperty(exports, 'again', { enumerable: true, get: function () { return inner.second; } });
      Object.defineProperty(exports, 'lazy', { enumerable: true, get() { globalThis.wasLoaded = true; return require('./inner.cjs'); } });`,
    );
    write(
      'instance.cjs',
      'class Clients { constructor() { this.make = () => process.pid; } }\nmodule.exports = new Clients();',
    );
    const main = write(
      'aliases.cjs',
      `${require_}
      const outer = require('./outer.cjs');
      const functions = [outer.alias, outer.again];
      const held = { outer, instance: require('./instance.cjs') };
      ${report(`
        functions: (x) => functions.map((f) => f(x)),
        untouched: ((touched) => () => [touched, held.outer.alias(1)])(explain(() => held) && globalThis.wasLoaded === true),
        instance: () => held.instance === require('./instance.cjs'),
      `)}`,
    );
    expect(run([main])).toEqual({ functions: [60, 40], untouched: [false, 30], instance: true });
  });
});

function esbuild(flags: readonly string[]): string {
  const bin = fileURLToPath(import.meta.resolve('esbuild/bin/esbuild'));
  return execFileSync(bin, ['--loader=ts', '--format=cjs', ...flags], { input: source, encoding: 'utf8' });
}

/** `import` statements and uses, compiled. */
const compiled: Readonly<Record<string, string>> = {
  Babel: `"use strict";
    var _rxjs = require("rxjs");
    var library = _interopRequireWildcard(require("./library.cjs"));
    var _library = _interopRequireDefault(require("./library.cjs"));
    function _interopRequireDefault(e) { return e && e.__esModule ? e : { default: e }; }
    function _interopRequireWildcard(e, t) { if ("function" == typeof WeakMap) var r = new WeakMap(), n = new WeakMap(); return (_interopRequireWildcard = function (e, t) { if (!t && e && e.__esModule) return e; var o, i, f = { __proto__: null, default: e }; if (null === e || "object" != typeof e && "function" != typeof e) return f; if (o = t ? n : r) { if (o.has(e)) return o.get(e); o.set(e, f); } for (const t in e) "default" !== t && {}.hasOwnProperty.call(e, t) && ((i = (o = Object.defineProperty) && Object.getOwnPropertyDescriptor(e, t)) && (i.get || i.set) ? o(f, t, i) : f[t] = e[t]); return f; })(e, t); }
    const cases = {
      package: (x) => (0, _rxjs.firstValueFrom)((0, _rxjs.of)(x)),
      namespace: (x) => library.double(x) + Object.keys(library).length,
      default: (x) => _library.default.double(x),
      same: () => library.double === require('./library.cjs').double,
    };`,
  swc: `"use strict";
    const _rxjs = require("rxjs");
    const _library = /*#__PURE__*/ _interop_require_wildcard(require("./library.cjs"));
    const _default = /*#__PURE__*/ _interop_require_default(require("./library.cjs"));
    function _interop_require_default(obj) { return obj && obj.__esModule ? obj : { default: obj }; }
    function _interop_require_wildcard(obj) { if (obj && obj.__esModule) return obj; var newObj = { __proto__: null }; for (var key in obj) if (key !== "default" && Object.prototype.hasOwnProperty.call(obj, key)) newObj[key] = obj[key]; newObj.default = obj; return newObj; }
    const cases = {
      package: (x) => (0, _rxjs.firstValueFrom)((0, _rxjs.of)(x)),
      namespace: (x) => _library.double(x) + Object.keys(_library).length,
      default: (x) => _default.default.double(x),
      same: () => _library.double === require('./library.cjs').double,
    };`,
  rollup: `'use strict';
    var rxjs = require('rxjs');
    var library = require('./library.cjs');
    function _interopNamespaceDefault(e) { var n = Object.create(null); if (e) { Object.keys(e).forEach(function (k) { if (k !== 'default') { var d = Object.getOwnPropertyDescriptor(e, k); Object.defineProperty(n, k, d.get ? d : { enumerable: true, get: function () { return e[k]; } }); } }); } n.default = e; return Object.freeze(n); }
    var library__namespace = /*#__PURE__*/_interopNamespaceDefault(library);
    const cases = {
      package: (x) => rxjs.firstValueFrom(rxjs.of(x)),
      namespace: (x) => library__namespace.double(x) + Object.keys(library__namespace).length,
      default: (x) => library.double(x),
      same: () => library__namespace.double === require('./library.cjs').double,
    };`,
};

/** What the compilers that are here make of it. */
const source = `import { firstValueFrom, of } from 'rxjs';
  import * as library from './library.cjs';
  import single from './library.cjs';
  export const offset = 1;
  const cases = {
    package: (x) => firstValueFrom(of(x)),
    namespace: (x) => library.double(x) + Object.keys(library).length,
    default: (x) => single.double(x),
    exported: (x) => x + offset,
    same: () => library.double === require('./library.cjs').double,
  };
  (globalThis as any).cases = cases;`;
const made: Readonly<Record<string, () => string>> = {
  TypeScript: () =>
    ts.transpileModule(source, {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true },
    }).outputText,
  esbuild: () => esbuild([]),
  'esbuild --minify': () => esbuild(['--minify']),
};

describe('What a compiler makes of imports goes by reference', () => {
  beforeAll(() => write('library.cjs', 'exports.double = (x) => x * 2;\nexports.triple = (x) => x * 3;'));

  test.each(Object.entries(compiled))('%s', (name, text) => {
    const main = write(`${name}.cjs`, `${text}\n${require_}${report('...cases')}`);
    // `default` is one of the keys.
    expect(run([main])).toEqual({ package: 2, namespace: 7, default: 4, same: true });
  });

  test.each(Object.entries(made))('%s', (name, make) => {
    const main = write(
      `${name.replace(/\W/g, '')}.cjs`,
      `${make()}\n{ const { Pool } = require('multiprocess');${report('...globalThis.cases')} }`,
    );
    expect(run([main])).toEqual({ package: 2, namespace: 7, default: 4, exported: 3, same: true });
  });
});

describe('What is hooked into require', () => {
  const hook = `const { readFileSync } = require('node:fs');
    const ts = require('typescript');
    require('node:module')._extensions['.ts'] = (module, file) => {
      const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
      module._compile(ts.transpileModule(readFileSync(file, 'utf8'), { compilerOptions }).outputText, file);
    };`;

  beforeAll(() => {
    write('hook.cjs', hook);
    write(
      'helper.ts',
      `export enum Kind { A = 'a' }
      export const helper = (x: number): string => Kind.A + x;
      export class Thing { constructor(readonly n: number) {} twice() { return this.n * 2; } }`,
    );
  });

  const cases = report(`
    named: (x) => helper(x),
    directly: helper,
    enum: () => Kind.A,
    class: (x) => new Thing(x).twice(),
    namespace: (x) => all.helper(x),
  `);
  const program = `const { Pool } = require('multiprocess');
    import { helper, Kind, Thing } from './helper';
    import * as all from './helper';
    ${cases}`;

  test('applies in workers', () => {
    const main = write('hooked.ts', program);
    expect(run(['-r', join(out, 'hook.cjs'), main])).toEqual({
      named: 'a2',
      directly: 'a2',
      enum: 'a',
      class: 4,
      namespace: 'a2',
    });
  });

  test('by the program itself: a worker that has no hook says how it gets one', () => {
    write('unhooked.ts', program);
    const main = write('hooks.cjs', `require('./hook.cjs');\nrequire('./unhooked.ts');`);
    expect((run([main]) as Record<string, string>)['named']).toMatch(
      /^MP_MODULE_FAILED .*helper\.ts.*`node -r ts-node\/register`.*`execArgv`/,
    );
  });
});

test('a module that requires what is imported at the same time loads', () => {
  write('needs.cjs', `const { Lock } = require('multiprocess');\nexports.kind = () => Lock.name;`);
  const main = write(
    'race.cjs',
    `const { Pool, Event, Lock } = require('multiprocess');
    const needs = require('./needs.cjs');
    const event = new Event();
    ${report('both: () => [needs.kind(), event.isSet(), new Lock() instanceof Lock]')}`,
  );
  expect(run([main])).toEqual({ both: ['Lock', false, true] });
});

test('whole exports of the main file are refused, since that cannot be loaded again', () => {
  const main = write(
    'main-exports.cjs',
    `${require_} exports.a = 1; ${report('whole: () => Object.keys(exports), member: () => exports.a')}`,
  );
  expect(run([main])).toEqual({
    whole: expect.stringMatching(/^MP_COMMONJS_MODULE .*`const value = exports\.value`/),
    member: 1,
  });
});

/** Loads CommonJS files into a realm and a registry of its own, as jest does. */
const RUNNER = `const { readFileSync } = require('node:fs');
  const { createRequire, isBuiltin } = require('node:module');
  const { dirname } = require('node:path');
  const vm = require('node:vm');
  const realm = vm.createContext({ console, process, performance, queueMicrotask, structuredClone, setTimeout, clearTimeout, URL, TextEncoder, TextDecoder });
  const registry = new Map();
  const mocks = { './mocked.cjs': { mocked: () => 'a mock' } };
  const load = (file) => {
    if (registry.has(file)) return registry.get(file).exports;
    const module = { exports: {} };
    registry.set(file, module);
    const { resolve } = createRequire(file);
    const inner = (specifier) =>
      mocks[specifier] ?? (isBuiltin(specifier) || specifier === 'multiprocess' ? require(specifier) : load(resolve(specifier)));
    Object.assign(inner, { resolve, cache: {} });
    const text = '({"Object.<anonymous>":function(module,exports,require,__dirname,__filename){' + readFileSync(file, 'utf8') + '\\n}});';
    const wrapper = new vm.Script(text, { filename: file }).runInContext(realm)['Object.<anonymous>'];
    wrapper.call(module.exports, module, module.exports, inner, dirname(file), file);
    return module.exports;
  };
  load(process.argv[2]);`;

test('packages go by reference in a realm and a registry of modules that a test runner made; mocks by value', () => {
  const runner = write('runner.cjs', RUNNER);
  const cases = write(
    'in-realm.cjs',
    `${require_}
    const rxjs = require('rxjs');
    const { of, firstValueFrom } = require('rxjs');
    const { mocked } = require('./mocked.cjs');
    const interop = (e) => (e && e.__esModule ? e : { default: e });
    const wrapped = interop(require('acorn'));
    const changed = ((e) => ({ parse: e.isNewLine }))(require('acorn'));
    const library = require('./library.cjs');
    const sizes = [explain((x) => rxjs.of(x)), explain((x) => of(x)), explain(() => [rxjs])].map(({ sendable, size }) => sendable && size < 1000);
    ${report(`
      namespace: (x) => rxjs.firstValueFrom(rxjs.of(x)),
      names: (x) => firstValueFrom(of(x)),
      same: () => rxjs.of === of,
      local: (x) => library.double(x),
      mock: () => mocked(),
      wrapped: () => wrapped.default.version === require('acorn').version,
      changed: () => changed.parse(10),
      sizes: ((found) => () => found)(sizes),
    `)}`,
  );
  write('library.cjs', 'exports.double = (x) => x * 2;');
  expect(run([runner, cases])).toEqual({
    namespace: 2,
    names: 2,
    same: true,
    local: 4,
    mock: 'a mock',
    wrapped: true,
    changed: true,
    sizes: [true, true, true],
  });
});

/** As jest with a transform: all files, the library too, are of its realm, and it compiles and finds those of the project. */
const COMPILING_RUNNER = `const { existsSync, readFileSync } = require('node:fs');
  const Module = require('node:module');
  const { dirname } = require('node:path');
  const { fileURLToPath } = require('node:url');
  const vm = require('node:vm');
  const realm = vm.createContext({ console });
  const own = new Set(vm.runInContext('Object.getOwnPropertyNames(globalThis)', realm));
  for (const name of Object.getOwnPropertyNames(globalThis)) if (!own.has(name)) realm[name] = globalThis[name];
  const registry = {};
  const find = (file, specifier) => {
    const compiled = dirname(file) + '/' + specifier + '.ts';
    return existsSync(compiled) ? compiled : Module.createRequire(file).resolve(specifier);
  };
  const createRequire = (from) => requireOf(String(from).startsWith('file:') ? fileURLToPath(from) : String(from));
  const requireOf = (file) => {
    const inner = (specifier) => {
      if (/^(node:)?module$/.test(specifier)) return { ...Module, createRequire };
      return Module.isBuiltin(specifier) || specifier.endsWith('.node') ? require(specifier) : load(find(file, specifier));
    };
    return Object.assign(inner, { resolve: Object.assign((specifier) => find(file, specifier), { paths: () => [] }), cache: registry });
  };
  const load = (file) => {
    if (registry[file]) return registry[file].exports;
    if (file.endsWith('.json')) return JSON.parse(readFileSync(file, 'utf8'));
    const module = { exports: {}, require: requireOf(file), loaded: false };
    registry[file] = module;
    const read = readFileSync(file, 'utf8');
    const code = file.endsWith('.ts') ? read.replace(/: number/g, '') : read;
    const text = '({"Object.<anonymous>":function(module,exports,require,__dirname,__filename){' + code + '\\n}});';
    const wrapper = new vm.Script(text, { filename: file }).runInContext(realm)['Object.<anonymous>'];
    wrapper.call(module.exports, module, module.exports, module.require, dirname(file), file);
    module.loaded = true;
    return module.exports;
  };
  load(process.argv[2]);`;

test('what a test runner compiles goes by value, since no worker can load it', () => {
  const runner = write('compiling-runner.cjs', COMPILING_RUNNER);
  write(
    'math.ts',
    `const unit = 2;
    class Point { constructor(x: number) { this.x = x; } twice() { return this.x * unit; } }
    exports.double = (x: number) => x * unit;
    exports.Point = Point;`,
  );
  write('as-it-is.cjs', 'let loads = 0; exports.count = () => ++loads;');
  const cases = write(
    'compiled.ts',
    `${require_}
    const math = require('./math');
    const { double, Point } = require('./math');
    const plain = require('./as-it-is.cjs');
    const size = explain((x: number) => plain.count()).size;
    ${report(`
      namespace: (x: number) => math.double(x),
      name: (x: number) => double(x),
      class: (x: number) => new Point(x).twice(),
      instance: ((point) => () => [point.twice(), point instanceof Point])(new Point(5)),
      asItIs: (x: number) => plain.count(),
      bytes: ((found) => () => found < 700)(size),
    `)}`,
  );
  expect(run([runner, cases])).toEqual({
    namespace: 4,
    name: 4,
    class: 4,
    instance: [10, true],
    asItIs: 1,
    bytes: true,
  });
});
