// Bundled by esbuild (compile.mjs). What each function gives here and in a worker is printed.
import { Pool } from 'multiprocess';

const pool = new Pool({ processes: 1 });
const results = {};
async function both(title, fn) {
  // There first: here the module has not run yet.
  const there = await pool.apply(fn).catch(String);
  results[title] = [await fn(), there];
}
async function main() {
  await both('a variable that changes', async () => {
    const lazy = await import('./lazy.mjs');
    return [lazy.calls, lazy.count(), lazy.calls, Object.keys(lazy)];
  });
  await both('a constant', async () => (await import('./lazy.mjs')).half(3));
  await both('the same, loaded here already', async () => (await import('./lazy.mjs')).half(5));
  await both('what it imports', async () => (await import('./lazy.mjs')).tripled);
  await both('a default export', async () => new (await import('./lazy.mjs')).default().value);
  console.log(JSON.stringify(results));
  await pool.terminate();
}
void main();
