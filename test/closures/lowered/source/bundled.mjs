// Bundled by webpack and rspack (compile.mjs). What becomes of each function is printed.
import { Pool } from 'multiprocess';
import * as helper from './bundled-helper.mjs';

const pool = new Pool({ processes: 1 });
const results = {};
async function attempt(title, fn) {
  try {
    results[title] = await pool.apply(fn);
  } catch (error) {
    results[title] = { code: error.code, repair: error.repair };
  }
}
async function main() {
  await attempt('a chunk', async () => (await import('./bundled-chunk.mjs')).lazy(2));
  await attempt('a builtin', async () => typeof (await import('node:fs')).readFileSync);
  await attempt('a builtin, left to Node', async () => typeof (await import(/* webpackIgnore: true */ 'node:fs')).readFileSync);
  await attempt('a namespace', () => helper.add(1, 2));
  console.log(JSON.stringify(results));
  await pool.terminate();
}
main();
