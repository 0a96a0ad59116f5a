// tsc 5.9.3 --target es5 --module commonjs
"use strict";
var __extends = (this && this.__extends) || (function () {
    var extendStatics = function (d, b) {
        extendStatics = Object.setPrototypeOf ||
            ({ __proto__: [] } instanceof Array && function (d, b) { d.__proto__ = b; }) ||
            function (d, b) { for (var p in b) if (Object.prototype.hasOwnProperty.call(b, p)) d[p] = b[p]; };
        return extendStatics(d, b);
    };
    return function (d, b) {
        if (typeof b !== "function" && b !== null)
            throw new TypeError("Class extends value " + String(b) + " is not a constructor or null");
        extendStatics(d, b);
        function __() { this.constructor = d; }
        d.prototype = b === null ? Object.create(b) : (__.prototype = b.prototype, new __());
    };
})();
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
var _SharedChild_own;
Object.defineProperty(exports, "__esModule", { value: true });
exports.SharedChild = exports.Shared = void 0;
exports.measured = measured;
// @ts-nocheck: compiled by other means
// Imported by main.ts, so its exports go by reference.
var Shared = /** @class */ (function () {
    function Shared(step) {
        var _b, _c;
        _Shared_instances.add(this);
        this.step = step;
        _Shared_total.set(this, 10);
        __classPrivateFieldSet(_b = _a, _a, (_c = __classPrivateFieldGet(_b, _a, "f", _Shared_made), _c++, _c), "f", _Shared_made);
    }
    Shared.prototype.add = function () {
        __classPrivateFieldGet(this, _Shared_instances, "m", _Shared_grow).call(this);
        return __classPrivateFieldGet(this, _Shared_instances, "a", _Shared_twice_get);
    };
    Shared.owns = function (value) {
        return __classPrivateFieldIn(_Shared_total, value);
    };
    var _Shared_instances, _a, _Shared_total, _Shared_made, _Shared_grow, _Shared_twice_get;
    _a = Shared, _Shared_total = new WeakMap(), _Shared_instances = new WeakSet(), _Shared_grow = function _Shared_grow() {
        __classPrivateFieldSet(this, _Shared_total, __classPrivateFieldGet(this, _Shared_total, "f") + this.step, "f");
    }, _Shared_twice_get = function _Shared_twice_get() {
        return __classPrivateFieldGet(this, _Shared_total, "f") * 2;
    };
    _Shared_made = { value: 0 };
    return Shared;
}());
exports.Shared = Shared;
var SharedChild = /** @class */ (function (_super) {
    __extends(SharedChild, _super);
    function SharedChild() {
        var _this = _super !== null && _super.apply(this, arguments) || this;
        _SharedChild_own.set(_this, 'own');
        return _this;
    }
    SharedChild.prototype.tell = function () {
        return "".concat(__classPrivateFieldGet(this, _SharedChild_own, "f"), " ").concat(this.add());
    };
    return SharedChild;
}(Shared));
exports.SharedChild = SharedChild;
_SharedChild_own = new WeakMap();
var caches = new WeakMap();
function measured(value) {
    if (!caches.has(value))
        caches.set(value, Object.keys(value).length);
    return caches.get(value);
}
