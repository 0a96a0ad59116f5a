// tsc 5.9.3 --target es2017
var __classPrivateFieldGet = (this && this.__classPrivateFieldGet) || function (receiver, state, kind, f) {
    if (kind === "a" && !f) throw new TypeError("Private accessor was defined without a getter");
    if (typeof state === "function" ? receiver !== state || !f : !state.has(receiver)) throw new TypeError("Cannot read private member from an object whose class did not declare it");
    return kind === "m" ? f : kind === "a" ? f.call(receiver) : f ? f.value : state.get(receiver);
};
var __classPrivateFieldSet = (this && this.__classPrivateFieldSet) || function (receiver, state, value, kind, f) {
    if (kind === "m") throw new TypeError("Private method is not writable");
    if (kind === "a" && !f) throw new TypeError("Private accessor was defined without a setter");
    if (typeof state === "function" ? receiver !== state || !f : !state.has(receiver)) throw new TypeError("Cannot write private member to an object whose class did not declare it");
    return (kind === "a" ? f.call(receiver, value) : f ? f.value = value : state.set(receiver, value)), value;
};
var __classPrivateFieldIn = (this && this.__classPrivateFieldIn) || function(state, receiver) {
    if (receiver === null || (typeof receiver !== "object" && typeof receiver !== "function")) throw new TypeError("Cannot use 'in' operator on non-object");
    return typeof state === "function" ? receiver === state : state.has(receiver);
};
var _Shared_instances, _a, _Shared_total, _Shared_made, _Shared_grow, _Shared_twice_get, _SharedChild_own;
// @ts-nocheck: compiled by other means
// Imported by main.ts, so its exports go by reference.
export class Shared {
    constructor(step) {
        var _b, _c;
        _Shared_instances.add(this);
        this.step = step;
        _Shared_total.set(this, 10);
        __classPrivateFieldSet(_b = _a, _a, (_c = __classPrivateFieldGet(_b, _a, "f", _Shared_made), _c++, _c), "f", _Shared_made);
    }
    add() {
        __classPrivateFieldGet(this, _Shared_instances, "m", _Shared_grow).call(this);
        return __classPrivateFieldGet(this, _Shared_instances, "a", _Shared_twice_get);
    }
    static owns(value) {
        return __classPrivateFieldIn(_Shared_total, value);
    }
}
_a = Shared, _Shared_total = new WeakMap(), _Shared_instances = new WeakSet(), _Shared_grow = function _Shared_grow() {
    __classPrivateFieldSet(this, _Shared_total, __classPrivateFieldGet(this, _Shared_total, "f") + this.step, "f");
}, _Shared_twice_get = function _Shared_twice_get() {
    return __classPrivateFieldGet(this, _Shared_total, "f") * 2;
};
_Shared_made = { value: 0 };
export class SharedChild extends Shared {
    constructor() {
        super(...arguments);
        _SharedChild_own.set(this, 'own');
    }
    tell() {
        return `${__classPrivateFieldGet(this, _SharedChild_own, "f")} ${this.add()}`;
    }
}
_SharedChild_own = new WeakMap();
const caches = new WeakMap();
export function measured(value) {
    if (!caches.has(value))
        caches.set(value, Object.keys(value).length);
    return caches.get(value);
}
