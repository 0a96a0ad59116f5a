/**
 * Joins the modules of dist/ into few files: a child loads 5 to 10 instead of 50 to 150, each of which costs it half a millisecond to a
 * whole one. Runs when the package is packed; the repository itself works on the files that tsc writes.
 *
 *   node scripts/bundle.js [--out FOLDER]      default: dist/ itself
 *
 * The files of the exports map stay where they are. Everything that several of them need stands in dist/chunks/, once, so a class is one
 * class whichever way it is imported. Programs that are started by their URL stand there too: the code that starts them says
 * `new URL('./child.js', import.meta.url)`, and that code is always shared. A module that says `new URL(import.meta.url)` means its
 * chunk, which does the same when it is loaded.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const at = process.argv.indexOf('--out');
const out = at < 0 ? dist : process.argv[at + 1];

/** What a child loads when it needs it. */
const LATER = ['reduction/receiving.js', 'process/process.js', 'util/preparation.js'];
/** Programs that the library starts by their URL: found by how it says so. */
const programs = readdirSync(dist, { recursive: true })
  .filter((file) => file.endsWith('.js') && !file.startsWith('chunks'))
  .flatMap((file) => {
    const named = readFileSync(join(dist, file), 'utf8').matchAll(/new URL\('(\.\/[\w-]+\.js)', import\.meta\.url\)/g);
    return [...named].map(([, name]) => join(dirname(file), name));
  });
/**
 * One file of its own: it shares no state with the others but what is kept on globalThis.
 */
const CHILD = 'process/child.js';

const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const entries = {};
for (const entry of Object.values(exports)) {
  if (typeof entry !== 'object') continue;
  const name = entry.default.replace('./dist/', '').replace(/\.js$/, '');
  entries[name] = join(dist, `${name}.js`);
}
for (const program of new Set([...programs, ...LATER]))
  if (program !== CHILD) entries[`chunks/${program.split('/').at(-1).replace(/\.js$/, '')}`] = join(dist, program);

// One more entry that needs everything, so that all code is shared and stands in chunks/.
const all = join(root, '.build', 'all.js');
writeFileSync(
  all,
  Object.values(entries)
    .map((file, i) => `export * as m${i} from ${JSON.stringify(file)};\n`)
    .join(''),
);
entries['chunks/all'] = all;

const settings = {
  outdir: out,
  write: false,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  chunkNames: 'chunks/[name]-[hash]',
  // What a module does when it is loaded (it registers its classes) matters.
  ignoreAnnotations: true,
  // Names of classes are part of messages, and of what is sent.
  keepNames: true,
  sourcemap: true,
  logLevel: 'error',
};
const shared = await build({ ...settings, entryPoints: entries, splitting: true });
const child = await build({
  ...settings,
  entryPoints: { 'chunks/child': join(dist, CHILD) },
  plugins: [
    {
      name: 'what a child loads when it needs it',
      setup: ({ onResolve }) =>
        onResolve({ filter: /^\./ }, ({ kind, path }) =>
          kind === 'dynamic-import' ? { path: `./${path.split('/').at(-1)}`, external: true } : undefined,
        ),
    },
  ],
});
const outputFiles = [...shared.outputFiles, ...child.outputFiles];

for (const { path, text } of outputFiles) {
  if (path.endsWith('.js') && !path.includes('/chunks/') && text.includes('import.meta.url')) {
    throw new Error(`${path} asks where it stands, but was moved: let a second entry share that module, or move it to chunks/.`);
  }
}
if (out === dist) {
  for (const file of readdirSync(dist, { recursive: true })) if (/\.js(\.map)?$/.test(file)) rmSync(join(dist, file));
  // The next `tsc` writes all files again.
  rmSync(join(root, '.build', 'src.tsbuildinfo'), { force: true });
}
for (const { path, contents } of outputFiles) {
  if (/\/chunks\/all\.js/.test(path)) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
}
console.log(`${outputFiles.filter(({ path }) => path.endsWith('.js')).length} files`);
