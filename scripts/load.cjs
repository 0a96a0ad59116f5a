'use strict';
/**
 * Loads the compiled library: dist/chunks/, for the doors beside this file. It does three things that Node's `require` does not:
 *
 * - It takes V8's code cache, where the installation wrote one for this very Node. Anything else about the cache (another Node, other flags)
 *   and it is as if there were none. Whoever can write it can write the code as well.
 * - It passes by hooks that compile or rewrite modules, such as tsx's: the chunks are a megabyte of compiled code. So it does for the
 *   parser (`dependency`).
 * - It finds the installed package from within a program that was bundled with it. Bundlers take along the doors and this file, not the
 *   chunks, since children start from files.
 *
 * A chunk stands in `require.cache` like any module, so it is evaluated once, whoever loads it.
 */
const { existsSync, readFileSync, statSync } = process.getBuiltinModule('node:fs');
const Module = process.getBuiltinModule('node:module');
const { dirname, join, resolve } = process.getBuiltinModule('node:path');
const { runInThisContext, Script } = process.getBuiltinModule('node:vm');

/** The build writes the package's version here. */
const VERSION = '__VERSION__';
// A test runner loads this in a realm of its own, with a `require` that keeps all of a program in it. Bundlers follow no such name.
const { require: requireOfRealm } = module;
const isMainRealm = runInThisContext('Object') === Object;

/** The file that calls `import()`, which code from a cache has not in Node 20. */
const IMPORTER = 'importing.cjs';

let chunks;

/** The exports of an entry, for its doors. @param name `queues/index`. */
exports.open = (name) => {
  chunks ??= join(folder(), 'chunks');
  const opened = load(join(chunks, exports.fileOf(name)));
  exports.opened.set(name, opened);
  return opened;
};

/** The exports of entries, by name: the code of a function says no more in which module it is exported (src/closures/references). */
exports.opened = new Map();

/** The file in chunks/ that an entry is compiled to. */
exports.fileOf = (name) => `${name.replaceAll('/', '-')}.cjs`;

/** Where the code cache of a chunk lies. It holds the path of the chunk, which stacks name, so in another folder it is no cache. */
exports.cacheOf = (file) => {
  let hash = 0;
  for (let i = 0; i < file.length; i++) hash = (Math.imul(hash, 31) + file.charCodeAt(i)) >>> 0;
  return `${file}.${process.version}-${process.arch}-${hash.toString(36)}.cache`;
};

/**
 * A package that the chunks need, of one CommonJS file: loaded as they are, in Node's own realm also for the realms of a test runner.
 * @param name `acorn`. It must not keep state of its callers.
 */
exports.dependency = (name) => {
  chunks ??= join(folder(), 'chunks');
  const file = Module.createRequire(join(chunks, 'importing.cjs')).resolve(name);
  return loadHere(file, cacheOfDependency(name, file));
};

/** Another version of the package, or a patched one, is another file: its time and size say which. */
function cacheOfDependency(name, file) {
  const { mtimeMs, size } = statSync(file);
  return exports.cacheOf(join(chunks, `${name}-${size}-${Math.floor(mtimeMs)}`));
}

/** Set by scripts/cache.js: told of each script as V8 has compiled it, and where its cache belongs. */
exports.compiled = undefined;

function load(file) {
  if (!isMainRealm) return requireOfRealm(file);
  if (file.endsWith(IMPORTER)) return Module.createRequire(file)(file);
  return loadHere(file, exports.cacheOf(file));
}

function loadHere(file, codeCache) {
  const { _cache: cache } = Module;
  if (cache[file] !== undefined) return cache[file].exports;
  const chunk = new Module(file);
  chunk.filename = file;
  chunk.paths = Module._nodeModulePaths(dirname(file));
  const outside = Module.createRequire(file);
  chunk.require = (id) => (id.startsWith('./') ? load(join(dirname(file), id)) : outside(id));
  cache[file] = chunk;
  try {
    const code = readFileSync(file, 'utf8');
    // Node maps the stacks of what it compiles itself.
    if (process.sourceMapsEnabled) chunk._compile(code, file);
    else compile(file, code, codeCache).runInThisContext()(chunk.exports, chunk.require, chunk, file, dirname(file));
    chunk.loaded = true;
  } catch (error) {
    delete cache[file];
    throw error;
  }
  return chunk.exports;
}

/** A CommonJS module in all but that V8 takes a cache. */
function compile(file, code, codeCache) {
  let cachedData;
  try {
    if (exports.compiled === undefined) cachedData = readFileSync(codeCache);
  } catch {
    // There is none.
  }
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${code}\n})`, {
    filename: file,
    cachedData,
  });
  exports.compiled?.(script, codeCache);
  return script;
}

/** Where dist/ is: here, or, for a bundle, where the program that runs would find the package. */
function folder() {
  const here = typeof __dirname === 'string' ? resolve(__dirname) : undefined;
  if (here !== undefined && existsSync(join(here, 'load.cjs')) && existsSync(join(here, 'chunks', 'child.cjs')))
    return here;
  const looked = [process.argv[1], here, process.cwd()].flatMap((path) => (path === undefined ? [] : [resolve(path)]));
  let found = '';
  for (const path of looked) {
    try {
      const manifest = Module.createRequire(join(path, '_')).resolve('multiprocess/package.json');
      const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
      if (version === VERSION) return join(dirname(manifest), 'dist');
      found = `; ${dirname(manifest)} is ${version}`;
    } catch {
      // Not from there.
    }
  }
  const error = new Error(
    `multiprocess ${VERSION} was bundled into this program, but is not installed where the program runs (looked from ${looked.join(', ')}${found}): ` +
      'processes and threads start from its files. Install it there, and leave it out of the bundle: esbuild --external:multiprocess; ' +
      'rollup, rolldown, tsup external: [/^multiprocess/]; vite ssr.external: ["multiprocess"]; ' +
      'webpack, rspack externals: [/^multiprocess/] with externalsType: "commonjs" or "module"; ncc -e multiprocess.',
  );
  throw Object.assign(error, { name: 'MultiprocessError', code: 'MP_BUNDLED' });
}
