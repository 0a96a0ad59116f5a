// @babel/core 7.29.13 with preset-env 7.29.14, targets IE 11, CommonJS
"use strict";

function _typeof(o) { "@babel/helpers - typeof"; return _typeof = "function" == typeof Symbol && "symbol" == typeof Symbol.iterator ? function (o) { return typeof o; } : function (o) { return o && "function" == typeof Symbol && o.constructor === Symbol && o !== Symbol.prototype ? "symbol" : typeof o; }, _typeof(o); }
var _multiprocess = require("multiprocess");
var _shared = require("./shared.cjs");
var _ref, _ref2;
function ownKeys(e, r) { var t = Object.keys(e); if (Object.getOwnPropertySymbols) { var o = Object.getOwnPropertySymbols(e); r && (o = o.filter(function (r) { return Object.getOwnPropertyDescriptor(e, r).enumerable; })), t.push.apply(t, o); } return t; }
function _objectSpread(e) { for (var r = 1; r < arguments.length; r++) { var t = null != arguments[r] ? arguments[r] : {}; r % 2 ? ownKeys(Object(t), !0).forEach(function (r) { _defineProperty(e, r, t[r]); }) : Object.getOwnPropertyDescriptors ? Object.defineProperties(e, Object.getOwnPropertyDescriptors(t)) : ownKeys(Object(t)).forEach(function (r) { Object.defineProperty(e, r, Object.getOwnPropertyDescriptor(t, r)); }); } return e; }
function _regenerator() { /*! regenerator-runtime -- Copyright (c) 2014-present, Facebook, Inc. -- license (MIT): https://github.com/babel/babel/blob/main/packages/babel-helpers/LICENSE */ var e, t, r = "function" == typeof Symbol ? Symbol : {}, n = r.iterator || "@@iterator", o = r.toStringTag || "@@toStringTag"; function i(r, n, o, i) { var c = n && n.prototype instanceof Generator ? n : Generator, u = Object.create(c.prototype); return _regeneratorDefine2(u, "_invoke", function (r, n, o) { var i, c, u, f = 0, p = o || [], y = !1, G = { p: 0, n: 0, v: e, a: d, f: d.bind(e, 4), d: function d(t, r) { return i = t, c = 0, u = e, G.n = r, a; } }; function d(r, n) { for (c = r, u = n, t = 0; !y && f && !o && t < p.length; t++) { var o, i = p[t], d = G.p, l = i[2]; r > 3 ? (o = l === n) && (u = i[(c = i[4]) ? 5 : (c = 3, 3)], i[4] = i[5] = e) : i[0] <= d && ((o = r < 2 && d < i[1]) ? (c = 0, G.v = n, G.n = i[1]) : d < l && (o = r < 3 || i[0] > n || n > l) && (i[4] = r, i[5] = n, G.n = l, c = 0)); } if (o || r > 1) return a; throw y = !0, n; } return function (o, p, l) { if (f > 1) throw TypeError("Generator is already running"); for (y && 1 === p && d(p, l), c = p, u = l; (t = c < 2 ? e : u) || !y;) { i || (c ? (c > 1 && (G.n = c < 3 ? -1 : u), d(c, u)) : G.v = u); try { if (f = 2, i) { if (c || (o = "next"), t = i[o]) { if (!(t = t.call(i, u))) throw TypeError("iterator result is not an object"); if (!t.done) return t; u = t.value, c < 2 && (c = 0); } else 1 === c && (t = i.return) && t.call(i), c < 2 && (u = TypeError("The iterator does not provide a '" + o + "' method"), c = 1); i = e; } else if ((t = (y = G.n < 0) ? u : r.call(n, G)) !== a) break; } catch (t) { i = e, c = 1, u = t; } finally { f = 1; } } return { value: t, done: y }; }; }(r, o, i), !0), u; } var a = {}; function Generator() {} function GeneratorFunction() {} function GeneratorFunctionPrototype() {} t = Object.getPrototypeOf; var c = [][n] ? t(t([][n]())) : (_regeneratorDefine2(t = {}, n, function () { return this; }), t), u = GeneratorFunctionPrototype.prototype = Generator.prototype = Object.create(c); function f(e) { return Object.setPrototypeOf ? Object.setPrototypeOf(e, GeneratorFunctionPrototype) : (e.__proto__ = GeneratorFunctionPrototype, _regeneratorDefine2(e, o, "GeneratorFunction")), e.prototype = Object.create(u), e; } return GeneratorFunction.prototype = GeneratorFunctionPrototype, _regeneratorDefine2(u, "constructor", GeneratorFunctionPrototype), _regeneratorDefine2(GeneratorFunctionPrototype, "constructor", GeneratorFunction), GeneratorFunction.displayName = "GeneratorFunction", _regeneratorDefine2(GeneratorFunctionPrototype, o, "GeneratorFunction"), _regeneratorDefine2(u), _regeneratorDefine2(u, o, "Generator"), _regeneratorDefine2(u, n, function () { return this; }), _regeneratorDefine2(u, "toString", function () { return "[object Generator]"; }), (_regenerator = function _regenerator() { return { w: i, m: f }; })(); }
function _regeneratorDefine2(e, r, n, t) { var i = Object.defineProperty; try { i({}, "", {}); } catch (e) { i = 0; } _regeneratorDefine2 = function _regeneratorDefine(e, r, n, t) { function o(r, n) { _regeneratorDefine2(e, r, function (e) { return this._invoke(r, n, e); }); } r ? i ? i(e, r, { value: n, enumerable: !t, configurable: !t, writable: !t }) : e[r] = n : (o("next", 0), o("throw", 1), o("return", 2)); }, _regeneratorDefine2(e, r, n, t); }
function asyncGeneratorStep(n, t, e, r, o, a, c) { try { var i = n[a](c), u = i.value; } catch (n) { return void e(n); } i.done ? t(u) : Promise.resolve(u).then(r, o); }
function _asyncToGenerator(n) { return function () { var t = this, e = arguments; return new Promise(function (r, o) { var a = n.apply(t, e); function _next(n) { asyncGeneratorStep(a, r, o, _next, _throw, "next", n); } function _throw(n) { asyncGeneratorStep(a, r, o, _next, _throw, "throw", n); } _next(void 0); }); }; }
function _superPropGet(t, o, e, r) { var p = _get(_getPrototypeOf(1 & r ? t.prototype : t), o, e); return 2 & r && "function" == typeof p ? function (t) { return p.apply(e, t); } : p; }
function _get() { return _get = "undefined" != typeof Reflect && Reflect.get ? Reflect.get.bind() : function (e, t, r) { var p = _superPropBase(e, t); if (p) { var n = Object.getOwnPropertyDescriptor(p, t); return n.get ? n.get.call(arguments.length < 3 ? e : r) : n.value; } }, _get.apply(null, arguments); }
function _superPropBase(t, o) { for (; !{}.hasOwnProperty.call(t, o) && null !== (t = _getPrototypeOf(t));); return t; }
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
function _defineProperty(e, r, t) { return (r = _toPropertyKey(r)) in e ? Object.defineProperty(e, r, { value: t, enumerable: !0, configurable: !0, writable: !0 }) : e[r] = t, e; }
function _toPropertyKey(t) { var i = _toPrimitive(t, "string"); return "symbol" == _typeof(i) ? i : i + ""; }
function _toPrimitive(t, e) { if ("object" != _typeof(t) || !t) return t; var r; if ("undefined" != typeof Symbol && void 0 !== (r = t[Symbol.toPrimitive])) { var i = r.call(t, e || "default"); if ("object" != _typeof(i)) return i; throw new TypeError("@@toPrimitive must return a primitive value."); } return ("string" === e ? String : Number)(t); }
function _classPrivateFieldInitSpec(e, t, a) { _checkPrivateRedeclaration(e, t), t.set(e, a); }
function _checkPrivateRedeclaration(e, t) { if (t.has(e)) throw new TypeError("Cannot initialize the same private elements twice on an object"); }
function _checkInRHS(e) { if (Object(e) !== e) throw TypeError("right-hand side of 'in' should be an object, got " + (null !== e ? _typeof(e) : "null")); return e; }
function _classPrivateGetter(s, r, a) { return a(_assertClassBrand(s, r)); }
function _classPrivateFieldGet(s, a) { return s.get(_assertClassBrand(s, a)); }
function _classPrivateFieldSet(s, a, r) { return s.set(_assertClassBrand(s, a), r), r; }
function _assertClassBrand(e, t, n) { if ("function" == typeof e ? e === t : e.has(t)) return arguments.length < 3 ? t : n; throw new TypeError("Private element is not present on this object"); } // @ts-nocheck: compiled by other means
// Compiled by several tools for older targets (compile.mjs). What each function gives here and in a worker is printed.
var registry = [];
var made = 0;
var _count = /*#__PURE__*/new WeakMap();
var _Counter_brand = /*#__PURE__*/new WeakSet();
var Counter = /*#__PURE__*/function () {
  function Counter(label) {
    var start = arguments.length > 1 && arguments[1] !== undefined ? arguments[1] : 0;
    _classCallCheck(this, Counter);
    _classPrivateMethodInitSpec(this, _Counter_brand);
    _classPrivateFieldInitSpec(this, _count, 0);
    _defineProperty(this, "label", void 0);
    this.label = label;
    _classPrivateFieldSet(_count, this, start);
  }
  return _createClass(Counter, [{
    key: "up",
    value: function up() {
      var by = arguments.length > 0 && arguments[0] !== undefined ? arguments[0] : 1;
      _assertClassBrand(_Counter_brand, this, _step).call(this, by);
      return _classPrivateGetter(_Counter_brand, this, _get_shown);
    }
  }], [{
    key: "of",
    value: function of(value) {
      return _count.has(_checkInRHS(value));
    }
  }]);
}();
function _step(by) {
  return _classPrivateFieldSet(_count, this, _classPrivateFieldGet(_count, this) + by);
}
function _get_shown(_this) {
  return "".concat(_this.label, ":").concat(_classPrivateFieldGet(_count, _this));
}
var _extra = /*#__PURE__*/new WeakMap();
var Fine = /*#__PURE__*/function (_Counter2) {
  function Fine() {
    var _this2;
    _classCallCheck(this, Fine);
    for (var _len = arguments.length, args = new Array(_len), _key = 0; _key < _len; _key++) {
      args[_key] = arguments[_key];
    }
    _this2 = _callSuper(this, Fine, [].concat(args));
    _classPrivateFieldInitSpec(_this2, _extra, [1, 2]);
    return _this2;
  }
  _inherits(Fine, _Counter2);
  return _createClass(Fine, [{
    key: "total",
    value: function total() {
      _classPrivateFieldGet(_extra, this).push(3);
      return "".concat(this.up(), " ").concat(_classPrivateFieldGet(_extra, this).join());
    }
  }]);
}(Counter);
var _A = /*#__PURE__*/new WeakMap();
var Cell = /*#__PURE__*/function () {
  function Cell() {
    _classCallCheck(this, Cell);
    _classPrivateFieldInitSpec(this, _A, 1);
  }
  return _createClass(Cell, [{
    key: "value",
    get: function get() {
      return _classPrivateFieldGet(_A, this);
    },
    set: function set(v) {
      _classPrivateFieldSet(_A, this, v);
    }
  }, {
    key: "double",
    value: function double() {
      this.value *= 2;
      return this.value;
    }
  }], [{
    key: "shared",
    get: function get() {
      return _B._;
    },
    set: function set(v) {
      _B._ = v;
    }
  }]);
}();
var _B = {
  _: 5
};
_ref = (registry.push('name of a static field'), 'field');
_ref2 = (registry.push('name of a method'), 'method');
var Blocks = /*#__PURE__*/function () {
  function Blocks() {
    _classCallCheck(this, Blocks);
  }
  return _createClass(Blocks, [{
    key: _ref2,
    value: function value() {
      return Blocks.number;
    }
  }], [{
    key: "hide",
    value: function hide() {
      return _hidden._;
    }
  }]);
}();
_defineProperty(Blocks, "number", ++made);
_defineProperty(Blocks, "names", registry);
registry.push('static block');
_defineProperty(Blocks, _ref, made);
var _hidden = {
  _: ++made
};
function mixin(Base) {
  registry.push('mixin');
  return /*#__PURE__*/function (_Base) {
    function _class() {
      var _this3;
      _classCallCheck(this, _class);
      for (var _len2 = arguments.length, args = new Array(_len2), _key2 = 0; _key2 < _len2; _key2++) {
        args[_key2] = arguments[_key2];
      }
      _this3 = _callSuper(this, _class, [].concat(args));
      _defineProperty(_this3, "mixed", true);
      return _this3;
    }
    _inherits(_class, _Base);
    return _createClass(_class);
  }(Base);
}
var Mixed = /*#__PURE__*/function (_mixin) {
  function Mixed() {
    _classCallCheck(this, Mixed);
    return _callSuper(this, Mixed, arguments);
  }
  _inherits(Mixed, _mixin);
  return _createClass(Mixed);
}(mixin(Counter));
var Point = /*#__PURE__*/function () {
  function Point(x, y) {
    _classCallCheck(this, Point);
    _defineProperty(this, "x", void 0);
    _defineProperty(this, "y", void 0);
    this.x = x;
    this.y = y;
  }
  return _createClass(Point, [{
    key: "size",
    value: function size() {
      return this.x + this.y;
    }
  }]);
}();
var Place = /*#__PURE__*/function (_Point2) {
  function Place() {
    var _this4;
    _classCallCheck(this, Place);
    for (var _len3 = arguments.length, args = new Array(_len3), _key3 = 0; _key3 < _len3; _key3++) {
      args[_key3] = arguments[_key3];
    }
    _this4 = _callSuper(this, Place, [].concat(args));
    _defineProperty(_this4, "name", 'place');
    return _this4;
  }
  _inherits(Place, _Point2);
  return _createClass(Place, [{
    key: "size",
    value: function size() {
      return _superPropGet(Place, "size", this, 3)([]) * 2;
    }
  }]);
}(Point);
var cache = new WeakMap();
function lengthOf(list) {
  var known = cache.get(list);
  if (known === undefined) {
    known = list.length;
    cache.set(list, known);
  }
  return known;
}
var pool = new _multiprocess.Pool({
  processes: 1
});
var results = {};
/** What a function gives here, then what it gives in a worker. */
function both(_x, _x2) {
  return _both.apply(this, arguments);
}
function _both() {
  _both = _asyncToGenerator(/*#__PURE__*/_regenerator().m(function _callee(title, fn) {
    var there,
      _len4,
      args,
      _key4,
      _args = arguments,
      _t;
    return _regenerator().w(function (_context) {
      while (1) switch (_context.p = _context.n) {
        case 0:
          for (_len4 = _args.length, args = new Array(_len4 > 2 ? _len4 - 2 : 0), _key4 = 2; _key4 < _len4; _key4++) {
            args[_key4 - 2] = _args[_key4];
          }
          _context.p = 1;
          _context.n = 2;
          return pool.apply(fn, args);
        case 2:
          there = _context.v;
          _context.n = 4;
          break;
        case 3:
          _context.p = 3;
          _t = _context.v;
          there = String(_t);
        case 4:
          results[title] = [fn.apply(void 0, args), there];
        case 5:
          return _context.a(2);
      }
    }, _callee, null, [[1, 3]]);
  }));
  return _both.apply(this, arguments);
}
/** What becomes of something that a worker returns. */
function back(_x3, _x4, _x5) {
  return _back.apply(this, arguments);
}
function _back() {
  _back = _asyncToGenerator(/*#__PURE__*/_regenerator().m(function _callee2(title, fn, look) {
    var there, _t2, _t3;
    return _regenerator().w(function (_context2) {
      while (1) switch (_context2.p = _context2.n) {
        case 0:
          _context2.p = 0;
          _t2 = look;
          _context2.n = 1;
          return pool.apply(fn);
        case 1:
          there = _t2(_context2.v);
          _context2.n = 3;
          break;
        case 2:
          _context2.p = 2;
          _t3 = _context2.v;
          there = String(_t3);
        case 3:
          results[title] = [look(fn()), there];
        case 4:
          return _context2.a(2);
      }
    }, _callee2, null, [[0, 2]]);
  }));
  return _back.apply(this, arguments);
}
var used = new Counter('used', 3);
used.up(4);
var fine = new Fine('fine', 1);
fine.total();
var cell = new Cell();
cell.double();
var shared = new _shared.Shared(2);
shared.add();
var child = new _shared.SharedChild(3);
child.add();
function main() {
  return _main.apply(this, arguments);
}
function _main() {
  _main = _asyncToGenerator(/*#__PURE__*/_regenerator().m(function _callee3() {
    return _regenerator().w(function (_context3) {
      while (1) switch (_context3.n) {
        case 0:
          _context3.n = 1;
          return both('an instance that a worker makes', function () {
            return new Counter('a', 1).up(2);
          });
        case 1:
          _context3.n = 2;
          return both('an instance that is captured', function () {
            return Counter.of(used) && structuredClone(_objectSpread({}, used));
          });
        case 2:
          _context3.n = 3;
          return both('an instance that is sent', function (it) {
            return [it instanceof Counter, Counter.of(it), it !== used];
          }, new Counter('b', 5));
        case 3:
          _context3.n = 4;
          return both('the state of an instance', function (it) {
            return it.up(0);
          }, used);
        case 4:
          _context3.n = 5;
          return both('the state of an instance of a subclass', function (it) {
            return [it.up(0), it instanceof Counter];
          }, fine);
        case 5:
          _context3.n = 6;
          return both('two instances that differ', function () {
            for (var _len5 = arguments.length, them = new Array(_len5), _key5 = 0; _key5 < _len5; _key5++) {
              them[_key5] = arguments[_key5];
            }
            return them.map(function (it) {
              return it.up(0);
            });
          }, new Counter('x', 1), new Counter('y', 2));
        case 6:
          _context3.n = 7;
          return both('an accessor', function (it) {
            return it.value;
          }, cell);
        case 7:
          _context3.n = 8;
          return both('a static accessor', function () {
            return Cell.shared;
          });
        case 8:
          _context3.n = 9;
          return both('the state of an instance of an imported class', function (it) {
            return [_shared.Shared.owns(it), it instanceof _shared.Shared];
          }, shared);
        case 9:
          _context3.n = 10;
          return back('an instance that comes back', function () {
            return new Counter('c', 7);
          }, function (it) {
            return [it.up(), Counter.of(it), it instanceof Counter];
          });
        case 10:
          _context3.n = 11;
          return back('an instance of a subclass that comes back', function () {
            return new Fine('d', 7);
          }, function (it) {
            return [it.total(), it instanceof Fine];
          });
        case 11:
          _context3.n = 12;
          return back('an accessor that comes back', function () {
            return new Cell();
          }, function (it) {
            return it.double();
          });
        case 12:
          _context3.n = 13;
          return back('an imported class', function () {
            return new _shared.Shared(4);
          }, function (it) {
            return [it.add(), _shared.Shared.owns(it)];
          });
        case 13:
          _context3.n = 14;
          return back('an imported subclass', function () {
            return new _shared.SharedChild(4);
          }, function (it) {
            return [it.tell(), it instanceof _shared.Shared];
          });
        case 14:
          _context3.n = 15;
          return both('the state of an imported one', function (it) {
            return it.add() - it.step * 2;
          }, shared);
        case 15:
          _context3.n = 16;
          return both('a child of an imported one', function (it) {
            return it.tell().split(' ')[0];
          }, child);
        case 16:
          _context3.n = 17;
          return both('static blocks', function () {
            return [new Blocks().method() > 0, registry.length, Blocks.names.length, made];
          });
        case 17:
          _context3.n = 18;
          return both('static fields', function () {
            return [Blocks.number, Blocks.field, Blocks.hide()];
          });
        case 18:
          _context3.n = 19;
          return both('a mixin', function () {
            return [new Mixed('m', 1).up(), new Mixed('n').mixed, registry.length];
          });
        case 19:
          _context3.n = 20;
          return both('a constructor function', function () {
            return [new Point(1, 2) instanceof Point, new Place(1, 2) instanceof Point, new Place(1, 2).size()];
          });
        case 20:
          _context3.n = 21;
          return both('an instance of one, sent', function (it) {
            return [it instanceof Place, it instanceof Point, it.size(), it.name];
          }, new Place(2, 3));
        case 21:
          _context3.n = 22;
          return back('an instance of one, back', function () {
            return new Place(2, 3);
          }, function (it) {
            return [it instanceof Place, it instanceof Point, it.constructor === Place, it.size()];
          });
        case 22:
          _context3.n = 23;
          return back('an instance of a base, back', function () {
            return new Point(2, 3);
          }, function (it) {
            return [it instanceof Point, it.constructor === Point, it.size()];
          });
        case 23:
          _context3.n = 24;
          return both('a cache', function () {
            return lengthOf([1, 2, 3]);
          });
        case 24:
          console.log(JSON.stringify(results));
          _context3.n = 25;
          return pool.terminate();
        case 25:
          return _context3.a(2);
      }
    }, _callee3);
  }));
  return _main.apply(this, arguments);
}
void main();