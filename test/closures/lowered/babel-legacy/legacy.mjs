// @babel/core 7.29.13 with preset-env 7.29.14, legacy decorators
var _class, _class2;
function _applyDecoratedDescriptor(i, e, r, n, l) { var a = {}; return Object.keys(n).forEach(function (i) { a[i] = n[i]; }), a.enumerable = !!a.enumerable, a.configurable = !!a.configurable, ("value" in a || a.initializer) && (a.writable = !0), a = r.slice().reverse().reduce(function (r, n) { return n(i, e, r) || r; }, a), l && void 0 !== a.initializer && (a.value = a.initializer ? a.initializer.call(l) : void 0, a.initializer = void 0), void 0 === a.initializer ? (Object.defineProperty(i, e, a), null) : a; }
// @ts-nocheck: compiled by other means
// Legacy decorators ("experimentalDecorators"), compiled by several tools (compile.mjs).
import { Pool } from 'multiprocess';
const calls = [];
function logged(_target, key, descriptor) {
  calls.push(`method ${key}`);
  const method = descriptor.value;
  descriptor.value = function (...args) {
    return ['logged', method.apply(this, args)];
  };
}
function registered(type) {
  calls.push(`class ${type.name}`);
}
let Service = registered(_class = (_class2 = class Service {
  static made = calls.length;
  weight = 6;
  run(by) {
    return this.weight * by;
  }
  static describe() {
    return 'service';
  }
}, _applyDecoratedDescriptor(_class2.prototype, "run", [logged], Object.getOwnPropertyDescriptor(_class2.prototype, "run"), _class2.prototype), _applyDecoratedDescriptor(_class2, "describe", [logged], Object.getOwnPropertyDescriptor(_class2, "describe"), _class2), _class2)) || _class;
const pool = new Pool({
  processes: 1
});
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
  await both('decorators run once', () => [Service.made, calls.length]);
  await both('a decorated class', () => [new Service().run(5), Service.describe()]);
  await both('an instance', it => [it.run(2), it instanceof Service], new Service());
  console.log(JSON.stringify(results));
  await pool.terminate();
}
void main();