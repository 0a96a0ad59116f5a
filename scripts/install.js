/**
 * Makes sure that the native addon is there: takes the prebuilt binary, or the one built before, or builds it.
 * Then, in an installed package, writes the code cache of what children load (cache.js).
 * Runs as the package's install script and as `npm run build:native`.
 *
 * Inside the repository only build/Release counts (a prebuilt one may be older than the sources) and a failure
 * ends with status 1; installed as a dependency a failure is a warning, since thread features work without the addon.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { built, isFresh, isMusl, prebuilt, root } from './addon-files.js';

const require = createRequire(import.meta.url);
const inRepository = existsSync(join(root, 'tsconfig.json')); // not among the published files

function loads(file) {
  if (!existsSync(file)) return false;
  try {
    require(file);
    return true;
  } catch {
    return false;
  }
}

/** Whether the prebuilt binary loads. The library looks for one that needs musl where a build would put it. */
function takesPrebuilt() {
  if (!loads(prebuilt)) return false;
  if (isMusl) {
    mkdirSync(dirname(built), { recursive: true });
    copyFileSync(prebuilt, built);
  }
  return true;
}

function inPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** What a build needs and this machine lacks, one line each. */
function missingTools() {
  const missing = [];
  if (process.env.CXX === undefined && !inPath('g++')) {
    missing.push('g++ is missing: install it with `apt-get install g++`, `dnf install gcc-c++` or `apk add g++`.');
  }
  if (!inPath('make')) missing.push('make is missing: install it with `apt-get install make`, `dnf install make` or `apk add make`.');
  if (process.env.PYTHON === undefined && process.env.npm_config_python === undefined && !inPath('python3') && !inPath('python')) {
    missing.push('python3 is missing: install it with `apt-get install python3`, `dnf install python3` or `apk add python3`.');
  }
  return missing;
}

function nodeGyp() {
  try {
    return require.resolve('node-gyp/bin/node-gyp.js');
  } catch {
    return process.env.npm_config_node_gyp;
  }
}

/** Reasons why there is no binary; empty when the build went well. */
function build() {
  const missing = missingTools();
  if (missing.length > 0) return missing;
  const gyp = nodeGyp();
  if (gyp === undefined) return ['node-gyp is missing: install it beside this package with `npm install node-gyp`.'];
  const prefix = dirname(dirname(process.execPath));
  const headers =
    process.env.npm_config_nodedir === undefined && existsSync(join(prefix, 'include', 'node', 'node_api.h'))
      ? [`--nodedir=${prefix}`]
      : [];
  const result = spawnSync(process.execPath, [gyp, 'rebuild', '--silent', ...headers], { cwd: root, stdio: 'inherit' });
  if (result.status !== 0)
    return [`node-gyp ended with ${result.error?.message ?? `status ${result.status ?? result.signal}`}; see above.`];
  return loads(built) ? [] : ['The addon was built but this Node.js cannot load it.'];
}

if (process.platform !== 'linux') {
  console.warn(`multiprocess: no native addon for ${process.platform}; thread features work without it.`);
} else if (!(inRepository ? isFresh(built) && loads(built) : takesPrebuilt() || (isFresh(built) && loads(built)))) {
  const reasons = build();
  for (const reason of reasons) console.error(`multiprocess: ${reason}`);
  if (reasons.length > 0) {
    const what = 'The native addon could not be built.';
    if (inRepository) {
      console.error(`multiprocess: ${what} Repair the above and run \`npm run build:native\`.`);
      process.exit(1);
    }
    console.warn(`multiprocess: ${what} Thread features work without it; after the repair run \`npm rebuild multiprocess\`.`);
  }
}

// The repository's is written by its build.
if (!inRepository) await import('./cache.js');
