// @ts-nocheck: compiled by other means
// Instrumented for coverage (compile.mjs). What each function gives here and in a worker is printed.
import { Pool } from 'multiprocess';
import { dumps } from 'multiprocess/reduction';
import { doubled, make } from './counted.js';

let count = 0;
const inc = () => ++count;
const helper = (x) => (x > 1 ? x * 2 : x);
const unused = (a, b, c) => {
  if (a && b) return c || a;
  switch (a) {
    case 1:
      return b;
    default:
      return c;
  }
};

const pool = new Pool({ processes: 1 });
const results = {};
async function both(title, fn, ...args) {
  let there;
  try {
    there = await pool.apply(fn, args);
  } catch (error) {
    there = String(error);
  }
  results[title] = [fn(...args), there];
}
async function main() {
  await both('a closure', (x) => helper(x) + unused(1, 0, 3), 3);
  await both('a closure, again', (x) => helper(x) + unused(1, 2, 3), 1);
  await both('a variable', () => [inc(), count]);
  await both('a function of another file', (fn) => fn(4), make());
  const counted = await pool.apply(
    async (fn, url) => {
      await import(url);
      const [own] = Object.values(globalThis.__coverage__).filter(({ path }) => path.includes('counted'));
      const sum = () => Object.values(own.f).reduce((a, b) => a + b, 0);
      const before = sum();
      fn(5);
      return sum() - before;
    },
    [make(), new URL('./counted.mjs', import.meta.url).href],
  );
  results['counts where its file is loaded'] = [2, counted];
  results['without maps'] = [true, dumps((x) => helper(x) + doubled(x)).length < 4_000];
  console.log(JSON.stringify(results));
  await pool.terminate();
}
void main();
