// tsc 5.9.3 --target es2021
var __classPrivateFieldSet = (this && this.__classPrivateFieldSet) || function (receiver, state, value, kind, f) {
    if (kind === "m") throw new TypeError("Private method is not writable");
    if (kind === "a" && !f) throw new TypeError("Private accessor was defined without a setter");
    if (typeof state === "function" ? receiver !== state || !f : !state.has(receiver)) throw new TypeError("Cannot write private member to an object whose class did not declare it");
    return (kind === "a" ? f.call(receiver, value) : f ? f.value = value : state.set(receiver, value)), value;
};
var __classPrivateFieldGet = (this && this.__classPrivateFieldGet) || function (receiver, state, kind, f) {
    if (kind === "a" && !f) throw new TypeError("Private accessor was defined without a getter");
    if (typeof state === "function" ? receiver !== state || !f : !state.has(receiver)) throw new TypeError("Cannot read private member from an object whose class did not declare it");
    return kind === "m" ? f : kind === "a" ? f.call(receiver) : f ? f.value : state.get(receiver);
};
var __classPrivateFieldIn = (this && this.__classPrivateFieldIn) || function(state, receiver) {
    if (receiver === null || (typeof receiver !== "object" && typeof receiver !== "function")) throw new TypeError("Cannot use 'in' operator on non-object");
    return typeof state === "function" ? receiver === state : state.has(receiver);
};
var _Counter_instances, _Counter_count, _Counter_step, _Counter_shown_get, _Fine_extra, _a, _Cell_value_accessor_storage, _Cell_shared_accessor_storage, _b, _Blocks_hidden, _c;
// @ts-nocheck: compiled by other means
// Compiled by several tools for older targets (compile.mjs). What each function gives here and in a worker is printed.
import { Pool } from 'multiprocess';
import { Shared, SharedChild } from './shared.mjs';
const registry = [];
let made = 0;
class Counter {
    constructor(label, start = 0) {
        _Counter_instances.add(this);
        _Counter_count.set(this, 0);
        this.label = label;
        __classPrivateFieldSet(this, _Counter_count, start, "f");
    }
    up(by = 1) {
        __classPrivateFieldGet(this, _Counter_instances, "m", _Counter_step).call(this, by);
        return __classPrivateFieldGet(this, _Counter_instances, "a", _Counter_shown_get);
    }
    static of(value) {
        return __classPrivateFieldIn(_Counter_count, value);
    }
}
_Counter_count = new WeakMap(), _Counter_instances = new WeakSet(), _Counter_step = function _Counter_step(by) {
    return (__classPrivateFieldSet(this, _Counter_count, __classPrivateFieldGet(this, _Counter_count, "f") + by, "f"));
}, _Counter_shown_get = function _Counter_shown_get() {
    return `${this.label}:${__classPrivateFieldGet(this, _Counter_count, "f")}`;
};
class Fine extends Counter {
    constructor() {
        super(...arguments);
        _Fine_extra.set(this, [1, 2]);
    }
    total() {
        __classPrivateFieldGet(this, _Fine_extra, "f").push(3);
        return `${this.up()} ${__classPrivateFieldGet(this, _Fine_extra, "f").join()}`;
    }
}
_Fine_extra = new WeakMap();
class Cell {
    constructor() {
        _Cell_value_accessor_storage.set(this, 1);
    }
    get value() { return __classPrivateFieldGet(this, _Cell_value_accessor_storage, "f"); }
    set value(value) { __classPrivateFieldSet(this, _Cell_value_accessor_storage, value, "f"); }
    static get shared() { return __classPrivateFieldGet(_a, _a, "f", _Cell_shared_accessor_storage); }
    static set shared(value) { __classPrivateFieldSet(_a, _a, value, "f", _Cell_shared_accessor_storage); }
    double() {
        this.value *= 2;
        return this.value;
    }
}
_a = Cell, _Cell_value_accessor_storage = new WeakMap();
_Cell_shared_accessor_storage = { value: 5 };
class Blocks {
    [(_c = (registry.push('name of a static field'), 'field'), registry.push('name of a method'), 'method')]() {
        return _b.number;
    }
    static hide() {
        return __classPrivateFieldGet(_b, _b, "f", _Blocks_hidden);
    }
}
_b = Blocks;
Blocks.number = ++made;
Blocks.names = registry;
(() => {
    registry.push('static block');
})();
Blocks[_c] = made;
_Blocks_hidden = { value: ++made };
function mixin(Base) {
    registry.push('mixin');
    return class extends Base {
        constructor() {
            super(...arguments);
            this.mixed = true;
        }
    };
}
class Mixed extends mixin(Counter) {
}
class Point {
    constructor(x, y) {
        this.x = x;
        this.y = y;
    }
    size() {
        return this.x + this.y;
    }
}
class Place extends Point {
    constructor() {
        super(...arguments);
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
const pool = new Pool({ processes: 1 });
const results = {};
/** What a function gives here, then what it gives in a worker. */
async function both(title, fn, ...args) {
    let there;
    try {
        there = await pool.apply(fn, args);
    }
    catch (error) {
        there = String(error);
    }
    results[title] = [fn(...args), there];
}
/** What becomes of something that a worker returns. */
async function back(title, fn, look) {
    let there;
    try {
        there = look((await pool.apply(fn)));
    }
    catch (error) {
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
    await both('an instance that is captured', () => Counter.of(used) && structuredClone({ ...used }));
    await both('an instance that is sent', (it) => [it instanceof Counter, Counter.of(it), it !== used], new Counter('b', 5));
    await both('the state of an instance', (it) => it.up(0), used);
    await both('the state of an instance of a subclass', (it) => [it.up(0), it instanceof Counter], fine);
    await both('two instances that differ', (...them) => them.map((it) => it.up(0)), new Counter('x', 1), new Counter('y', 2));
    await both('an accessor', (it) => it.value, cell);
    await both('a static accessor', () => Cell.shared);
    await both('the state of an instance of an imported class', (it) => [Shared.owns(it), it instanceof Shared], shared);
    await back('an instance that comes back', () => new Counter('c', 7), (it) => [it.up(), Counter.of(it), it instanceof Counter]);
    await back('an instance of a subclass that comes back', () => new Fine('d', 7), (it) => [it.total(), it instanceof Fine]);
    await back('an accessor that comes back', () => new Cell(), (it) => it.double());
    await back('an imported class', () => new Shared(4), (it) => [it.add(), Shared.owns(it)]);
    await back('an imported subclass', () => new SharedChild(4), (it) => [it.tell(), it instanceof Shared]);
    await both('the state of an imported one', (it) => it.add() - it.step * 2, shared);
    await both('a child of an imported one', (it) => it.tell().split(' ')[0], child);
    await both('static blocks', () => [new Blocks().method() > 0, registry.length, Blocks.names.length, made]);
    await both('static fields', () => [Blocks.number, Blocks.field, Blocks.hide()]);
    await both('a mixin', () => [new Mixed('m', 1).up(), new Mixed('n').mixed, registry.length]);
    await both('a constructor function', () => [new Point(1, 2) instanceof Point, new Place(1, 2) instanceof Point, new Place(1, 2).size()]);
    await both('an instance of one, sent', (it) => [it instanceof Place, it instanceof Point, it.size(), it.name], new Place(2, 3));
    await back('an instance of one, back', () => new Place(2, 3), (it) => [it instanceof Place, it instanceof Point, it.constructor === Place, it.size()]);
    await back('an instance of a base, back', () => new Point(2, 3), (it) => [it instanceof Point, it.constructor === Point, it.size()]);
    await both('a cache', () => lengthOf([1, 2, 3]));
    console.log(JSON.stringify(results));
    await pool.terminate();
}
void main();
