// @babel/core 7.29.13 with preset-env 7.29.14, targets node 11.0, loose
let _ref, _ref2;
function _checkInRHS(e) { if (Object(e) !== e) throw TypeError("right-hand side of 'in' should be an object, got " + (null !== e ? typeof e : "null")); return e; }
function _classPrivateFieldLooseBase(e, t) { if (!{}.hasOwnProperty.call(e, t)) throw new TypeError("attempted to use private field on non-instance"); return e; }
var id = 0;
function _classPrivateFieldLooseKey(e) { return "__private_" + id++ + "_" + e; }
// @ts-nocheck: compiled by other means
// Compiled by several tools for older targets (compile.mjs). What each function gives here and in a worker is printed.
import { Pool } from 'multiprocess';
import { Shared, SharedChild } from './shared.mjs';
const registry = [];
let made = 0;
var _count = /*#__PURE__*/_classPrivateFieldLooseKey("count");
var _step = /*#__PURE__*/_classPrivateFieldLooseKey("step");
var _shown = /*#__PURE__*/_classPrivateFieldLooseKey("shown");
class Counter {
  constructor(label, start = 0) {
    Object.defineProperty(this, _shown, {
      get: _get_shown,
      set: void 0
    });
    Object.defineProperty(this, _step, {
      value: _step2
    });
    Object.defineProperty(this, _count, {
      writable: true,
      value: 0
    });
    this.label = void 0;
    this.label = label;
    _classPrivateFieldLooseBase(this, _count)[_count] = start;
  }
  up(by = 1) {
    _classPrivateFieldLooseBase(this, _step)[_step](by);
    return _classPrivateFieldLooseBase(this, _shown)[_shown];
  }
  static of(value) {
    return Object.prototype.hasOwnProperty.call(_checkInRHS(value), _count);
  }
}
function _step2(by) {
  return _classPrivateFieldLooseBase(this, _count)[_count] += by;
}
function _get_shown() {
  return `${this.label}:${_classPrivateFieldLooseBase(this, _count)[_count]}`;
}
var _extra = /*#__PURE__*/_classPrivateFieldLooseKey("extra");
class Fine extends Counter {
  constructor(...args) {
    super(...args);
    Object.defineProperty(this, _extra, {
      writable: true,
      value: [1, 2]
    });
  }
  total() {
    _classPrivateFieldLooseBase(this, _extra)[_extra].push(3);
    return `${this.up()} ${_classPrivateFieldLooseBase(this, _extra)[_extra].join()}`;
  }
}
var _A = /*#__PURE__*/_classPrivateFieldLooseKey("A");
var _B = /*#__PURE__*/_classPrivateFieldLooseKey("B");
class Cell {
  constructor() {
    Object.defineProperty(this, _A, {
      writable: true,
      value: 1
    });
  }
  get value() {
    return _classPrivateFieldLooseBase(this, _A)[_A];
  }
  set value(v) {
    _classPrivateFieldLooseBase(this, _A)[_A] = v;
  }
  static get shared() {
    return _classPrivateFieldLooseBase(Cell, _B)[_B];
  }
  static set shared(v) {
    _classPrivateFieldLooseBase(Cell, _B)[_B] = v;
  }
  double() {
    this.value *= 2;
    return this.value;
  }
}
Object.defineProperty(Cell, _B, {
  writable: true,
  value: 5
});
var _hidden = /*#__PURE__*/_classPrivateFieldLooseKey("hidden");
_ref = (registry.push('name of a static field'), 'field');
_ref2 = (registry.push('name of a method'), 'method');
class Blocks {
  [_ref2]() {
    return Blocks.number;
  }
  static hide() {
    return _classPrivateFieldLooseBase(Blocks, _hidden)[_hidden];
  }
}
Blocks.number = ++made;
Blocks.names = registry;
registry.push('static block');
Blocks[_ref] = made;
Object.defineProperty(Blocks, _hidden, {
  writable: true,
  value: ++made
});
function mixin(Base) {
  registry.push('mixin');
  return class extends Base {
    constructor(...args) {
      super(...args);
      this.mixed = true;
    }
  };
}
class Mixed extends mixin(Counter) {}
class Point {
  constructor(x, y) {
    this.x = void 0;
    this.y = void 0;
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
    this.name = 'place';
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