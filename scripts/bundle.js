/**
 * Makes dist/ of the modules that tsc wrote into .build/modules/: joins them into four files, and leaves a door to its place in them
 * where each module is imported from. A child opens two or three files instead of 30 to 120, each of which costs it half a
 * millisecond to a whole one.
 *
 *   dist/bundle/child.cjs      what a child needs before it knows what it runs
 *   dist/bundle/receiving.cjs  what it needs to receive values and functions, and a pool's worker
 *   dist/bundle/library.cjs    everything else, but for
 *   dist/bundle/managers.cjs   managers, which are loaded when the first one is made
 *   dist/process/child.cjs, …  the programs that the library starts
 *   dist/**.js                 the exports of each module, taken from there
 *
 * A module stands in one of them and is evaluated when it is first asked for, so a class is one class whichever way it is
 * imported, and `import.meta.url` is what it was. The files are CommonJS: a program starts without the loader of ES modules.
 * `bundle/load.cjs` (scripts/load.cjs) evaluates them.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'acorn';
import { build, transform } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, '.build', 'modules');
const dist = join(root, 'dist');

// tsc leaves what it once made of a source that is gone, and its imports need not be there any more.
for (const file of readdirSync(modules, { recursive: true })) {
  if (/\.js(\.map)?$/.test(file) && !existsSync(join(root, 'src', file.replace(/\.js(\.map)?$/, '.ts')))) rmSync(join(modules, file));
}
const names = readdirSync(modules, { recursive: true })
  .filter((file) => file.endsWith('.js'))
  .map((file) => file.slice(0, -'.js'.length))
  .sort();
/** The bundles, each with the modules it is made for; what they import goes along, unless an earlier one has it. The last has the rest. */
const BUNDLES = {
  child: ['process/child/child'],
  receiving: ['reduction/receiving', 'pool/worker/worker', 'pool/worker/thread-entry', 'util/preparation'],
  library: names.filter((name) => !name.startsWith('managers/')),
  managers: null,
};
const nameOf = (path) => relative(modules, path).slice(0, -'.js'.length);
const fileOf = (name) => join(modules, `${name}.js`);
const sources = new Map(names.map((name) => [name, readFileSync(fileOf(name), 'utf8')]));
/**
 * Programs, which start as CommonJS; and how the code that starts them says so. Node 20 ends the whole process when a thread is terminated
 * while it takes a module by `require`, so what Piscina requires in a thread is one of them.
 */
const PROGRAMS = ['process/child/child', 'pool/worker/worker', 'pool/worker/thread-entry', 'shared-memory/tracker'];
const STARTS = new RegExp(`new URL\\("[./a-z-]*/(${PROGRAMS.map((name) => posix.basename(name)).join('|')})\\.js", __here\\(`);

// What each module exports and imports, told by esbuild.
const { metafile } = await build({
  entryPoints: names.map(fileOf),
  outdir: join(root, '.build', 'exports'),
  absWorkingDir: modules,
  write: false,
  bundle: true,
  splitting: true,
  metafile: true,
  format: 'esm',
  platform: 'node',
  packages: 'external',
  logLevel: 'error',
});
const exportsOf = new Map();
for (const { entryPoint, exports } of Object.values(metafile.outputs)) {
  if (entryPoint !== undefined) exportsOf.set(entryPoint.replace(/\.js$/, ''), exports);
}
const importsOf = (name) =>
  metafile.inputs[`${name}.js`].imports
    .filter(({ kind, external }) => kind === 'import-statement' && external !== true)
    .map(({ path }) => path.replace(/\.js$/, ''));

/** Modules with a top-level await, and what imports them: they stay modules, and import doors. */
const apart = new Set(names.filter((name) => /^((const|let) [^=]+= )?await /m.test(sources.get(name))));
for (let before = 0; before < apart.size; ) {
  before = apart.size;
  for (const name of names) if (importsOf(name).some((other) => apart.has(other))) apart.add(name);
}

/** Which bundle has a module. */
const home = new Map();
for (const [bundle, wanted] of Object.entries(BUNDLES)) {
  const left = [...(wanted ?? names)];
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (home.has(name) || apart.has(name)) continue;
    home.set(name, bundle);
    left.push(...importsOf(name));
  }
}

/** `import.meta.url` of each module, as a text that is replaced when all are joined. */
const here = async (path, contents) => {
  const define = { 'import.meta.url': JSON.stringify(`here:${nameOf(path)}`) };
  const { code } = await transform(contents, { define, sourcefile: path, sourcemap: 'inline', loader: 'js' });
  return code;
};

/** Where rxjs has each of its names: all of it is 200 files, and what we take of it 40 at most. The instances are the same. */
const rxjs = readFileSync(createRequire(import.meta.url).resolve('rxjs'), 'utf8');
const partOf = (name) => {
  const variable = new RegExp(`"${name}", \\{ enumerable: true, get: function \\(\\) \\{ return (\\w+)\\.${name};`).exec(rxjs)[1];
  return `rxjs/${new RegExp(`${variable} = require\\("\\./(internal/[^"]+)"`).exec(rxjs)[1]}`;
};

const mapped = (name) => {
  // The map that tsc wrote goes along, so that what remains points at the sources.
  const map = readFileSync(`${fileOf(name)}.map`).toString('base64');
  const source = sources.get(name).replace(/^import \{ (.+) \} from 'rxjs';$/gm, (_, taken) =>
    taken
      .split(', ')
      .map((each) => `import { ${each} } from '${partOf(each)}';`)
      .join(' '),
  );
  return source.replace(/\/\/# sourceMappingURL=\S+\s*$/, `//# sourceMappingURL=data:application/json;base64,${map}`);
};

let started = 0;
const results = await Promise.all(
  Object.keys(BUNDLES).map(async (bundle) => {
    const own = names.filter((name) => home.get(name) === bundle);
    const entry = own.map((name) => `${JSON.stringify(name)}: () => require(${JSON.stringify(fileOf(name))}),\n`).join('');
    const { outputFiles } = await build({
      stdin: { contents: `module.exports = {\n${entry}};`, resolveDir: modules, sourcefile: `${bundle}.cjs` },
      outfile: join(dist, 'bundle', `${bundle}.cjs`),
      absWorkingDir: modules,
      write: false,
      bundle: true,
      format: 'cjs',
      platform: 'node',
      target: 'node20.19',
      packages: 'external',
      // What a module does when it is loaded (it registers its classes) matters.
      ignoreAnnotations: true,
      // Names of classes are part of messages, and of what is sent.
      keepNames: true,
      sourcemap: 'linked',
      sourcesContent: false,
      logLevel: 'error',
      banner: {
        js:
          "const { load: __load, here: __here, doors: __doors } = require('./load.cjs'); " +
          'const __import = module.import ?? ((url, options) => (options === undefined ? import(url) : import(url, options)));',
      },
      plugins: [
        {
          name: 'modules',
          setup({ onLoad }) {
            onLoad({ filter: /\.js$/, namespace: 'file' }, async ({ path }) => {
              const name = nameOf(path);
              if (name.startsWith('..')) return undefined;
              const other = home.get(name);
              if (other !== bundle) {
                const taken = exportsOf.get(name).map((each) => `export const ${each} = module.${each};\n`);
                return { contents: `const module = __load(${JSON.stringify(other)})[${JSON.stringify(name)}]();\n${taken.join('')}` };
              }
              return { contents: await here(path, mapped(name)), loader: 'js' };
            });
          },
        },
      ],
    });
    const [map, code] = ['.map', '.cjs'].map((end) => outputFiles.find(({ path }) => path.endsWith(end)));
    return { bundle, map: map.text, code: finished(unnamed(code.text)) };
  }),
);

/**
 * Names that functions have from where they stand, or nobody needs: to define one anew took almost half of a pool's throughput, which makes
 * functions for each task. esbuild gives `const f = __name(() => …, "f")`, and `__name(f2, "f")` after a function that it had to rename; the
 * latter stays where a module begins. What goes becomes blanks, so that the map holds.
 */
function unnamed(code) {
  const gaps = [];
  /** @param depth Functions around it; the first one is the module's. @param name What a function there is called. */
  const visit = (node, depth, name) => {
    const [made, given] = node.type === 'CallExpression' && node.callee.name === '__name' ? node.arguments : [];
    if (made !== undefined && /^(Arrow)?FunctionExpression$/.test(made.type) && (given.value === name || depth > 1)) {
      const before = code.lastIndexOf('/* @__PURE__ */', node.start);
      gaps.push([before >= 0 && code.slice(before + 15, node.start).trim() === '' ? before : node.start, made.start], [made.end, node.end]);
    }
    if (node.type === 'ExpressionStatement' && depth > 1 && node.expression.callee?.name === '__name') {
      if (node.expression.arguments[0].type === 'Identifier') gaps.push([node.start, node.end]);
    }
    const inside = depth + (/Function/.test(node.type) ? 1 : 0);
    for (const [key, child] of Object.entries(node)) {
      const called = key === 'init' ? node.id?.name : key === 'value' && !node.computed ? keyOf(node) : undefined;
      for (const each of Array.isArray(child) ? child : [child]) if (typeof each?.type === 'string') visit(each, inside, called);
    }
  };
  visit(parse(code, { ecmaVersion: 'latest', sourceType: 'script', allowReturnOutsideFunction: true }), 0);
  let done = '';
  let at = 0;
  for (const [start, end] of gaps.sort((a, b) => a[0] - b[0])) {
    done += code.slice(at, start) + code.slice(start, end).replace(/[^\n]/g, ' ');
    at = end;
  }
  return done + code.slice(at);
}

/** What a function is called that is the value of a property or field. */
function keyOf({ type, key }) {
  if (type !== 'Property' && type !== 'PropertyDefinition') return undefined;
  return key.type === 'PrivateIdentifier' ? `#${key.name}` : key.name;
}

/** Line for line the same, so that the map holds. */
function finished(code) {
  return code
    .split('\n')
    .map((line, index) => {
      if (index === 0) return line;
      // A function that kept its name has it already.
      let done = line.replace(/^ *__name\(([\w$]+), "\1"\);$/, '').replace(/"here:([\w/-]+)"/g, '__here("$1")');
      if (STARTS.test(done)) {
        done = done.replace('.js"', '.cjs"');
        started++;
      }
      // In a text it is code of others.
      return /["'`].*\bimport\(.*["'`]/.test(done) && !/\bimport\(`/.test(done) ? done : done.replace(/\bimport\(/g, '__import(');
    })
    .join('\n');
}

if (started < PROGRAMS.length) throw new Error(`Only ${started} places start a program; how does the code say so now?`);

// All but the declarations, which tsc writes there.
for (const file of readdirSync(dist, { recursive: true })) if (/\.c?js(\.map)?$/.test(file)) rmSync(join(dist, file));
const folder = join(dist, 'bundle');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
for (const { bundle, map, code } of results) {
  writeFileSync(join(folder, `${bundle}.cjs`), code);
  writeFileSync(join(folder, `${bundle}.cjs.map`), map);
}
copyFileSync(join(root, 'scripts', 'load.cjs'), join(folder, 'load.cjs'));
for (const name of names) {
  if (apart.has(name)) continue;
  const up = '../'.repeat(name.split('/').length - 1) || './';
  const given = exportsOf.get(name);
  const lines = [
    '// The module stands in bundle/: scripts/bundle.js.\n',
    "import { createRequire } from 'node:module';\n",
    `const module = createRequire(import.meta.url)('${up}bundle/load.cjs').open(${JSON.stringify(home.get(name))}, ${JSON.stringify(name)});\n`,
    ...given.map((each, i) => `const e${i} = module.${each};\n`),
    `export { ${given.map((each, i) => `e${i} as ${each}`).join(', ')} };\n`,
  ];
  writeFileSync(join(dist, `${name}.js`), lines.join(''));
  if (PROGRAMS.includes(name)) {
    const start = `'use strict';\nmodule.exports = require('${up}bundle/load.cjs').load(${JSON.stringify(home.get(name))})[${JSON.stringify(name)}]();\n`;
    writeFileSync(join(dist, `${name}.cjs`), start);
  }
}
await build({
  entryPoints: [...apart].map(fileOf),
  outdir: dist,
  outbase: modules,
  bundle: false,
  format: 'esm',
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'error',
});
console.log(results.map(({ bundle, code }) => `${bundle}.cjs ${Math.round(code.length / 1024)} kB`).join(', '));
