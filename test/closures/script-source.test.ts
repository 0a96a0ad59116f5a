/** Sources come from V8 itself: what that costs, where a function is then, and what it leaves as it was. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Script } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mirror } from '../../src/closures/inspect/inspector.js';
import { locate } from '../../src/closures/inspect/locate.js';
import { scriptSourceOf } from '../../src/closures/inspect/script-source.js';

const run = promisify(execFile);
const library = fileURLToPath(new URL('../../dist/reduction/index.cjs', import.meta.url));
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'script-source-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a program in CommonJS writes. */
async function output(text: string, options: readonly string[] = []): Promise<string> {
  const file = join(folder, `program-${Math.random().toString(36).slice(2)}.cjs`);
  writeFileSync(file, `const { dumps } = require(${JSON.stringify(library)});\n${text}`);
  return (await run(process.execPath, [...options, file], { timeout: 60_000, killSignal: 'SIGKILL' })).stdout.trim();
}

function placeOf(fn: Function): { line: number; column: number; text: string } | null {
  const found = locate(fn, mirror(fn, ''), fn.toString(), '');
  if (found === null || found === 'internal') return null;
  return {
    line: found.line,
    column: found.column,
    text: found.script.source.slice(found.start, found.start + fn.toString().length),
  };
}

describe('The source of a script', () => {
  const SOURCE = '[() => 1, (x) => x,\n async (y) => y, async function\n late() {}]';
  const functions = (lineOffset: number, columnOffset: number) =>
    new Script(SOURCE, { lineOffset, columnOffset }).runInThisContext() as [Function, Function, Function, Function];

  it('is whole, with the position of the parameters', () => {
    const [, second] = functions(0, 0);
    expect(scriptSourceOf(second)).toEqual({ source: SOURCE, position: SOURCE.indexOf('(x)') });
  });

  it.each([0, 1, 2])('counts lines and columns as the host does, whichever function is met first (%i)', (first) => {
    const met = functions(7, 5);
    placeOf(met[first]!);
    const places = [
      { line: 7, column: 6, text: '() => 1' },
      { line: 7, column: 15, text: '(x) => x' },
      { line: 8, column: 1, text: 'async (y) => y' },
    ];
    expect(met.slice(0, 3).map(placeOf)).toEqual(places);
  });

  it('is that of each script where a host runs two of one name', () => {
    const make = (text: string) => new Script(text, { filename: '/a/twice.js' }).runInThisContext() as Function;
    expect(placeOf(make('(() => 1)'))).toEqual({ line: 0, column: 1, text: '() => 1' });
    expect(placeOf(make('\n\n   (() => 2)'))).toEqual({ line: 2, column: 4, text: '() => 2' });
  });
});

describe('Asking V8 for a source', () => {
  it('lists no scripts, also for a file that a hook compiled', async () => {
    const hooked = join(folder, 'hooked.cjs');
    const hook = join(folder, 'hook.cjs');
    writeFileSync(
      hooked,
      'EXTRA\nmodule.exports = (dumps) => { const K = 2; const help = (x) => x * K; return dumps((x) => help(x) + K); };',
    );
    writeFileSync(
      hook,
      `const { Session } = require('node:inspector');
      const { post } = Session.prototype;
      globalThis.asked = 0;
      Session.prototype.post = function (method, ...rest) { if (method === 'Debugger.enable') asked++; return post.call(this, method, ...rest); };
      const Module = require('node:module');
      const { _compile } = Module.prototype;
      Module.prototype._compile = function (code, file, ...rest) { return _compile.call(this, code.replace('EXTRA', 'const padding = 1;'), file, ...rest); };`,
    );
    const text = `require(${JSON.stringify(hooked)})(dumps); console.log(asked);`;
    expect(await output(text, ['--require', hook])).toBe('0');
  });

  it('leaves the flag as the program has it', async () => {
    const closure = 'const K = 1; dumps((x) => x + K);';
    const use = "const use = new Function('f', 'return %FunctionGetScriptId(f) > 0');";
    expect(
      await output(`${closure} try { ${use} console.log('set'); } catch (error) { console.log(error.name); }`),
    ).toBe('SyntaxError');
    expect(
      await output(
        `require('node:v8').setFlagsFromString('--allow-natives-syntax'); ${closure} ${use} console.log(use(use));`,
      ),
    ).toBe('true');
    expect(await output(`${closure} ${use} console.log(use(use));`, ['--allow-natives-syntax'])).toBe('true');
  });

  it('takes bound functions, proxies and functions of the platform as what they are', async () => {
    const kinds = [
      '(() => 1).bind({})',
      'new Proxy(() => 1, {})',
      'Math.max',
      'class A { x = 1 }',
      "eval('() => 3')",
      "new Function('return 3')",
    ];
    expect(await output(kinds.map((kind) => `console.log(typeof dumps(${kind}).length);`).join('\n'))).toBe(
      kinds.map(() => 'number').join('\n'),
    );
  });
});

describe('The stack of an error in a function that a hook compiled', () => {
  it('has the lines that the hook maps to, though only the hook has a map', async () => {
    const program = join(folder, 'mapped.cjs');
    const hook = join(folder, 'mapping.cjs');
    writeFileSync(
      hook,
      `const Module = require('node:module');
      const { _compile } = Module.prototype;
      const file = ${JSON.stringify(program)};
      Module.prototype._compile = function (code, name, ...rest) { return _compile.call(this, name === file ? '\\n'.repeat(100) + code : code, name, ...rest); };
      Error.prepareStackTrace = (error, sites) =>
        [String(error), ...sites.map((site) => \`    at \${site.getFileName()}:\${site.getLineNumber() - (site.getFileName() === file ? 100 : 0)}:\${site.getColumnNumber()}\`)].join('\\n');`,
    );
    writeFileSync(
      program,
      `const { Pool } = require(${JSON.stringify(fileURLToPath(new URL('../../dist/index.cjs', import.meta.url)))});
      const text = 'thrown there';
      const fail = () => {
        throw new Error(text);
      };
      (async () => {
        const pool = new Pool({ processes: 1 });
        const error = await pool.apply(fail).catch((error) => error);
        console.log(/mapped\\.cjs:(\\d+)/.exec(error.stack)[1]);
        await pool.terminate();
      })();`,
    );
    const { stdout } = await run(process.execPath, ['--require', hook, program], {
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    expect(stdout.trim()).toBe('4');
  });
});
