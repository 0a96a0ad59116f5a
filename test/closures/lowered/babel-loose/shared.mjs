// @babel/core 7.29.13 with preset-env 7.29.14, targets node 11.0, loose
function _checkInRHS(e) { if (Object(e) !== e) throw TypeError("right-hand side of 'in' should be an object, got " + (null !== e ? typeof e : "null")); return e; }
function _classPrivateFieldLooseBase(e, t) { if (!{}.hasOwnProperty.call(e, t)) throw new TypeError("attempted to use private field on non-instance"); return e; }
var id = 0;
function _classPrivateFieldLooseKey(e) { return "__private_" + id++ + "_" + e; }
var _total = /*#__PURE__*/_classPrivateFieldLooseKey("total");
var _made = /*#__PURE__*/_classPrivateFieldLooseKey("made");
var _grow = /*#__PURE__*/_classPrivateFieldLooseKey("grow");
var _twice = /*#__PURE__*/_classPrivateFieldLooseKey("twice");
// @ts-nocheck: compiled by other means
// Imported by main.ts, so its exports go by reference.
export class Shared {
  constructor(step) {
    Object.defineProperty(this, _twice, {
      get: _get_twice,
      set: void 0
    });
    Object.defineProperty(this, _grow, {
      value: _grow2
    });
    this.step = void 0;
    Object.defineProperty(this, _total, {
      writable: true,
      value: 10
    });
    this.step = step;
    _classPrivateFieldLooseBase(Shared, _made)[_made]++;
  }
  add() {
    _classPrivateFieldLooseBase(this, _grow)[_grow]();
    return _classPrivateFieldLooseBase(this, _twice)[_twice];
  }
  static owns(value) {
    return Object.prototype.hasOwnProperty.call(_checkInRHS(value), _total);
  }
}
function _grow2() {
  _classPrivateFieldLooseBase(this, _total)[_total] += this.step;
}
function _get_twice() {
  return _classPrivateFieldLooseBase(this, _total)[_total] * 2;
}
Object.defineProperty(Shared, _made, {
  writable: true,
  value: 0
});
var _own = /*#__PURE__*/_classPrivateFieldLooseKey("own");
export class SharedChild extends Shared {
  constructor(...args) {
    super(...args);
    Object.defineProperty(this, _own, {
      writable: true,
      value: 'own'
    });
  }
  tell() {
    return `${_classPrivateFieldLooseBase(this, _own)[_own]} ${this.add()}`;
  }
}
const caches = new WeakMap();
export function measured(value) {
  if (!caches.has(value)) caches.set(value, Object.keys(value).length);
  return caches.get(value);
}