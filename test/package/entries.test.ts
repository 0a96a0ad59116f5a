/** The ways into the installed package: `import`, `require`, and programs that were bundled with it. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { subpaths } from '../../scripts/subpaths.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const app = mkdtempSync(join(tmpdir(), 'multiprocess-entries-'));
const installed = join(app, 'node_modules', 'multiprocess');
const specifiers = subpaths().map(({ specifier }) => specifier);

beforeAll(() => {
  mkdirSync(join(installed, 'build', 'Release'), { recursive: true });
  for (const each of ['dist', 'package.json', 'build/Release/multiprocess.node']) {
    cpSync(join(root, each), join(installed, each), { recursive: true, filter: (path) => !path.endsWith('.cache') });
  }
  for (const each of ['acorn', 'msgpackr', 'piscina', 'rxjs'])
    symlinkSync(join(root, 'node_modules', each), join(app, 'node_modules', each));
}, 120_000);
afterAll(() => rmSync(app, { recursive: true }));

const program = async (file: string, folder = app) =>
  (await run(process.execPath, [file], { cwd: folder, timeout: 110_000 })).stdout;

describe('import and require', () => {
  it('of every subpath give the same things, called as they are exported', { timeout: 120_000 }, async () => {
    writeFileSync(
      join(app, 'same.mjs'),
      `import { createRequire } from 'node:module';
      const require = createRequire(import.meta.url);
      for (const specifier of ${JSON.stringify(specifiers)}) {
        const imported = await import(specifier);
        const required = require(specifier);
        const names = Object.keys(imported);
        if (names.length === 0 || names.join() !== Object.keys(required).sort().join()) console.log(specifier, names, Object.keys(required));
        for (const name of names) {
          if (imported[name] !== required[name]) console.log(specifier, name, 'is another one');
          if (/\\$\\d+$/.test(imported[name]?.name)) console.log(specifier, name, 'is called', imported[name].name);
        }
      }`,
    );
    expect(await program('same.mjs')).toBe('');
  });

  it('a program that requires the package runs a pool', { timeout: 120_000 }, async () => {
    writeFileSync(
      join(app, 'pool.cjs'),
      `const { Pool } = require('multiprocess');
      const { Queue } = require('multiprocess/queues');
      const factor = 3;
      (async () => {
        const pool = new Pool({ processes: 1 });
        const queue = new Queue();
        console.log(await pool.map((x) => x * factor, [1, 2]), await pool.apply((queue) => queue instanceof Queue, [queue]));
        queue.close();
        pool.close();
        await pool.join();
      })();`,
    );
    expect(await program('pool.cjs')).toBe('[ 3, 6 ] true\n');
  });

  it('load the parser past the hooks of compilers, and once', { timeout: 120_000 }, async () => {
    writeFileSync(
      join(app, 'parser.cjs'),
      `const Module = require('node:module');
      const { _compile } = Module.prototype;
      const compiled = [];
      Module.prototype._compile = function (code, file, ...rest) { compiled.push(file); return _compile.call(this, code, file, ...rest); };
      const { dumps } = require('multiprocess/reduction');
      const parsers = () => Object.keys(require.cache).filter((file) => /acorn/.test(file));
      const before = parsers().length;
      const factor = 3;
      dumps((x) => x * factor);
      console.log(before, parsers().length, require(parsers()[0]) === require.cache[parsers()[0]].exports, compiled.filter((file) => /acorn/.test(file)).length);`,
    );
    expect(await program('parser.cjs')).toBe('0 1 true 0\n');
  });
});

describe('a program that was bundled with the package', () => {
  const source = `
    import { Pool } from 'multiprocess';
    const factor = 3;
    (async () => {
      const pool = new Pool({ processes: 1 });
      console.log(await pool.map((x) => x * factor, [1, 2]));
      pool.close();
      await pool.join();
    })();`;
  const elsewhere = mkdtempSync(join(tmpdir(), 'multiprocess-bundled-'));
  const bundles = {
    'esbuild, ESM': 'esbuild.mjs',
    'esbuild, CommonJS': 'esbuild.cjs',
    'rolldown, ESM': 'rolldown.mjs',
    'rolldown, CommonJS': 'rolldown.cjs',
  };

  beforeAll(async () => {
    const entry = join(app, 'source.mjs');
    writeFileSync(entry, source);
    // In processes of their own: both leave threads or a child behind.
    const bundler = (name: string, ...options: string[]) =>
      run(join(root, 'node_modules/.bin', name), [entry, ...options]);
    for (const [end, format] of Object.entries({ mjs: 'esm', cjs: 'cjs' })) {
      const common = ['--platform=node', `--format=${format}`];
      await bundler('esbuild', '--bundle', ...common, `--outfile=${join(app, `esbuild.${end}`)}`);
      await bundler('rolldown', ...common, `--file=${join(app, `rolldown.${end}`)}`);
    }
    for (const file of Object.values(bundles)) cpSync(join(app, file), join(elsewhere, file));
  }, 120_000);
  afterAll(() => rmSync(elsewhere, { recursive: true }));

  it.each(Object.entries(bundles))(
    'by %s runs where the package is installed, and says at once where it is not',
    async (_, file) => {
      expect(await program(file)).toBe('[ 3, 6 ]\n');
      const { stderr } = await program(file, elsewhere).then(
        () => ({ stderr: 'It ran.' }),
        (error: { stderr: string }) => error,
      );
      expect(stderr).toContain("code: 'MP_BUNDLED'");
      expect(stderr).toContain('esbuild --external:multiprocess');
    },
  );
});
