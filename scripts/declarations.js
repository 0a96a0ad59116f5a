/**
 * Rolls the declarations that tsc writes into .build/types/ up into dist/, a file for each entry and the parts that several share:
 *
 *   dist/types/queues/index.d.ts           of an entry, as CommonJS
 *   dist/types/shared/*.d.ts               what entries share
 *   dist/types/internal/…                  what no subpath of the package needs: for tests and benchmarks only
 *   dist/queues/index.d.ts                 a door for `import`: a class is one class whichever way it came
 *   dist/.npmignore                        what of dist/ is not published
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';
import { ENTRIES, INTERNAL, PUBLIC } from './entries.js';
import { root } from './subpaths.js';

const dist = join(root, 'dist');

/**
 * What the declarations speak of. TypeScript 6 includes no package of types that nobody names, and
 * `lib` may end at es2022.
 */
const REFERENCES = ['/// <reference types="node" />', '/// <reference lib="esnext.disposable" />'].join('\n');
const { fileOf } = createRequire(import.meta.url)('./load.cjs');

/** The bundle of declarations, in which `folderOf` says where an output with those modules belongs. */
async function roll(folderOf, act) {
  const bundle = await rolldown({
    cwd: root,
    input: Object.fromEntries(ENTRIES.map((name) => [name, join(root, '.build', 'types', `${name}.d.ts`)])),
    plugins: [dts({ dtsInput: true, emitDtsOnly: true, sourcemap: false })],
    // A slow machine is no fault of the build.
    checks: { bundlerTimings: false },
    external: (id) => !id.startsWith('.') && !id.startsWith('/'),
    onLog: (_, log) => {
      throw new Error(log.message);
    },
  });
  const { output } = await bundle[act]({
    dir: join(dist, 'types'),
    format: 'es',
    entryFileNames: (chunk) => `${folderOf(chunk)}[name].ts`,
    chunkFileNames: (chunk) => `${folderOf(chunk)}shared/[name].ts`,
    minifyInternalExports: false,
    banner: ({ isEntry }) => (isEntry ? REFERENCES : ''),
  });
  await bundle.close();
  return output;
}

/** The entries and modules that the subpaths reach, by name and by id. */
function published(output) {
  const byFile = new Map(output.map((each) => [each.fileName, each]));
  const reached = new Set();
  const reach = (fileName) => {
    const chunk = byFile.get(fileName);
    if (chunk === undefined || reached.has(chunk)) return;
    reached.add(chunk);
    chunk.imports.forEach(reach);
  };
  for (const name of PUBLIC) reach(`${name}.d.ts`);
  return new Set([...reached].flatMap(({ isEntry, name, moduleIds }) => (isEntry ? [name] : moduleIds)));
}

const own = published(await roll(() => '', 'generate'));
const isPublished = ({ isEntry, name, moduleIds }) => (isEntry ? own.has(name) : moduleIds.some((id) => own.has(id)));
rmSync(join(dist, 'types'), { recursive: true, force: true });
const output = await roll((chunk) => (isPublished(chunk) ? '' : 'internal/'), 'write');

writeFileSync(join(dist, 'types', 'package.json'), '{ "type": "commonjs" }\n');
const unpublished = ['*.cache', '*.map', 'types/internal/'];
for (const { name, fileName, exports, isEntry } of output) {
  if (!isEntry) continue;
  const target = `${'../'.repeat(name.split('/').length - 1) || './'}types/${fileName.replace(/\.d\.ts$/, '.js')}`;
  const hasDefault = exports.includes('default');
  const lines = [
    exports.length === 0 ? 'export {};' : `export * from '${target}';`,
    hasDefault && `export { default } from '${target}';`,
  ];
  mkdirSync(dirname(join(dist, name)), { recursive: true });
  writeFileSync(join(dist, `${name}.d.ts`), `${lines.filter(Boolean).join('\n')}\n`);
  if (!PUBLIC.includes(name)) unpublished.push(`${name}.d.ts`);
}
for (const name of INTERNAL) unpublished.push(`${name}.js`, `${name}.cjs`, `chunks/${fileOf(name)}`);
writeFileSync(
  join(dist, '.npmignore'),
  `${unpublished.map((each) => (each.startsWith('*') ? each : `/${each}`)).join('\n')}\n`,
);
