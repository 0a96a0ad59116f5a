/** `loads`, which cannot wait, finds the same files as `import` does. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resolveImport } from '../../src/modules/import-resolution.js';
import { loadedModule, loadModulesSync } from '../../src/modules/load-modules.js';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'resolution-')));
const main = join(root, 'app/main.mjs');

function write(path: string, content: string | object): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
}

beforeAll(() => {
  write('app/package.json', {
    name: 'app',
    imports: {
      '#inner/*.js': { import: './inner/*.mjs', default: './inner/*.cjs' },
      '#dual': 'dual',
      '#fs': 'node:fs',
    },
    exports: { './self': './inner/self.mjs' },
  });
  write('app/main.mjs', '');
  const dual = { require: './lib/index.cjs', import: './lib/index.mjs' };
  write('app/node_modules/dual/package.json', {
    name: 'dual',
    exports: {
      '.': dual,
      './sub/*': { browser: null, import: ['./lib/*.mjs'], default: './lib/*.cjs' },
      './sub/secret/*': null,
      './only': { odd: './x' },
    },
  });
  write('app/node_modules/dual/lib/index.mjs', 'export const which = "import";');
  write('app/node_modules/dual/lib/index.cjs', 'exports.which = "require";');
  write('app/node_modules/@scope/plain/package.json', { name: '@scope/plain', main: './a.cjs' });
  write('node_modules/@scope/sugar/package.json', { name: '@scope/sugar', exports: './only.mjs' });
});
afterAll(() => rmSync(root, { recursive: true }));

describe('A specifier leads to the file that import loads', () => {
  const parent = pathToFileURL(main).href;
  const cases: readonly (readonly [string, string | null])[] = [
    ['dual', 'app/node_modules/dual/lib/index.mjs'],
    ['dual/sub/a/b', 'app/node_modules/dual/lib/a/b.mjs'],
    ['dual/sub/secret/a', null],
    ['dual/only', null],
    ['dual/missing', null],
    ['@scope/plain', null],
    ['@scope/sugar', 'node_modules/@scope/sugar/only.mjs'],
    ['app/self', 'app/inner/self.mjs'],
    ['#inner/x.js', 'app/inner/x.mjs'],
    ['#dual', 'app/node_modules/dual/lib/index.mjs'],
    ['#nothing', null],
    ['absent', null],
  ];
  test.each(cases)('%s', (specifier, expected) => {
    expect(resolveImport(specifier, parent)).toBe(expected === null ? null : join(root, expected));
  });

  test('and that file is what is loaded', () => {
    const request = { specifier: 'dual', parent };
    loadModulesSync([request]);
    expect(loadedModule(request)).toMatchObject({ which: 'import' });
  });

  test('as Node itself finds it', () => {
    const names = ['dual', '@scope/sugar', 'app/self', '#inner/x.js', '#dual'];
    writeFileSync(main, `for (const name of ${JSON.stringify(names)}) console.log(import.meta.resolve(name));`);
    const { stdout } = spawnSync(process.execPath, [main], {
      encoding: 'utf8',
      timeout: 30_000,
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    expect(stdout.trim().split('\n')).toEqual(names.map((name) => pathToFileURL(resolveImport(name, parent)!).href));
  });
});
