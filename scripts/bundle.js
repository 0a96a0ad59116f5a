/**
 * Makes dist/ of src/; scripts/declarations.js adds the declarations.
 *
 *   dist/chunks/*.cjs            the code, as CommonJS: a file for each entry, and the chunks that they share (scripts/entries.js)
 *   dist/load.cjs                what loads them (scripts/load.cjs)
 *   dist/queues/index.cjs        a door for `require`, and for programs: takes the exports of the chunk
 *   dist/queues/index.js         a door for `import`: names the exports of the former, so a class is one class whichever way it came
 *
 * All that is done to code is done by rolldown: TypeScript, splitting, import.meta, names, maps. With `--release` the code is that
 * of a package: without maps, whitespace and names of local variables.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';
import { parseAst } from 'rolldown/parseAst';
import { Visitor } from 'rolldown/utils';
import { CHUNKS, ENTRIES, PROGRAMS } from './entries.js';
import { root } from './subpaths.js';

const dist = join(root, 'dist');
const { version, dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const sourceOf = (name) => join(root, 'src', `${name}.ts`);
const { fileOf } = createRequire(import.meta.url)('./load.cjs');
const programs = new Set(PROGRAMS.map(sourceOf));

const groups = Object.entries(CHUNKS).map(([name, roots], index, { length }) => {
  const sources = new Set(roots.map(sourceOf));
  const belongs = (id, context) =>
    sources.has(id) || context.getModuleInfo(id)?.importers.some((importer) => sources.has(importer));
  return {
    debugName: name,
    priority: length - index,
    name: (id, context) => (!programs.has(id) && belongs(id, context) ? name : null),
  };
});

/**
 * One character outside of Latin-1 makes V8 keep a whole chunk with two bytes a character. Written as an escape it means the same in
 * strings, templates, patterns and names.
 */
const latin1 = {
  name: 'latin1',
  generateBundle(_, files) {
    for (const file of Object.values(files))
      if (file.type === 'chunk') file.code = file.code.replace(/[^\0-\xff]/g, escaped);
  },
};
const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

const isRelease = process.argv.includes('--release');

/** The longest line that a release may have: Node prints the whole line of an uncaught error above its message. */
const LONGEST_LINE = 1_200;

/** Shorter statements stand together in a line. */
const SHORTEST_LINE = 100;

/** A release has no whitespace but ends of lines between statements and members. */
const lines = {
  name: 'lines',
  generateBundle(_, files) {
    for (const [name, file] of Object.entries(files)) {
      if (!isRelease || file.type !== 'chunk') continue;
      file.code = inLines(file.code);
      const longest = Math.max(...file.code.split('\n').map((line) => line.length));
      if (longest > LONGEST_LINE) throw new Error(`${name} has a line of ${longest} characters.`);
    }
  },
};

function inLines(code) {
  const starts = new Set();
  const begin = (nodes) => {
    for (const { start } of nodes) starts.add(start);
  };
  const each = ({ body }) => begin(body);
  new Visitor({
    Program: each,
    BlockStatement: each,
    StaticBlock: each,
    ClassBody: each,
    ObjectExpression({ start, end, properties }) {
      if (end - start > 200) begin(properties);
    },
  }).visit(parseAst(code));
  const ends = [...[...starts].sort((a, b) => a - b), code.length];
  const lines = [];
  let from = 0;
  ends.forEach((end, i) => {
    // The piece that follows may be long by itself.
    if (end - from < SHORTEST_LINE && (ends[i + 1] ?? end) - end < SHORTEST_LINE) return;
    lines.push(code.slice(from, end));
    from = end;
  });
  if (from < code.length) lines.push(code.slice(from));
  return lines.join('\n');
}

rmSync(dist, { recursive: true, force: true });
const bundle = await rolldown({
  cwd: root,
  plugins: [latin1, lines],
  // A slow machine is no fault of the build.
  checks: { bundlerTimings: false },
  input: Object.fromEntries(ENTRIES.map((name) => [name, sourceOf(name)])),
  platform: 'node',
  tsconfig: false,
  transform: { target: 'node20.19' },
  resolve: { alias: { rxjs: join(root, 'scripts', 'rxjs.js') }, extensionAlias: { '.js': ['.ts', '.js'] } },
  external: [
    /^node:/,
    ...Object.keys({ ...dependencies, ...peerDependencies }).map(
      (name) => new RegExp(`^${name}${name === 'rxjs' ? '/' : '(/|$)'}`),
    ),
  ],
  // What a module does when it is loaded (it registers its classes) matters.
  treeshake: false,
  onLog: (_, log) => {
    throw new Error(log.message);
  },
});
const { output } = await bundle.write({
  dir: join(dist, 'chunks'),
  format: 'cjs',
  entryFileNames: ({ name }) => fileOf(name),
  chunkFileNames: '[name].cjs',
  codeSplitting: { groups },
  // Names of classes and functions are part of messages, and of what is sent.
  keepNames: true,
  sourcemap: !isRelease,
  // Names of functions are those of stacks. Nothing else is done to the code: what is published does what was tested.
  minify: isRelease && { codegen: true, compress: false, mangle: { keepNames: true } },
  comments: false,
  esModule: false,
  generatedCode: { symbols: false },
  // Chunks read each other's exports all the time, and V8 finds names of one or two letters among hundreds more slowly.
  minifyInternalExports: false,
});
await bundle.close();
const compiled = output.filter(({ type }) => type === 'chunk');

// A chunk that needs one that needs it would find it half evaluated.
const importsOf = new Map(compiled.map(({ fileName, imports }) => [fileName, imports]));
const reaches = (from, to, seen = new Set()) =>
  (importsOf.get(from) ?? []).some(
    (next) => next === to || (!seen.has(next) && seen.add(next) && reaches(next, to, seen)),
  );
for (const { fileName } of compiled)
  if (reaches(fileName, fileName)) throw new Error(`Chunk ${fileName} imports itself, in a circle.`);

// What rolldown cannot know: code from V8's code cache has no import() in Node 20, and an entry that code names is one of the build.
for (const { fileName, code } of compiled) {
  new Visitor({
    ImportExpression() {
      if (fileName !== 'importing.cjs')
        throw new Error(`Chunk ${fileName} calls import(): call importModule of src/util/import-module.ts.`);
    },
    CallExpression({ callee, arguments: [named] }) {
      const isEntry = (callee.property ?? callee).name === 'entry' && typeof named?.value === 'string';
      if (isEntry && !ENTRIES.includes(named.value))
        throw new Error(`Entry ${named.value} is not in scripts/entries.js.`);
    },
  }).visit(parseAst(code));
}

/** Without the sources, which lie beside. */
for (const { fileName } of output.filter(({ type }) => type === 'asset')) {
  const file = join(dist, 'chunks', fileName);
  const { sourcesContent: _, ...map } = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify(map));
}

writeFileSync(
  join(dist, 'load.cjs'),
  readFileSync(join(root, 'scripts', 'load.cjs'), 'utf8').replace('__VERSION__', version),
);
for (const { name, exports, isEntry } of compiled) {
  if (!isEntry) continue;
  const up = '../'.repeat(name.split('/').length - 1) || './';
  const file = name.slice(name.lastIndexOf('/') + 1);
  const named = exports.filter((each) => each !== 'default');
  const door = (end, lines) => writeFileSync(join(dist, `${name}${end}`), `${lines.filter(Boolean).join('\n')}\n`);
  mkdirSync(dirname(join(dist, name)), { recursive: true });
  door('.cjs', ["'use strict';", `const { open } = require('${up}load.cjs');`, `module.exports = open('${name}');`]);
  door('.js', [
    `import module from './${file}.cjs';`,
    named.length > 0 && `export const { ${named.join(', ')} } = module;`,
    named.length < exports.length && 'export default module.default;',
    exports.length === 0 && 'export {};',
  ]);
}

// What is exported has the name that it had in src/.
const doors = createRequire(import.meta.url)(join(dist, 'index.cjs'));
for (const [key, value] of Object.entries(doors)) {
  if (typeof value === 'function' && /\$\d+$/.test(value.name)) throw new Error(`${key} is called ${value.name}.`);
}
console.log(
  compiled
    .filter(({ isEntry }) => !isEntry)
    .map(({ fileName, code }) => `${fileName} ${Math.round(code.length / 1024)} kB`)
    .join(', '),
);
