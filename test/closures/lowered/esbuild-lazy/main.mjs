// esbuild 0.28.2 --bundle --format=esm
var __defProp = Object.defineProperty;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __esm = (fn, res, err) => function __init() {
  if (err) throw err[0];
  try {
    return fn && (res = (0, fn[__getOwnPropNames(fn)[0]])(fn = 0)), res;
  } catch (e) {
    throw err = [e], e;
  }
};
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};

// source/lazy-state.mjs
var state;
var init_lazy_state = __esm({
  "source/lazy-state.mjs"() {
    "use strict";
    state = { factor: 2 };
  }
});

// source/lazy.mjs
var lazy_exports = {};
__export(lazy_exports, {
  calls: () => calls,
  count: () => count,
  default: () => Box,
  half: () => half,
  tripled: () => tripled
});
var half, calls, count, tripled, Box;
var init_lazy = __esm({
  "source/lazy.mjs"() {
    "use strict";
    init_lazy_state();
    half = (x) => x / 2;
    calls = 0;
    count = () => ++calls;
    tripled = state.factor * 3;
    Box = class {
      value = 4;
    };
  }
});

// source/lazy-main.mjs
import { Pool } from "multiprocess";
var pool = new Pool({ processes: 1 });
var results = {};
async function both(title, fn) {
  const there = await pool.apply(fn).catch(String);
  results[title] = [await fn(), there];
}
async function main() {
  await both("a variable that changes", async () => {
    const lazy = await Promise.resolve().then(() => (init_lazy(), lazy_exports));
    return [lazy.calls, lazy.count(), lazy.calls, Object.keys(lazy)];
  });
  await both("a constant", async () => (await Promise.resolve().then(() => (init_lazy(), lazy_exports))).half(3));
  await both("the same, loaded here already", async () => (await Promise.resolve().then(() => (init_lazy(), lazy_exports))).half(5));
  await both("what it imports", async () => (await Promise.resolve().then(() => (init_lazy(), lazy_exports))).tripled);
  await both("a default export", async () => new (await Promise.resolve().then(() => (init_lazy(), lazy_exports))).default().value);
  console.log(JSON.stringify(results));
  await pool.terminate();
}
void main();
