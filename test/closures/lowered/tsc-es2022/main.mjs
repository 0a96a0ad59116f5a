// tsc 5.9.3 --target es2022
// @ts-nocheck: compiled by other means
// Compiled by several tools for older targets (compile.mjs). What each function gives here and in a worker is printed.
import { Pool } from 'multiprocess';
import { Shared, SharedChild } from './shared.mjs';
const registry = [];
let made = 0;
class Counter {
    #count = 0;
    label;
    constructor(label, start = 0) {
        this.label = label;
        this.#count = start;
    }
    #step(by) {
        return (this.#count += by);
    }
    get #shown() {
        return `${this.label}:${this.#count}`;
    }
    up(by = 1) {
        this.#step(by);
        return this.#shown;
    }
    static of(value) {
        return #count in value;
    }
}
class Fine extends Counter {
    #extra = [1, 2];
    total() {
        this.#extra.push(3);
        return `${this.up()} ${this.#extra.join()}`;
    }
}
class Cell {
    #value_accessor_storage = 1;
    get value() { return this.#value_accessor_storage; }
    set value(value) { this.#value_accessor_storage = value; }
    static #shared_accessor_storage = 5;
    static get shared() { return Cell.#shared_accessor_storage; }
    static set shared(value) { Cell.#shared_accessor_storage = value; }
    double() {
        this.value *= 2;
        return this.value;
    }
}
class Blocks {
    static number = ++made;
    static names = registry;
    static {
        registry.push('static block');
    }
    static [(registry.push('name of a static field'), 'field')] = made;
    [(registry.push('name of a method'), 'method')]() {
        return Blocks.number;
    }
    static #hidden = ++made;
    static hide() {
        return Blocks.#hidden;
    }
}
function mixin(Base) {
    registry.push('mixin');
    return class extends Base {
        mixed = true;
    };
}
class Mixed extends mixin(Counter) {
}
class Point {
    x;
    y;
    constructor(x, y) {
        this.x = x;
        this.y = y;
    }
    size() {
        return this.x + this.y;
    }
}
class Place extends Point {
    name = 'place';
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
