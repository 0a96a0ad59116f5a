// esbuild 0.28.2 --keep-names --target=es2020
var __defProp = Object.defineProperty;
var __typeError = (msg) => {
  throw TypeError(msg);
};
var __defNormalProp = (obj, key, value) => key in obj ? __defProp(obj, key, { enumerable: true, configurable: true, writable: true, value }) : obj[key] = value;
var __name = (target, value) => __defProp(target, "name", { value, configurable: true });
var __publicField = (obj, key, value) => __defNormalProp(obj, typeof key !== "symbol" ? key + "" : key, value);
var __accessCheck = (obj, member, msg) => member.has(obj) || __typeError("Cannot " + msg);
var __privateIn = (member, obj) => Object(obj) !== obj ? __typeError('Cannot use the "in" operator on this value') : member.has(obj);
var __privateGet = (obj, member, getter) => (__accessCheck(obj, member, "read from private field"), getter ? getter.call(obj) : member.get(obj));
var __privateAdd = (obj, member, value) => member.has(obj) ? __typeError("Cannot add the same private member more than once") : member instanceof WeakSet ? member.add(obj) : member.set(obj, value);
var __privateSet = (obj, member, value, setter) => (__accessCheck(obj, member, "write to private field"), setter ? setter.call(obj, value) : member.set(obj, value), value);
var __privateMethod = (obj, member, method) => (__accessCheck(obj, member, "access private method"), method);
var _count, _Counter_instances, step_fn, shown_get, _extra, _value, _shared, _a, _hidden;
import { Pool } from "multiprocess";
import { Shared, SharedChild } from "./shared.mjs";
const registry = [];
let made = 0;
const _Counter = class _Counter {
  constructor(label, start = 0) {
    __privateAdd(this, _Counter_instances);
    __privateAdd(this, _count, 0);
    __publicField(this, "label");
    this.label = label;
    __privateSet(this, _count, start);
  }
  up(by = 1) {
    __privateMethod(this, _Counter_instances, step_fn).call(this, by);
    return __privateGet(this, _Counter_instances, shown_get);
  }
  static of(value) {
    return __privateIn(_count, value);
  }
};
_count = new WeakMap();
_Counter_instances = new WeakSet();
step_fn = /* @__PURE__ */ __name(function(by) {
  return __privateSet(this, _count, __privateGet(this, _count) + by);
}, "#step");
shown_get = /* @__PURE__ */ __name(function() {
  return `${this.label}:${__privateGet(this, _count)}`;
}, "#shown");
__name(_Counter, "Counter");
let Counter = _Counter;
const _Fine = class _Fine extends Counter {
  constructor() {
    super(...arguments);
    __privateAdd(this, _extra, [1, 2]);
  }
  total() {
    __privateGet(this, _extra).push(3);
    return `${this.up()} ${__privateGet(this, _extra).join()}`;
  }
};
_extra = new WeakMap();
__name(_Fine, "Fine");
let Fine = _Fine;
const _Cell = class _Cell {
  constructor() {
    __privateAdd(this, _value, 1);
  }
  get value() {
    return __privateGet(this, _value);
  }
  set value(_) {
    __privateSet(this, _value, _);
  }
  static get shared() {
    return __privateGet(this, _shared);
  }
  static set shared(_) {
    __privateSet(this, _shared, _);
  }
  double() {
    this.value *= 2;
    return this.value;
  }
};
_value = new WeakMap();
_shared = new WeakMap();
__name(_Cell, "Cell");
__privateAdd(_Cell, _shared, 5);
let Cell = _Cell;
const _Blocks = class _Blocks {
  [(_a = (registry.push("name of a static field"), "field"), registry.push("name of a method"), "method")]() {
    return _Blocks.number;
  }
  static hide() {
    return __privateGet(_Blocks, _hidden);
  }
};
_hidden = new WeakMap();
__name(_Blocks, "Blocks");
__publicField(_Blocks, "number", ++made);
__publicField(_Blocks, "names", registry);
registry.push("static block");
__publicField(_Blocks, _a, made);
__privateAdd(_Blocks, _hidden, ++made);
let Blocks = _Blocks;
function mixin(Base) {
  registry.push("mixin");
  return class extends Base {
    constructor() {
      super(...arguments);
      __publicField(this, "mixed", true);
    }
  };
}
__name(mixin, "mixin");
const _Mixed = class _Mixed extends mixin(Counter) {
};
__name(_Mixed, "Mixed");
let Mixed = _Mixed;
const _Point = class _Point {
  constructor(x, y) {
    __publicField(this, "x");
    __publicField(this, "y");
    this.x = x;
    this.y = y;
  }
  size() {
    return this.x + this.y;
  }
};
__name(_Point, "Point");
let Point = _Point;
const _Place = class _Place extends Point {
  constructor() {
    super(...arguments);
    __publicField(this, "name", "place");
  }
  size() {
    return super.size() * 2;
  }
};
__name(_Place, "Place");
let Place = _Place;
const cache = /* @__PURE__ */ new WeakMap();
function lengthOf(list) {
  let known = cache.get(list);
  if (known === void 0) {
    known = list.length;
    cache.set(list, known);
  }
  return known;
}
__name(lengthOf, "lengthOf");
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
async function back(title, fn, look) {
  let there;
  try {
    there = look(await pool.apply(fn));
  } catch (error) {
    there = String(error);
  }
  results[title] = [look(fn()), there];
}
__name(back, "back");
const used = new Counter("used", 3);
used.up(4);
const fine = new Fine("fine", 1);
fine.total();
const cell = new Cell();
cell.double();
const shared = new Shared(2);
shared.add();
const child = new SharedChild(3);
child.add();
async function main() {
  await both("an instance that a worker makes", () => new Counter("a", 1).up(2));
  await both("an instance that is captured", () => Counter.of(used) && structuredClone({ ...used }));
  await both(
    "an instance that is sent",
    (it) => [it instanceof Counter, Counter.of(it), it !== used],
    new Counter("b", 5)
  );
  await both("the state of an instance", (it) => it.up(0), used);
  await both("the state of an instance of a subclass", (it) => [it.up(0), it instanceof Counter], fine);
  await both("two instances that differ", (...them) => them.map((it) => it.up(0)), new Counter("x", 1), new Counter("y", 2));
  await both("an accessor", (it) => it.value, cell);
  await both("a static accessor", () => Cell.shared);
  await both("the state of an instance of an imported class", (it) => [Shared.owns(it), it instanceof Shared], shared);
  await back(
    "an instance that comes back",
    () => new Counter("c", 7),
    (it) => [it.up(), Counter.of(it), it instanceof Counter]
  );
  await back(
    "an instance of a subclass that comes back",
    () => new Fine("d", 7),
    (it) => [it.total(), it instanceof Fine]
  );
  await back(
    "an accessor that comes back",
    () => new Cell(),
    (it) => it.double()
  );
  await back(
    "an imported class",
    () => new Shared(4),
    (it) => [it.add(), Shared.owns(it)]
  );
  await back(
    "an imported subclass",
    () => new SharedChild(4),
    (it) => [it.tell(), it instanceof Shared]
  );
  await both("the state of an imported one", (it) => it.add() - it.step * 2, shared);
  await both("a child of an imported one", (it) => it.tell().split(" ")[0], child);
  await both("static blocks", () => [new Blocks().method() > 0, registry.length, Blocks.names.length, made]);
  await both("static fields", () => [Blocks.number, Blocks.field, Blocks.hide()]);
  await both("a mixin", () => [new Mixed("m", 1).up(), new Mixed("n").mixed, registry.length]);
  await both("a constructor function", () => [new Point(1, 2) instanceof Point, new Place(1, 2) instanceof Point, new Place(1, 2).size()]);
  await both("an instance of one, sent", (it) => [it instanceof Place, it instanceof Point, it.size(), it.name], new Place(2, 3));
  await back(
    "an instance of one, back",
    () => new Place(2, 3),
    (it) => [it instanceof Place, it instanceof Point, it.constructor === Place, it.size()]
  );
  await back(
    "an instance of a base, back",
    () => new Point(2, 3),
    (it) => [it instanceof Point, it.constructor === Point, it.size()]
  );
  await both("a cache", () => lengthOf([1, 2, 3]));
  console.log(JSON.stringify(results));
  await pool.terminate();
}
__name(main, "main");
void main();
