/**
 * Exports of src that nobody imports, files that nobody reaches, packages that nobody uses
 * (docs/decisions/0192-what-nobody-uses-is-found-by-knip.md). `npm run lint:unused` runs it.
 */
import { ENTRIES } from './scripts/entries.js';

export default {
  // What users, processes and threads load; and all that runs beside the library.
  entry: [
    ...ENTRIES.map((name) => `src/${name}.ts!`),
    '*.config.js',
    'scripts/*.{js,cjs,mjs}',
    'bench/**/*.{js,mjs,ts}',
    'examples/**/*.ts',
    'test/**/*.{ts,mts,cts,js,mjs,cjs}',
  ],
  project: ['src/**/*.ts', 'scripts/**', 'bench/**', 'examples/**'],
  // Exported for the table at the top of a file, which tests of words read.
  ignoreExportsUsedInFile: true,
  // Cases and fixtures of tests import what is not there, on purpose.
  exclude: ['unlisted', 'unresolved', 'binaries'],
};
