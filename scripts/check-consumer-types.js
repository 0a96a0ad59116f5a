/**
 * Compiles a strict program of a user's, as ES module and as CommonJS, with `skipLibCheck: false`, against the declarations in dist/: with the oldest TypeScript that is
 * supported, those between that changed what declarations may say, and the newest, each with a version of Node's types it can read.
 * Each compiles with `lib` and `types`, and without.
 *
 *   node scripts/check-consumer-types.js
 *
 * The compilers are installed into .build/consumer-types, once. Exits with 1 if any combination has an error.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { root, subpaths } from './subpaths.js';

const home = `${root}.build/consumer-types`;
const versions = [
  ['5.4', '20'],
  ['5.4', '22'],
  ['5.7', '20'],
  ['5.9', '24'],
  ['latest', '20'],
  ['latest', 'latest'],
];
const modules = subpaths().map(({ specifier }) => specifier);

const compilers = [...new Set(versions.map(([typescript]) => typescript))].map(
  (version) => `typescript-${version}@npm:typescript@${version}`,
);
const types = [...new Set(versions.map(([, node]) => node))].map(
  (version) => `types-node-${version}@npm:@types/node@${version}`,
);
mkdirSync(home, { recursive: true });
if (!existsSync(`${home}/node_modules`)) {
  writeFileSync(`${home}/package.json`, JSON.stringify({ private: true, type: 'module' }));
  execFileSync(
    'npm',
    ['install', '--prefix', home, '--no-audit', '--no-fund', '--no-package-lock', ...compilers, ...types, 'rxjs@7'],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
}

/** A link in the consumer's node_modules. */
function link(name, target) {
  rmSync(`${home}/node_modules/${name}`, { force: true, recursive: true });
  symlinkSync(target, `${home}/node_modules/${name}`);
}

link('multiprocess', root.slice(0, -1));
for (const end of ['ts', 'cts']) {
  cpSync(`${root}test/fixtures/consumer/main.ts`, `${home}/main.${end}`);
  writeFileSync(
    `${home}/modules.${end}`,
    modules.map((specifier, i) => `export * as module${i} from '${specifier}';\n`).join(''),
  );
}
/** What a project says of itself, by the file that says it. */
const projects = {
  'tsconfig.json': { lib: ['es2023', 'esnext.disposable'], types: ['node'] },
  // No lib, and no types: an empty list is the default since TypeScript 6.
  'tsconfig.bare.json': { types: [] },
};
for (const [file, options] of Object.entries(projects)) {
  writeFileSync(
    `${home}/${file}`,
    JSON.stringify({
      compilerOptions: {
        target: 'es2022',
        // The strictest about what CommonJS may require.
        module: 'node16',
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        skipLibCheck: false,
        noEmit: true,
        ...options,
      },
      files: ['main.ts', 'modules.ts', 'main.cts', 'modules.cts'],
    }),
  );
}

let failed = 0;
mkdirSync(`${home}/node_modules/@types`, { recursive: true });
for (const [typescript, node] of versions) {
  link('@types/node', `../types-node-${node}`);
  const { bin } = JSON.parse(readFileSync(`${home}/node_modules/typescript-${typescript}/package.json`, 'utf8'));
  for (const file of Object.keys(projects)) {
    const { status, stdout } = spawnSync(
      process.execPath,
      [`${home}/node_modules/typescript-${typescript}/${bin.tsc}`, '-p', `${home}/${file}`, '--pretty', 'false'],
      { encoding: 'utf8' },
    );
    const result = status === 0 ? 'compiles' : `fails\n${stdout}`;
    console.log(`TypeScript ${typescript}, @types/node ${node}, ${file}: ${result}`);
    if (status !== 0) failed++;
  }
}
process.exitCode = failed === 0 ? 0 : 1;
