// @babel/core 7.29.13 with preset-env 7.29.14, targets node 11.0
let _ref, _ref2;
function _classPrivateMethodInitSpec(e, a) { _checkPrivateRedeclaration(e, a), a.add(e); }
function _defineProperty(e, r, t) { return (r = _toPropertyKey(r)) in e ? Object.defineProperty(e, r, { value: t, enumerable: !0, configurable: !0, writable: !0 }) : e[r] = t, e; }
function _toPropertyKey(t) { var i = _toPrimitive(t, "string"); return "symbol" == typeof i ? i : i + ""; }
function _toPrimitive(t, e) { if ("object" != typeof t || !t) return t; var r; if ("undefined" != typeof Symbol && void 0 !== (r = t[Symbol.toPrimitive])) { var i = r.call(t, e || "default"); if ("object" != typeof i) return i; throw new TypeError("@@toPrimitive must return a primitive value."); } return ("string" === e ? String : Number)(t); }
function _classPrivateFieldInitSpec(e, t, a) { _checkPrivateRedeclaration(e, t), t.set(e, a); }
function _checkPrivateRedeclaration(e, t) { if (t.has(e)) throw new TypeError("Cannot initialize the same private elements twice on an object"); }
function _checkInRHS(e) { if (Object(e) !== e) throw TypeError("right-hand side of 'in' should be an object, got " + (null !== e ? typeof e : "null")); return e; }
function _classPrivateGetter(s, r, a) { return a(_assertClassBrand(s, r)); }
function _classPrivateFieldGet(s, a) { return s.get(_assertClassBrand(s, a)); }
function _classPrivateFieldSet(s, a, r) { return s.set(_assertClassBrand(s, a), r), r; }
function _assertClassBrand(e, t, n) { if ("function" == typeof e ? e === t : e.has(t)) return arguments.length < 3 ? t : n; throw new TypeError("Private element is not present on this object"); }
// @ts-nocheck: compiled by other means
// Compiled by several tools for older targets (compile.mjs). What each function gives here and in a worker is printed.
import { Pool } from 'multiprocess';
import { Shared, SharedChild } from './shared.mjs';
const registry = [];
let made = 0;
var _count = /*#__PURE__*/new WeakMap();
var _Counter_brand = /*#__PURE__*/new WeakSet();
class Counter {
  constructor(label, start = 0) {
    _classPrivateMethodInitSpec(this, _Counter_brand);
    _classPrivateFieldInitSpec(this, _count, 0);
    _defineProperty(this, "label", void 0);
    this.label = label;
    _classPrivateFieldSet(_count, this, start);
  }
  up(by = 1) {
    _assertClassBrand(_Counter_brand, this, _step).call(this, by);
    return _classPrivateGetter(_Counter_brand, this, _get_shown);
  }
  static of(value) {
    return _count.has(_checkInRHS(value));
  }
}
function _step(by) {
  return _classPrivateFieldSet(_count, this, _classPrivateFieldGet(_count, this) + by);
}
function _get_shown(_this) {
  return `${_this.label}:${_classPrivateFieldGet(_count, _this)}`;
}
var _extra = /*#__PURE__*/new WeakMap();
class Fine extends Counter {
  constructor(...args) {
    super(...args);
    _classPrivateFieldInitSpec(this, _extra, [1, 2]);
  }
  total() {
    _classPrivateFieldGet(_extra, this).push(3);
    return `${this.up()} ${_classPrivateFieldGet(_extra, this).join()}`;
  }
}
var _A = /*#__PURE__*/new WeakMap();
class Cell {
  constructor() {
    _classPrivateFieldInitSpec(this, _A, 1);
  }
  get value() {
    return _classPrivateFieldGet(_A, this);
  }
  set value(v) {
    _classPrivateFieldSet(_A, this, v);
  }
  static get shared() {
    return _B._;
  }
  static set shared(v) {
    _B._ = v;
  }
  double() {
    this.value *= 2;
    return this.value;
  }
}
var _B = {
  _: 5
};
_ref = (registry.push('name of a static field'), 'field');
_ref2 = (registry.push('name of a method'), 'method');
class Blocks {
  [_ref2]() {
    return Blocks.number;
  }
  static hide() {
    return _hidden._;
  }
}
_defineProperty(Blocks, "number", ++made);
_defineProperty(Blocks, "names", registry);
registry.push('static block');
_defineProperty(Blocks, _ref, made);
var _hidden = {
  _: ++made
};
function mixin(Base) {
  registry.push('mixin');
  return class extends Base {
    constructor(...args) {
      super(...args);
      _defineProperty(this, "mixed", true);
    }
  };
}
class Mixed extends mixin(Counter) {}
class Point {
  constructor(x, y) {
    _defineProperty(this, "x", void 0);
    _defineProperty(this, "y", void 0);
    this.x = x;
    this.y = y;
  }
  size() {
    return this.x + this.y;
  }
}
class Place extends Point {
  constructor(...args) {
    super(...args);
    _defineProperty(this, "name", 'place');
  }
  size() {
    return super.size() * 2;
  }
}
const cache = new WeakMap();
function lengthOf(list) {
  let known = cache.get(list);
  if (known === undefined) {
    known = list.length;
    cache.set(list, known);
  }
  return known;
}
const pool = new Pool({
  processes: 1
});
const results = {};
/** What a function gives here, then what it gives in a worker. */
async function both(title, fn, ...args) {
  let there;
  try {
    there = await pool.apply(fn, args);
  } catch (error) {
    there = String(error);
  }
  results[title] = [fn(...args), there];
}
/** What becomes of something that a worker returns. */
async function back(title, fn, look) {
  let there;
  try {
    there = look(await pool.apply(fn));
  } catch (error) {
    there = String(error);
  }
  results[title] = [look(fn()), there];
}
const used = new Counter('used', 3);
used.up(4);
const fine = new Fine('fine', 1);
fine.total();
const cell = new Cell();
cell.double();
const shared = new Shared(2);
shared.add();
const child = new SharedChild(3);
child.add();
async function main() {
  await both('an instance that a worker makes', () => new Counter('a', 1).up(2));
  await both('an instance that is captured', () => Counter.of(used) && structuredClone({
    ...used
  }));
  await both('an instance that is sent', it => [it instanceof Counter, Counter.of(it), it !== used], new Counter('b', 5));
  await both('the state of an instance', it => it.up(0), used);
  await both('the state of an instance of a subclass', it => [it.up(0), it instanceof Counter], fine);
  await both('two instances that differ', (...them) => them.map(it => it.up(0)), new Counter('x', 1), new Counter('y', 2));
  await both('an accessor', it => it.value, cell);
  await both('a static accessor', () => Cell.shared);
  await both('the state of an instance of an imported class', it => [Shared.owns(it), it instanceof Shared], shared);
  await back('an instance that comes back', () => new Counter('c', 7), it => [it.up(), Counter.of(it), it instanceof Counter]);
  await back('an instance of a subclass that comes back', () => new Fine('d', 7), it => [it.total(), it instanceof Fine]);
  await back('an accessor that comes back', () => new Cell(), it => it.double());
  await back('an imported class', () => new Shared(4), it => [it.add(), Shared.owns(it)]);
  await back('an imported subclass', () => new SharedChild(4), it => [it.tell(), it instanceof Shared]);
  await both('the state of an imported one', it => it.add() - it.step * 2, shared);
  await both('a child of an imported one', it => it.tell().split(' ')[0], child);
  await both('static blocks', () => [new Blocks().method() > 0, registry.length, Blocks.names.length, made]);
  await both('static fields', () => [Blocks.number, Blocks.field, Blocks.hide()]);
  await both('a mixin', () => [new Mixed('m', 1).up(), new Mixed('n').mixed, registry.length]);
  await both('a constructor function', () => [new Point(1, 2) instanceof Point, new Place(1, 2) instanceof Point, new Place(1, 2).size()]);
  await both('an instance of one, sent', it => [it instanceof Place, it instanceof Point, it.size(), it.name], new Place(2, 3));
  await back('an instance of one, back', () => new Place(2, 3), it => [it instanceof Place, it instanceof Point, it.constructor === Place, it.size()]);
  await back('an instance of a base, back', () => new Point(2, 3), it => [it instanceof Point, it.constructor === Point, it.size()]);
  await both('a cache', () => lengthOf([1, 2, 3]));
  console.log(JSON.stringify(results));
  await pool.terminate();
}
void main();