'use strict';
/**
 * Evaluates the bundles beside it, once each. Where the installation wrote V8's code cache for this very Node, what it has compiled is taken
 * from there: whoever can write it can write the code as well. Anything else about the cache (another Node, other flags) and it is as
 * if there were none.
 */
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { Script, runInThisContext } = require('node:vm');

/** Bundles by name, as far as they were evaluated. */
const evaluated = new Map();
exports.evaluated = evaluated;
let base;

/** What a bundle has: the name of each module, with what evaluates it and gives its exports. */
exports.load = (name) => {
  if (!evaluated.has(name)) evaluated.set(name, evaluate(join(__dirname, `${name}.cjs`)));
  return evaluated.get(name);
};

/**
 * What was imported, by its URL: the code of a function says no more in which module it is exported (src/closures/references/exports.ts).
 */
exports.doors = new Map();

/** The exports of a module, for its door. */
exports.open = (bundle, name) => {
  const opened = exports.load(bundle)[name]();
  exports.doors.set(exports.here(name), opened);
  return opened;
};

/** `import.meta.url` of a module. */
exports.here = (module) => {
  base ??= pathToFileURL(join(__dirname, '..')).href;
  return `${base}/${module}.js`;
};

/** Where the code cache of a bundle lies. It holds the path of the bundle, which stacks name, so in another folder it is no cache. */
exports.cacheOf = (file) => {
  let hash = 0;
  for (let i = 0; i < file.length; i++) hash = (Math.imul(hash, 31) + file.charCodeAt(i)) >>> 0;
  return `${file}.${process.version}-${process.arch}-${hash.toString(36)}.cache`;
};

/** Compiles a bundle. A CommonJS module in all but that, so that V8 takes a cache. */
exports.compile = (file, cachedData) =>
  new Script(`(function (require, module) {${readFileSync(file, 'latin1')}\n})`, { filename: file, cachedData });

function evaluate(file) {
  let cachedData;
  try {
    // Node maps the stacks of what it compiles itself.
    if (!process.sourceMapsEnabled) cachedData = readFileSync(exports.cacheOf(file));
  } catch {}
  // A test runner may load this file in a realm of its own; everything must stand in one.
  return cachedData === undefined || runInThisContext('Object') !== Object ? require(file) : exports.run(exports.compile(file, cachedData));
}

/** Evaluates what was compiled. */
exports.run = (script) => {
  const module = { exports: {}, import: (url, options) => (options === undefined ? import(url) : import(url, options)) };
  script.runInThisContext()(require, module);
  return module.exports;
};
