// @babel/core 7.29.13 with preset-env 7.29.14, targets IE 11, CommonJS
"use strict";

function _typeof(o) { "@babel/helpers - typeof"; return _typeof = "function" == typeof Symbol && "symbol" == typeof Symbol.iterator ? function (o) { return typeof o; } : function (o) { return o && "function" == typeof Symbol && o.constructor === Symbol && o !== Symbol.prototype ? "symbol" : typeof o; }, _typeof(o); }
Object.defineProperty(exports, "__esModule", {
  value: true
});
exports.SharedChild = exports.Shared = void 0;
exports.measured = measured;
function _callSuper(t, o, e) { return o = _getPrototypeOf(o), _possibleConstructorReturn(t, _isNativeReflectConstruct() ? Reflect.construct(o, e || [], _getPrototypeOf(t).constructor) : o.apply(t, e)); }
function _possibleConstructorReturn(t, e) { if (e && ("object" == _typeof(e) || "function" == typeof e)) return e; if (void 0 !== e) throw new TypeError("Derived constructors may only return object or undefined"); return _assertThisInitialized(t); }
function _assertThisInitialized(e) { if (void 0 === e) throw new ReferenceError("this hasn't been initialised - super() hasn't been called"); return e; }
function _isNativeReflectConstruct() { try { var t = !Boolean.prototype.valueOf.call(Reflect.construct(Boolean, [], function () {})); } catch (t) {} return (_isNativeReflectConstruct = function _isNativeReflectConstruct() { return !!t; })(); }
function _getPrototypeOf(t) { return _getPrototypeOf = Object.setPrototypeOf ? Object.getPrototypeOf.bind() : function (t) { return t.__proto__ || Object.getPrototypeOf(t); }, _getPrototypeOf(t); }
function _inherits(t, e) { if ("function" != typeof e && null !== e) throw new TypeError("Super expression must either be null or a function"); t.prototype = Object.create(e && e.prototype, { constructor: { value: t, writable: !0, configurable: !0 } }), Object.defineProperty(t, "prototype", { writable: !1 }), e && _setPrototypeOf(t, e); }
function _setPrototypeOf(t, e) { return _setPrototypeOf = Object.setPrototypeOf ? Object.setPrototypeOf.bind() : function (t, e) { return t.__proto__ = e, t; }, _setPrototypeOf(t, e); }
function _classCallCheck(a, n) { if (!(a instanceof n)) throw new TypeError("Cannot call a class as a function"); }
function _defineProperties(e, r) { for (var t = 0; t < r.length; t++) { var o = r[t]; o.enumerable = o.enumerable || !1, o.configurable = !0, "value" in o && (o.writable = !0), Object.defineProperty(e, _toPropertyKey(o.key), o); } }
function _createClass(e, r, t) { return r && _defineProperties(e.prototype, r), t && _defineProperties(e, t), Object.defineProperty(e, "prototype", { writable: !1 }), e; }
function _classPrivateMethodInitSpec(e, a) { _checkPrivateRedeclaration(e, a), a.add(e); }
function _classPrivateFieldInitSpec(e, t, a) { _checkPrivateRedeclaration(e, t), t.set(e, a); }
function _checkPrivateRedeclaration(e, t) { if (t.has(e)) throw new TypeError("Cannot initialize the same private elements twice on an object"); }
function _defineProperty(e, r, t) { return (r = _toPropertyKey(r)) in e ? Object.defineProperty(e, r, { value: t, enumerable: !0, configurable: !0, writable: !0 }) : e[r] = t, e; }
function _toPropertyKey(t) { var i = _toPrimitive(t, "string"); return "symbol" == _typeof(i) ? i : i + ""; }
function _toPrimitive(t, e) { if ("object" != _typeof(t) || !t) return t; var r; if ("undefined" != typeof Symbol && void 0 !== (r = t[Symbol.toPrimitive])) { var i = r.call(t, e || "default"); if ("object" != _typeof(i)) return i; throw new TypeError("@@toPrimitive must return a primitive value."); } return ("string" === e ? String : Number)(t); }
function _checkInRHS(e) { if (Object(e) !== e) throw TypeError("right-hand side of 'in' should be an object, got " + (null !== e ? _typeof(e) : "null")); return e; }
function _classPrivateGetter(s, r, a) { return a(_assertClassBrand(s, r)); }
function _classPrivateFieldSet(s, a, r) { return s.set(_assertClassBrand(s, a), r), r; }
function _classPrivateFieldGet(s, a) { return s.get(_assertClassBrand(s, a)); }
function _assertClassBrand(e, t, n) { if ("function" == typeof e ? e === t : e.has(t)) return arguments.length < 3 ? t : n; throw new TypeError("Private element is not present on this object"); }
var _total = /*#__PURE__*/new WeakMap();
var _Shared_brand = /*#__PURE__*/new WeakSet();
// @ts-nocheck: compiled by other means
// Imported by main.ts, so its exports go by reference.
var Shared = exports.Shared = /*#__PURE__*/function () {
  function Shared(step) {
    var _Shared$made, _Shared$made2;
    _classCallCheck(this, Shared);
    _classPrivateMethodInitSpec(this, _Shared_brand);
    _defineProperty(this, "step", void 0);
    _classPrivateFieldInitSpec(this, _total, 10);
    this.step = step;
    _made._ = (_Shared$made = _made._, _Shared$made2 = _Shared$made++, _Shared$made), _Shared$made2;
  }
  return _createClass(Shared, [{
    key: "add",
    value: function add() {
      _assertClassBrand(_Shared_brand, this, _grow).call(this);
      return _classPrivateGetter(_Shared_brand, this, _get_twice);
    }
  }], [{
    key: "owns",
    value: function owns(value) {
      return _total.has(_checkInRHS(value));
    }
  }]);
}();
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
var SharedChild = exports.SharedChild = /*#__PURE__*/function (_Shared2) {
  function SharedChild() {
    var _this2;
    _classCallCheck(this, SharedChild);
    for (var _len = arguments.length, args = new Array(_len), _key = 0; _key < _len; _key++) {
      args[_key] = arguments[_key];
    }
    _this2 = _callSuper(this, SharedChild, [].concat(args));
    _classPrivateFieldInitSpec(_this2, _own, 'own');
    return _this2;
  }
  _inherits(SharedChild, _Shared2);
  return _createClass(SharedChild, [{
    key: "tell",
    value: function tell() {
      return "".concat(_classPrivateFieldGet(_own, this), " ").concat(this.add());
    }
  }]);
}(Shared);
var caches = new WeakMap();
function measured(value) {
  if (!caches.has(value)) caches.set(value, Object.keys(value).length);
  return caches.get(value);
}