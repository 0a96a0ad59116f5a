// @babel/core 7.29.13 with preset-env 7.29.14, targets node 11.0
function _classPrivateMethodInitSpec(e, a) { _checkPrivateRedeclaration(e, a), a.add(e); }
function _classPrivateFieldInitSpec(e, t, a) { _checkPrivateRedeclaration(e, t), t.set(e, a); }
function _checkPrivateRedeclaration(e, t) { if (t.has(e)) throw new TypeError("Cannot initialize the same private elements twice on an object"); }
function _defineProperty(e, r, t) { return (r = _toPropertyKey(r)) in e ? Object.defineProperty(e, r, { value: t, enumerable: !0, configurable: !0, writable: !0 }) : e[r] = t, e; }
function _toPropertyKey(t) { var i = _toPrimitive(t, "string"); return "symbol" == typeof i ? i : i + ""; }
function _toPrimitive(t, e) { if ("object" != typeof t || !t) return t; var r; if ("undefined" != typeof Symbol && void 0 !== (r = t[Symbol.toPrimitive])) { var i = r.call(t, e || "default"); if ("object" != typeof i) return i; throw new TypeError("@@toPrimitive must return a primitive value."); } return ("string" === e ? String : Number)(t); }
function _checkInRHS(e) { if (Object(e) !== e) throw TypeError("right-hand side of 'in' should be an object, got " + (null !== e ? typeof e : "null")); return e; }
function _classPrivateGetter(s, r, a) { return a(_assertClassBrand(s, r)); }
function _classPrivateFieldSet(s, a, r) { return s.set(_assertClassBrand(s, a), r), r; }
function _classPrivateFieldGet(s, a) { return s.get(_assertClassBrand(s, a)); }
function _assertClassBrand(e, t, n) { if ("function" == typeof e ? e === t : e.has(t)) return arguments.length < 3 ? t : n; throw new TypeError("Private element is not present on this object"); }
var _total = /*#__PURE__*/new WeakMap();
var _Shared_brand = /*#__PURE__*/new WeakSet();
// @ts-nocheck: compiled by other means
// Imported by main.ts, so its exports go by reference.
export class Shared {
  constructor(step) {
    var _Shared$made, _Shared$made2;
    _classPrivateMethodInitSpec(this, _Shared_brand);
    _defineProperty(this, "step", void 0);
    _classPrivateFieldInitSpec(this, _total, 10);
    this.step = step;
    _made._ = (_Shared$made = _made._, _Shared$made2 = _Shared$made++, _Shared$made), _Shared$made2;
  }
  add() {
    _assertClassBrand(_Shared_brand, this, _grow).call(this);
    return _classPrivateGetter(_Shared_brand, this, _get_twice);
  }
  static owns(value) {
    return _total.has(_checkInRHS(value));
  }
}
function _grow() {
  _classPrivateFieldSet(_total, this, _classPrivateFieldGet(_total, this) + this.step);
}
function _get_twice(_this) {
  return _classPrivateFieldGet(_total, _this) * 2;
}
var _made = {
  _: 0
};
var _own = /*#__PURE__*/new WeakMap();
export class SharedChild extends Shared {
  constructor(...args) {
    super(...args);
    _classPrivateFieldInitSpec(this, _own, 'own');
  }
  tell() {
    return `${_classPrivateFieldGet(_own, this)} ${this.add()}`;
  }
}
const caches = new WeakMap();
export function measured(value) {
  if (!caches.has(value)) caches.set(value, Object.keys(value).length);
  return caches.get(value);
}