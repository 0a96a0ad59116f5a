// esbuild 0.28.2 --keep-names, legacy decorators
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __defNormalProp = (obj, key, value) => key in obj ? __defProp(obj, key, { enumerable: true, configurable: true, writable: true, value }) : obj[key] = value;
var __name = (target, value) => __defProp(target, "name", { value, configurable: true });
var __decorateClass = (decorators, target, key, kind) => {
  var result = kind > 1 ? void 0 : kind ? __getOwnPropDesc(target, key) : target;
  for (var i = decorators.length - 1, decorator; i >= 0; i--)
    if (decorator = decorators[i])
      result = (kind ? decorator(target, key, result) : decorator(result)) || result;
  if (kind && result) __defProp(target, key, result);
  return result;
};
var __publicField = (obj, key, value) => __defNormalProp(obj, typeof key !== "symbol" ? key + "" : key, value);
import { Pool } from "multiprocess";
const calls = [];
function logged(_target, key, descriptor) {
  calls.push(`method ${key}`);
  const method = descriptor.value;
  descriptor.value = function(...args) {
    return ["logged", method.apply(this, args)];
  };
}
__name(logged, "logged");
function registered(type) {
  calls.push(`class ${type.name}`);
}
__name(registered, "registered");
let Service = class {
  weight = 6;
  run(by) {
    return this.weight * by;
  }
  static describe() {
    return "service";
  }
};
__name(Service, "Service");
__publicField(Service, "made", calls.length);
__decorateClass([
  logged
], Service.prototype, "run", 1);
__decorateClass([
  logged
], Service, "describe", 1);
Service = __decorateClass([
  registered
], Service);
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
__name(both, "both");
async function main() {
  await both("decorators run once", () => [Service.made, calls.length]);
  await both("a decorated class", () => [new Service().run(5), Service.describe()]);
  await both("an instance", (it) => [it.run(2), it instanceof Service], new Service());
  console.log(JSON.stringify(results));
  await pool.terminate();
}
__name(main, "main");
void main();
