/**
 * Makes sure that the native addon is there: takes the prebuilt binary, or the one built before, or builds it.
 * Then, in an installed package, writes the code cache of what children load (cache.js).
 * Runs as the package's install script and as `npm run build:native`.
 *
 * Installed as a dependency it never fails: without the addon the package works in threads, and one line says what
 * is missing and how to get it. `MULTIPROCESS_NATIVE=off` goes without the addon, and without the line. Inside the repository only build/Release counts (a prebuilt one may be older than the
 * sources), and on Linux a build that fails ends with status 1.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { built, isFresh, isMusl, prebuilt, root } from './addon-files.js';

const require = createRequire(import.meta.url);
const inRepository = existsSync(join(root, 'tsconfig.json')); // not among the published files

/** What installs the tools of a build, by package manager. */
const TOOLS = [
  '`apt-get install g++ make python3`',
  '`dnf install gcc-c++ make python3`',
  '`apk add g++ make python3`',
].join(', ');

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

/** The programs that a build needs and this machine lacks. */
function missingTools() {
  const { CXX, PYTHON, npm_config_python: python } = process.env;
  const missing = [];
  if (CXX === undefined && !inPath('g++')) missing.push('g++');
  if (!inPath('make')) missing.push('make');
  if (PYTHON === undefined && python === undefined && !inPath('python3') && !inPath('python')) missing.push('python3');
  return missing;
}

function nodeGyp() {
  try {
    return require.resolve('node-gyp/bin/node-gyp.js');
  } catch {
    return process.env.npm_config_node_gyp;
  }
}

/** Builds the addon. Returns why there is none, and the repair; `null` when the build went well. */
function build() {
  const missing = missingTools();
  if (missing.length > 0) return `building it needs ${missing.join(', ')}; install them (${TOOLS})`;
  const gyp = nodeGyp();
  if (gyp === undefined) return 'building it needs node-gyp; install it (`npm install node-gyp`)';
  const prefix = dirname(dirname(process.execPath));
  const headers =
    process.env.npm_config_nodedir === undefined && existsSync(join(prefix, 'include', 'node', 'node_api.h'))
      ? [`--nodedir=${prefix}`]
      : [];
  const result = spawnSync(process.execPath, [gyp, 'rebuild', '--silent', ...headers], { cwd: root, stdio: 'inherit' });
  if (result.status !== 0) {
    const end = result.error?.message ?? `status ${result.status ?? result.signal}`;
    return `node-gyp ended with ${end}; repair what it says`;
  }
  return loads(built) ? null : 'it was built, but this Node.js cannot load it; use an official build of Node.js';
}

/** Returns why there is no addon, and the repair; `null` where there is one. */
function provide() {
  if (inRepository ? isFresh(built) && loads(built) : takesPrebuilt() || (isFresh(built) && loads(built))) return null;
  return build();
}

/** Why this system can have no addon, and what would help; `null` where it can. */
function systemWithout() {
  // The library does not load it there either (src/native): it crashes Bun, and Deno lacks what it needs of libuv.
  const { bun, deno } = process.versions;
  if (bun !== undefined || deno !== undefined) return `these need Node.js, and this is ${bun ? 'Bun' : 'Deno'}`;
  if (process.platform === 'linux') return null;
  return `these need Linux, and this is ${process.platform}; run the program in a Linux container, or in WSL`;
}

const LESS = 'multiprocess works in worker threads here, not in processes';
const without = systemWithout();
if (process.env.MULTIPROCESS_NATIVE === 'off') {
  // Nobody wants one.
} else if (without !== null) {
  console.warn(`${LESS}: ${without}.`);
} else if (inRepository) {
  const reason = provide();
  if (reason !== null) {
    console.error(`multiprocess: there is no native addon: ${reason}, then run \`npm run build:native\`.`);
    process.exit(1);
  }
} else {
  let reason;
  try {
    reason = provide();
  } catch (error) {
    reason = `installing it failed (${error.message}); repair that`;
  }
  if (reason !== null) {
    const again = '`npm rebuild multiprocess --foreground-scripts`';
    console.warn(`${LESS}: there is no native addon: ${reason}, then run ${again}.`);
  }
}

// The repository's is written by its build.
if (!inRepository) {
  try {
    await import('./cache.js');
  } catch (error) {
    console.warn(`multiprocess: no code cache could be written (${error.message}); children start without.`);
  }
}
