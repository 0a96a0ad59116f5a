/**
 * Makes dist/ of src/, beside the declarations that tsc writes into dist/types/:
 *
 *   dist/chunks/*.cjs            the code, as CommonJS: a file for each entry, and the chunks that they share (scripts/entries.js)
 *   dist/load.cjs                what loads them (scripts/load.cjs)
 *   dist/queues/index.cjs        a door for `require`, and for programs: takes the exports of the chunk
 *   dist/queues/index.js, .d.ts  a door for `import`: names the exports of the former, so a class is one class whichever way it came
 *
 * All that is done to code is done by rolldown: TypeScript, splitting, import.meta, names, maps.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  const belongs = (id, context) => sources.has(id) || context.getModuleInfo(id)?.importers.some((importer) => sources.has(importer));
  return { debugName: name, priority: length - index, name: (id, context) => (!programs.has(id) && belongs(id, context) ? name : null) };
});

for (const name of readdirSync(dist)) if (name !== 'types') rmSync(join(dist, name), { recursive: true });
// tsc leaves what it once wrote of a source that is gone.
for (const file of readdirSync(join(dist, 'types'), { recursive: true })) {
  const [, name] = /^(.+)\.d\.ts(?:\.map)?$/.exec(file) ?? [];
  if (name !== undefined && !existsSync(sourceOf(name))) rmSync(join(dist, 'types', file));
}
const bundle = await rolldown({
  cwd: root,
  input: Object.fromEntries(ENTRIES.map((name) => [name, sourceOf(name)])),
  platform: 'node',
  tsconfig: false,
  transform: { target: 'node20.19' },
  resolve: { alias: { rxjs: join(root, 'scripts', 'rxjs.js') }, extensionAlias: { '.js': ['.ts', '.js'] } },
  external: [
    /^node:/,
    ...Object.keys({ ...dependencies, ...peerDependencies }).map((name) => new RegExp(`^${name}${name === 'rxjs' ? '/' : '(/|$)'}`)),
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
  sourcemap: true,
  comments: false,
  esModule: false,
  generatedCode: { symbols: false },
});
await bundle.close();
const compiled = output.filter(({ type }) => type === 'chunk');

// A chunk that needs one that needs it would find it half evaluated.
const importsOf = new Map(compiled.map(({ fileName, imports }) => [fileName, imports]));
const reaches = (from, to, seen = new Set()) =>
  (importsOf.get(from) ?? []).some((next) => next === to || (!seen.has(next) && seen.add(next) && reaches(next, to, seen)));
for (const { fileName } of compiled) if (reaches(fileName, fileName)) throw new Error(`Chunk ${fileName} imports itself, in a circle.`);

// What rolldown cannot know: code from V8's code cache has no import() in Node 20, and an entry that code names is one of the build.
for (const { fileName, code } of compiled) {
  new Visitor({
    ImportExpression() {
      if (fileName !== 'importing.cjs')
        throw new Error(`Chunk ${fileName} calls import(): call importModule of src/util/import-module.ts.`);
    },
    CallExpression({ callee, arguments: [named] }) {
      const isEntry = (callee.property ?? callee).name === 'entry' && typeof named?.value === 'string';
      if (isEntry && !ENTRIES.includes(named.value)) throw new Error(`Entry ${named.value} is not in scripts/entries.js.`);
    },
  }).visit(parseAst(code));
}

/** Without the sources, which the package has in src/. */
for (const { fileName } of output.filter(({ type }) => type === 'asset')) {
  const file = join(dist, 'chunks', fileName);
  const { sourcesContent: _, ...map } = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify(map));
}

writeFileSync(join(dist, 'load.cjs'), readFileSync(join(root, 'scripts', 'load.cjs'), 'utf8').replace('__VERSION__', version));
writeFileSync(join(dist, 'types', 'package.json'), '{ "type": "commonjs" }\n');
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
  door('.d.ts', [
    `export * from '${up}types/${name}.js';`,
    named.length < exports.length && `export { default } from '${up}types/${name}.js';`,
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
