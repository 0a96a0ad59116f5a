// tsc 5.9.3 --target es2022
// @ts-nocheck: compiled by other means
// Imported by main.ts, so its exports go by reference.
export class Shared {
    step;
    #total = 10;
    static #made = 0;
    constructor(step) {
        this.step = step;
        Shared.#made++;
    }
    #grow() {
        this.#total += this.step;
    }
    get #twice() {
        return this.#total * 2;
    }
    add() {
        this.#grow();
        return this.#twice;
    }
    static owns(value) {
        return #total in value;
    }
}
export class SharedChild extends Shared {
    #own = 'own';
    tell() {
        return `${this.#own} ${this.add()}`;
    }
}
const caches = new WeakMap();
export function measured(value) {
    if (!caches.has(value))
        caches.set(value, Object.keys(value).length);
    return caches.get(value);
}
