// swc 1.16.22, target es2020
function _check_private_redeclaration(obj, privateCollection) {
    if (privateCollection.has(obj)) {
        throw new TypeError("Cannot initialize the same private elements twice on an object");
    }
}
function _class_apply_descriptor_get(receiver, descriptor) {
    if (descriptor.get) return descriptor.get.call(receiver);
    return descriptor.value;
}
function _class_apply_descriptor_set(receiver, descriptor, value) {
    if (descriptor.set) descriptor.set.call(receiver, value);
    else {
        if (!descriptor.writable) {
            throw new TypeError("attempted to set read only private field");
        }
        descriptor.value = value;
    }
}
function _class_check_private_static_access(receiver, classConstructor) {
    if (receiver !== classConstructor) throw new TypeError("Private static access of wrong provenance");
}
function _class_check_private_static_field_descriptor(descriptor, action) {
    if (descriptor === undefined) {
        throw new TypeError("attempted to " + action + " private static field before its declaration");
    }
}
function _class_extract_field_descriptor(receiver, privateMap, action) {
    if (!privateMap.has(receiver)) throw new TypeError("attempted to " + action + " private field on non-instance");
    return privateMap.get(receiver);
}
function _class_private_field_get(receiver, privateMap) {
    var descriptor = _class_extract_field_descriptor(receiver, privateMap, "get");
    return _class_apply_descriptor_get(receiver, descriptor);
}
function _class_private_field_init(obj, privateMap, value) {
    _check_private_redeclaration(obj, privateMap);
    privateMap.set(obj, value);
}
function _class_private_field_set(receiver, privateMap, value) {
    var descriptor = _class_extract_field_descriptor(receiver, privateMap, "set");
    _class_apply_descriptor_set(receiver, descriptor, value);
    return value;
}
function _class_private_method_get(receiver, privateSet, fn) {
    if (!privateSet.has(receiver)) throw new TypeError("attempted to get private field on non-instance");
    return fn;
}
function _class_private_method_init(obj, privateSet) {
    _check_private_redeclaration(obj, privateSet);
    privateSet.add(obj);
}
function _class_static_private_field_spec_get(receiver, classConstructor, descriptor) {
    _class_check_private_static_access(receiver, classConstructor);
    _class_check_private_static_field_descriptor(descriptor, "get");
    return _class_apply_descriptor_get(receiver, descriptor);
}
function _class_static_private_field_spec_set(receiver, classConstructor, descriptor, value) {
    _class_check_private_static_access(receiver, classConstructor);
    _class_check_private_static_field_descriptor(descriptor, "set");
    _class_apply_descriptor_set(receiver, descriptor, value);
    return value;
}
function _define_property(obj, key, value) {
    if (key in obj) {
        Object.defineProperty(obj, key, {
            value: value,
            enumerable: true,
            configurable: true,
            writable: true
        });
    } else obj[key] = value;
    return obj;
}
var _computedKey, _computedKey1;
// @ts-nocheck: compiled by other means
// Compiled by several tools for older targets (compile.mjs). What each function gives here and in a worker is printed.
import { Pool } from 'multiprocess';
import { Shared, SharedChild } from './shared.mjs';
const registry = [];
let made = 0;
var _count = /*#__PURE__*/ new WeakMap(), _step = /*#__PURE__*/ new WeakSet(), _shown = /*#__PURE__*/ new WeakMap();
class Counter {
    up(by = 1) {
        _class_private_method_get(this, _step, step).call(this, by);
        return _class_private_field_get(this, _shown);
    }
    static of(value) {
        return _count.has(value);
    }
    constructor(label, start = 0){
        _class_private_method_init(this, _step);
        _class_private_field_init(this, _shown, {
            get: get_shown,
            set: void 0
        });
        _class_private_field_init(this, _count, {
            writable: true,
            value: 0
        });
        _define_property(this, "label", void 0);
        this.label = label;
        _class_private_field_set(this, _count, start);
    }
}
function step(by) {
    return _class_private_field_set(this, _count, _class_private_field_get(this, _count) + by);
}
function get_shown() {
    return `${this.label}:${_class_private_field_get(this, _count)}`;
}
var _extra = /*#__PURE__*/ new WeakMap();
class Fine extends Counter {
    total() {
        _class_private_field_get(this, _extra).push(3);
        return `${this.up()} ${_class_private_field_get(this, _extra).join()}`;
    }
    constructor(...args){
        super(...args), _class_private_field_init(this, _extra, {
            writable: true,
            value: [
                1,
                2
            ]
        });
    }
}
var ____private_value_1 = /*#__PURE__*/ new WeakMap();
class Cell {
    get value() {
        return _class_private_field_get(this, ____private_value_1);
    }
    set value(_v) {
        _class_private_field_set(this, ____private_value_1, _v);
    }
    static get shared() {
        return _class_static_private_field_spec_get(Cell, Cell, ____private_shared_2);
    }
    static set shared(_v) {
        _class_static_private_field_spec_set(Cell, Cell, ____private_shared_2, _v);
    }
    double() {
        this.value *= 2;
        return this.value;
    }
    constructor(){
        _class_private_field_init(this, ____private_value_1, {
            writable: true,
            value: 1
        });
    }
}
var ____private_shared_2 = {
    writable: true,
    value: 5
};
_computedKey = (registry.push('name of a static field'), 'field'), _computedKey1 = (registry.push('name of a method'), 'method');
let _computedKey2 = _computedKey1;
class Blocks {
    [_computedKey2]() {
        return Blocks.number;
    }
    static hide() {
        return _class_static_private_field_spec_get(Blocks, Blocks, _hidden);
    }
}
_define_property(Blocks, "number", ++made);
_define_property(Blocks, "names", registry);
registry.push('static block');
_define_property(Blocks, _computedKey, made);
var _hidden = {
    writable: true,
    value: ++made
};
function mixin(Base) {
    registry.push('mixin');
    return class extends Base {
        constructor(...args){
            super(...args), _define_property(this, "mixed", true);
        }
    };
}
class Mixed extends mixin(Counter) {
}
class Point {
    size() {
        return this.x + this.y;
    }
    constructor(x, y){
        _define_property(this, "x", void 0);
        _define_property(this, "y", void 0);
        this.x = x;
        this.y = y;
    }
}
class Place extends Point {
    size() {
        return super.size() * 2;
    }
    constructor(...args){
        super(...args), _define_property(this, "name", 'place');
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
/** What a function gives here, then what it gives in a worker. */ async function both(title, fn, ...args) {
    let there;
    try {
        there = await pool.apply(fn, args);
    } catch (error) {
        there = String(error);
    }
    results[title] = [
        fn(...args),
        there
    ];
}
/** What becomes of something that a worker returns. */ async function back(title, fn, look) {
    let there;
    try {
        there = look(await pool.apply(fn));
    } catch (error) {
        there = String(error);
    }
    results[title] = [
        look(fn()),
        there
    ];
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
    await both('an instance that a worker makes', ()=>new Counter('a', 1).up(2));
    await both('an instance that is captured', ()=>Counter.of(used) && structuredClone({
            ...used
        }));
    await both('an instance that is sent', (it)=>[
            it instanceof Counter,
            Counter.of(it),
            it !== used
        ], new Counter('b', 5));
    await both('the state of an instance', (it)=>it.up(0), used);
    await both('the state of an instance of a subclass', (it)=>[
            it.up(0),
            it instanceof Counter
        ], fine);
    await both('two instances that differ', (...them)=>them.map((it)=>it.up(0)), new Counter('x', 1), new Counter('y', 2));
    await both('an accessor', (it)=>it.value, cell);
    await both('a static accessor', ()=>Cell.shared);
    await both('the state of an instance of an imported class', (it)=>[
            Shared.owns(it),
            it instanceof Shared
        ], shared);
    await back('an instance that comes back', ()=>new Counter('c', 7), (it)=>[
            it.up(),
            Counter.of(it),
            it instanceof Counter
        ]);
    await back('an instance of a subclass that comes back', ()=>new Fine('d', 7), (it)=>[
            it.total(),
            it instanceof Fine
        ]);
    await back('an accessor that comes back', ()=>new Cell(), (it)=>it.double());
    await back('an imported class', ()=>new Shared(4), (it)=>[
            it.add(),
            Shared.owns(it)
        ]);
    await back('an imported subclass', ()=>new SharedChild(4), (it)=>[
            it.tell(),
            it instanceof Shared
        ]);
    await both('the state of an imported one', (it)=>it.add() - it.step * 2, shared);
    await both('a child of an imported one', (it)=>it.tell().split(' ')[0], child);
    await both('static blocks', ()=>[
            new Blocks().method() > 0,
            registry.length,
            Blocks.names.length,
            made
        ]);
    await both('static fields', ()=>[
            Blocks.number,
            Blocks.field,
            Blocks.hide()
        ]);
    await both('a mixin', ()=>[
            new Mixed('m', 1).up(),
            new Mixed('n').mixed,
            registry.length
        ]);
    await both('a constructor function', ()=>[
            new Point(1, 2) instanceof Point,
            new Place(1, 2) instanceof Point,
            new Place(1, 2).size()
        ]);
    await both('an instance of one, sent', (it)=>[
            it instanceof Place,
            it instanceof Point,
            it.size(),
            it.name
        ], new Place(2, 3));
    await back('an instance of one, back', ()=>new Place(2, 3), (it)=>[
            it instanceof Place,
            it instanceof Point,
            it.constructor === Place,
            it.size()
        ]);
    await back('an instance of a base, back', ()=>new Point(2, 3), (it)=>[
            it instanceof Point,
            it.constructor === Point,
            it.size()
        ]);
    await both('a cache', ()=>lengthOf([
            1,
            2,
            3
        ]));
    console.log(JSON.stringify(results));
    await pool.terminate();
}
void main();
