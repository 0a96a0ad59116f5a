/** The source of a function is the one that V8 runs, whatever the file says by now; and asking for it leaves nothing behind. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const cases = fileURLToPath(new URL('./sources/cases.mjs', import.meta.url));
/** Inside of the package, so that programs there can import it by its name. */
const out = fileURLToPath(new URL('../../.build/sources/', import.meta.url));
const esbuild = fileURLToPath(import.meta.resolve('esbuild/bin/esbuild'));
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const stripsTypes = major > 22 || (major === 22 && minor >= 18);
const inThread = (file: string) =>
  `new (require('node:worker_threads').Worker)(new URL(${JSON.stringify(`file://${file}`)})).once('error', (error) => { throw error; })`;

function node(args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, {
    env: { ...process.env, NODE_NO_WARNINGS: '1', NODE_OPTIONS: '', ...env },
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`The program ended with ${status ?? signal}.\n${stderr.slice(-3_000)}`);
  return stdout;
}

function write(name: string, text: string): string {
  writeFileSync(join(out, name), text);
  return join(out, name);
}

const folder = mkdtempSync(join(tmpdir(), 'sources-'));
beforeAll(() => {
  mkdirSync(out, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

const hosts: Readonly<Record<string, readonly string[]>> = {
  'the main thread': [cases],
  'a worker thread': ['-e', inThread(cases)],
  'the main thread, with --enable-source-maps': ['--enable-source-maps', cases],
  'the main thread, with an inspector listening': ['--inspect=127.0.0.1:0', cases],
  'the main thread, with a loader': ['--import', 'tsx', cases],
};

describe.each(Object.entries(hosts))('In %s, exact are', (_host, args) => {
  let results: Record<string, unknown[]>;
  beforeAll(() => {
    const MP_RESULT = join(folder, 'result.json');
    node(args, { MP_RESULT });
    results = JSON.parse(readFileSync(MP_RESULT, 'utf8')) as Record<string, unknown[]>;
  });

  const table = 'table=./tab.mjs (table)';
  const required = 'table=/tab.cjs (table)';
  const expected: Readonly<Record<string, unknown[]>> = {
    'eval of a closure': ['value  a', 4],
    'eval with a sourceURL': ['value 1:16 a', 4],
    'direct eval': [6],
    'new Function': [2, 4],
    'vm.compileFunction': [2, 'value 11:28 c d', 8],
    'vm.Script with offsets': ['value 4:56 d', 5, 'value 2:11 d', 5],
    'another context': [5],
    'a data: URL': ['value 1:32 d', 5],
    'one URL with two queries, edited in between': [
      `value 3:27 d ${table}`,
      'value 4:27 d t=./tab.mjs (table)',
      [1, 1, 200_000],
      [1, 2, 200_000],
    ],
    'required, edited, required again': [
      `value 2:38 d ${required}`,
      'value 3:27 d',
      `value 2:38 d ${required}`,
      200_002,
      -1,
    ],
    'what require gives': [
      'value 3:28 tab_1=/tab.cjs',
      `value 3:54 ${required}`,
      'value 3:74 map=/tab.cjs (map)',
      'value 3:90 tab_1.port',
      'value 3:108 l',
      'value 3:120 tab_1=/tab.cjs',
      'value 3:133 star',
      200_000,
      200_000,
      true,
    ],
    'a mark of the byte order': [`value 2:32 k ${table}`, 200_004, 'value 2:27 k', 4],
    'an interpreter line and CRLF': [`value 3:32 k ${table}`, 200_004],
    'line separators': [`value 5:32 k ${table}`, 200_004],
    'edited after loading': [`value 2:32 k ${table}`, 200_004],
    'removed after loading': [`value 2:32 k ${table}`, 200_004, 'value 3:26 k', 6, 6],
    'a wrapper of their own around CommonJS': [expect.stringMatching(/^value 1:\d+ k$/), 4],
    'the same text at the same place of two files': [
      `value 2:32 ${table}`,
      'value 2:32 table=./seven.mjs (table)',
      `value 2:32 ${table}`,
    ],
    'several alike in one line': [14, true, 5],
    'a bundle of several megabytes': ['value  h T=./tab.mjs (table) N=./tab.mjs', 400_004],
  };
  test.each(Object.keys(expected))('%s', (name) => expect(results[name]).toEqual(expected[name]));
  test('all of them', () => expect(Object.keys(results)).toEqual(Object.keys(expected)));
});

describe('TypeScript that is run directly', () => {
  /** Annotations before, in, and after what is sent; the file is done to in between as `then` says. */
  const program = (extension: string, imports: string, then = '') => `${imports}
interface Unused { readonly a: string; b?: Map<string, number> }
const unrelated: number = 1, k = 5 as const satisfies number;
class Scaler<T extends number> { constructor(readonly by: T) {} declare never: string; scale(x: number): number { return x * (this.by as number); } }
${then}
const told = (fn: Function): string => { const e = explain(fn); return e.captures.map((c: any) => c.name + '=' + (c.from ?? c.size)).join() + ' ' + e.place!.match(/\\d+:\\d+$/)![0]; };
const own = (fn: () => unknown): string => { try { fn(); return ''; } catch (error) { return (error as Error).stack!.match(/main\\.${extension}:\\d+:\\d+/)![0]; } };
async function main(): Promise<void> {
  const pool = new Pool({ processes: 1 });
  try {
    const fail: (x?: number) => never = (x?: number): never => { throw new Error('fails' + k + (x as unknown as string)); };
    const results: unknown[] = [
      told(() => tab.table.length),
      told(() => table.length),
      await pool.apply((): string => 'plain'),
      await pool.apply((x: number): number => x + k + unrelated, [1]),
      await pool.apply(<T,>(x: T): T[] => [x] as T[], [2]),
      await pool.apply(() => table.length + tab.table.length),
      await pool.apply((s: Scaler<2>) => s.scale(4), [new Scaler(2 as const)]),
      own(fail) === (await pool.apply(fail).catch((error: Error) => error.stack!.match(/main\\.${extension}:\\d+:\\d+/)![0])),
    ];
    console.log(JSON.stringify(results));
  } finally {
    await pool.terminate();
  }
}
main();
`;
  const modules = (extension: string) => `import { explain, Pool } from 'multiprocess';
import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { table } from './tab.${extension}'; import * as tab from './tab.${extension}';
const file: string = fileURLToPath(import.meta.url);`;
  const required = `const { explain, Pool } = require('multiprocess');
const { rmSync, writeFileSync } = require('node:fs');
const tab = require('./tab.cts'); const { table } = require('./tab.cts');
const file: string = __filename;`;
  const done: Readonly<Record<string, string>> = {
    'as it is': '',
    'edited once it runs': `writeFileSync(file, '\\n\\nconst k: number = 6;\\n');`,
    'removed once it runs': `rmSync(file);`,
  };

  const run = (extension: string, then: string, flags: readonly string[]): unknown[] => {
    const commonjs = extension === 'cts';
    write(
      `tab.${extension}`,
      `${commonjs ? 'exports.table =' : 'export const table: Float64Array ='} new Float64Array(200_000) as Float64Array;\n`,
    );
    const written = program(extension, commonjs ? required : modules(extension), then);
    // Parameter properties are more than Node strips.
    const main = write(
      `main.${extension}`,
      written.replace('constructor(readonly by: T) {}', 'readonly by: T; constructor(by: T) { this.by = by; }'),
    );
    return JSON.parse(node([...flags, main])) as unknown[];
  };
  const expected = (extension: string) => [
    expect.stringMatching(extension === 'cts' ? /^tab=file:.*tab\.cts \d+/ : /^tab=\.\/tab\.m?ts \d+/),
    expect.stringMatching(
      extension === 'cts' ? /^table=file:.*tab\.cts \(table\) / : /^table=\.\/tab\.m?ts \(table\) /,
    ),
    'plain',
    7,
    [2],
    400_000,
    8,
    true,
  ];

  for (const [state, then] of Object.entries(done)) {
    for (const extension of ['ts', 'mts', 'cts']) {
      test.runIf(stripsTypes)(`.${extension}, ${state}`, () =>
        expect(run(extension, then, [])).toEqual(expected(extension)),
      );
    }
    test(`.mts by tsx, ${state}`, () =>
      expect(run('mts', then, ['--import', 'tsx']).slice(0, 7)).toEqual(expected('mts').slice(0, 7)));
  }

  test.runIf(stripsTypes && process.allowedNodeEnvironmentFlags.has('--experimental-transform-types'))(
    '.mts, transformed by Node',
    () => expect(run('mts', '', ['--experimental-transform-types']).slice(0, 7)).toEqual(expected('mts').slice(0, 7)),
  );
});

describe('Stacks in a worker have the line and column of the source', () => {
  const program = (tail: string) => `import { Pool } from 'multiprocess';
const pool = new Pool({ processes: 1 });
const at = (error) => error.stack.match(/\\w+\\.mjs:\\d+:\\d+/)[0];
const here = (fn) => { try { fn(); } catch (error) { return at(error); } };
const there = (fn) => pool.apply(fn).catch(at);
const k = 5;
${tail}
console.log(JSON.stringify(results));
await pool.terminate();
`;
  const failing = "() => { if (k === 5) throw new Error('fails'); }";
  // biome-ignore lint/suspicious/noTemplateCurlyInString: part of a program
  const inner = '() => { const inner = () => { throw new Error(`inner ${k}`); }; inner(); }';
  const both = (fn: string) => `await (async (f) => [here(f), await there(f)])(${fn})`;

  test('in a line of a megabyte, and of functions made by a sent function', () => {
    const wide = ' '.repeat(1_000_000);
    const made = `await (async (f) => [here(f()), await pool.apply(async (f) => { try { f()(); } catch (error) { return error.stack; } }, [f]).then((stack) => at({ stack }))])(() => () => { throw new Error('made'); })`;
    const file = write(
      'wide.mjs',
      program(`const results = [${wide}${both(failing)}, ${both(inner)}, ${made}, ${both(failing)}];`),
    );
    const results = JSON.parse(node([file])) as [string, string][];
    expect(results.map(([own]) => own)).toEqual(results.map(([, theirs]) => theirs));
    for (const [own] of results) expect(Number(own.split(':')[2])).toBeGreaterThan(1_000_000);
    expect(new Set(results.flat()).size).toBe(4);
  });

  test('behind variables that it assigns, in one line', () => {
    const assigning = '() => { count += k; last = [count, { count }.count]; throw new Error(String(last)); }';
    const file = write(
      'assigning.mjs',
      program(`let count = 0, last; const results = [${both(assigning)}, ${both(assigning)}]; void last;`),
    );
    for (const [own, theirs] of JSON.parse(node([file])) as [string, string][]) {
      // A shorthand has to name its key: two columns more than before.
      expect(theirs.replace(/\d+$/, '')).toBe(own.replace(/\d+$/, ''));
      expect(Number(theirs.split(':')[2]) - Number(own.split(':')[2])).toBeLessThanOrEqual('count: '.length);
    }
    const plain = '() => { count += k; last = [count, count++]; throw new Error(String(last)); }';
    const exact = write(
      'assigning.mjs',
      program(`let count = 0, last; const results = [${both(plain)}, ${both(plain)}]; void last;`),
    );
    for (const [own, theirs] of JSON.parse(node([exact])) as [string, string][]) expect(theirs).toBe(own);
  });

  test('by tsx, far to the right in what it makes of a file', () => {
    const filler = Array.from({ length: 150 }, (_, i) => `export const filler${i}: number = ${i};`).join('\n');
    const main = write(
      'wide.mts',
      program(`${filler}\nconst fail = (x: number): never => {\n  const y: number = x + k;\n  throw new Error('fails' + y);\n};
const results: unknown = [[here(() => fail(1)), await pool.apply(fail, [1]).catch(at)], [here(() => fail(1)), await pool.apply((x: number) => { fail(x); }, [1]).catch(at)]];`)
        .replaceAll('.mjs', '.mts')
        .replace(/\((error|fn)\) =>/g, '($1: any): any =>'),
    );
    const results = JSON.parse(node(['--import', 'tsx', main])) as [string, string][];
    for (const [own, theirs] of results) expect(theirs).toBe(own);
    expect(results[0]![0]).toMatch(/wide\.mts:159:9/);
  });

  test('of a module with a map that was loaded again after an edit', () => {
    const made = (line: number, name: string) => {
      const map = { version: 3, sources: ['source.ts'], names: [], mappings: `${';'.repeat(1)}AA${vlq(line)}A` };
      const data = Buffer.from(JSON.stringify(map)).toString('base64');
      return `exports.name = ${JSON.stringify(name)};\nexports.fail = [() => { throw new Error(${JSON.stringify(name)}); }];\n//# sourceMappingURL=data:application/json;base64,${data}\n`;
    };
    const vlq = (value: number) => 'ACEGIKMOQSUWYacegikmoqsuwyg'.charAt(value);
    const file = write('mapped.cjs', made(3, 'one'));
    const main = write(
      'reloads.mjs',
      `import { Pool } from 'multiprocess'; import { createRequire } from 'node:module'; import { writeFileSync } from 'node:fs';
const pool = new Pool({ processes: 1 });
const require = createRequire(import.meta.url);
const at = (error) => error.stack.match(/[\\w.]+(#\\w+)?:\\d+(?=:\\d+\\)?$)/m)[0];
const one = require('./mapped.cjs').fail[0];
const results = [await pool.apply(one).catch(at)];
writeFileSync(${JSON.stringify(file)}, ${JSON.stringify(made(7, 'two'))});
delete require.cache[${JSON.stringify(file)}];
const two = require('./mapped.cjs').fail[0];
results.push(await pool.apply(one).catch(at), await pool.apply(two).catch(at), await pool.apply(one).catch(at));
console.log(JSON.stringify(results));
await pool.terminate();`,
    );
    expect(JSON.parse(node([main]))).toEqual(['source.ts:4', 'source.ts:4', 'source.ts:8', 'source.ts:4']);
  });

  test('in a minified bundle, and through its map', () => {
    const source = write(
      'minify.mjs',
      program(
        `const results = [${both(failing)}, ${both(inner)}];\n${'export const pad = "x";'.replace('"x"', `"${'x'.repeat(5_000)}"`)}`,
      ),
    );
    for (const sourcemap of ['', '--sourcemap=inline']) {
      const outfile = join(out, 'minified.mjs');
      execFileSync(esbuild, [
        source,
        '--bundle',
        '--minify',
        '--packages=external',
        '--format=esm',
        '--platform=node',
        ...(sourcemap ? [sourcemap] : []),
        `--outfile=${outfile}`,
        '--log-level=error',
      ]);
      // With a map, the frames of this process say where the code was compiled to, unless Node maps them.
      const results = JSON.parse(node(sourcemap ? ['--enable-source-maps', outfile] : [outfile])) as [string, string][];
      for (const [own, theirs] of results) expect(theirs).toBe(own);
    }
  });
});

describe('Sending closures leaves nothing behind', () => {
  /** What console.log was given can be freed again, once the closure of `send` was looked at. */
  const program = (send: string) => `
import { setImmediate as turn } from 'node:timers/promises';
import { explain, Pool } from 'multiprocess';
import { dumps } from 'multiprocess/reduction';
const factor = 3;
const helper = (x) => x * factor;
class Scaler { by = 2; send() { return dumps((x) => x * this.by); } }
const refs = [];
${send}
refs.push(...Array.from({ length: 20 }, () => { const value = { large: new Array(1_000).fill(1) }; console.error(value); return new WeakRef(value); }));
// The target of a WeakRef is held until the job ends.
for (let i = 0; i < 10; i++) { await turn(); gc(); }
console.log(refs.filter((ref) => ref.deref() !== undefined).length);`;
  const sends: Readonly<Record<string, string>> = {
    'nothing, for comparison': '',
    'a closure with helpers': 'dumps((x) => helper(x) + factor);',
    'a closure that was made from text': 'dumps((0, eval)("{ const a = 3; (x) => x + a }"));',
    'a closure with an outer this': 'new Scaler().send();',
    'one that is refused':
      'try { dumps(() => new Promise(() => factor).then(promise)); const promise = 1; } catch {} try { const p = Promise.resolve(); dumps(() => p); } catch {}',
    explain: 'explain((x) => helper(x) + factor);',
    'a getter that sends another one': 'dumps({ get f() { return dumps(() => helper(1)); }, g: () => factor });',
    'a getter that logs':
      'const got = []; dumps({ f: () => factor, get g() { const value = { large: [1] }; got.push(new WeakRef(value)); console.error(value); return 1; } }); refs.push(...got);',
    'a burst of closures': 'for (let i = 0; i < 50; i++) dumps((x) => helper(x) + i);',
    'a call by a pool':
      'const pool = new Pool({ processes: 1 }); await pool.apply((x) => helper(x), [1]); await pool.terminate();',
  };
  const run = (send: string, thread: boolean) => {
    const file = write('leaves.mjs', program(send));
    return Number(node(thread ? ['--expose-gc', '-e', inThread(file)] : ['--expose-gc', file]));
  };
  test('nor in the same synchronous stretch', () => {
    const file = write(
      'stretch.mjs',
      `import { Session } from 'node:inspector';
import { explain } from 'multiprocess';
import { dumps } from 'multiprocess/reduction';
const { connect, disconnect } = Session.prototype;
let open = 0;
let most = 0;
let made = 0;
Session.prototype.connect = function () { connect.call(this); open++; made++; most = Math.max(most, open); };
Session.prototype.disconnect = function () { disconnect.call(this); open--; };
const k = 1;
dumps(() => k);
const one = open;
explain(() => k);
const two = open;
await null;
const before = made;
for (let i = 0; i < 1_000; i++) dumps(() => k + i);
const burst = made - before;
await null;
console.log(JSON.stringify([one, two, burst < 10, open, most]));`,
    );
    expect(JSON.parse(node([file]))).toEqual([0, 0, true, 0, 1]);
  });

  test.each(Object.entries(sends))('%s', (_name, send) => expect(run(send, false)).toBe(0));
  test.each(Object.entries(sends))('in a worker thread: %s', (_name, send) => expect(run(send, true)).toBe(0));
});
