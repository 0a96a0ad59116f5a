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
var __assign = (this && this.__assign) || function () {
    __assign = Object.assign || function(t) {
        for (var s, i = 1, n = arguments.length; i < n; i++) {
            s = arguments[i];
            for (var p in s) if (Object.prototype.hasOwnProperty.call(s, p))
                t[p] = s[p];
        }
        return t;
    };
    return __assign.apply(this, arguments);
};
var __awaiter = (this && this.__awaiter) || function (thisArg, _arguments, P, generator) {
    function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
    return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
};
var __generator = (this && this.__generator) || function (thisArg, body) {
    var _ = { label: 0, sent: function() { if (t[0] & 1) throw t[1]; return t[1]; }, trys: [], ops: [] }, f, y, t, g = Object.create((typeof Iterator === "function" ? Iterator : Object).prototype);
    return g.next = verb(0), g["throw"] = verb(1), g["return"] = verb(2), typeof Symbol === "function" && (g[Symbol.iterator] = function() { return this; }), g;
    function verb(n) { return function (v) { return step([n, v]); }; }
    function step(op) {
        if (f) throw new TypeError("Generator is already executing.");
        while (g && (g = 0, op[0] && (_ = 0)), _) try {
            if (f = 1, y && (t = op[0] & 2 ? y["return"] : op[0] ? y["throw"] || ((t = y["return"]) && t.call(y), 0) : y.next) && !(t = t.call(y, op[1])).done) return t;
            if (y = 0, t) op = [op[0] & 2, t.value];
            switch (op[0]) {
                case 0: case 1: t = op; break;
                case 4: _.label++; return { value: op[1], done: false };
                case 5: _.label++; y = op[1]; op = [0]; continue;
                case 7: op = _.ops.pop(); _.trys.pop(); continue;
                default:
                    if (!(t = _.trys, t = t.length > 0 && t[t.length - 1]) && (op[0] === 6 || op[0] === 2)) { _ = 0; continue; }
                    if (op[0] === 3 && (!t || (op[1] > t[0] && op[1] < t[3]))) { _.label = op[1]; break; }
                    if (op[0] === 6 && _.label < t[1]) { _.label = t[1]; t = op; break; }
                    if (t && _.label < t[2]) { _.label = t[2]; _.ops.push(op); break; }
                    if (t[2]) _.ops.pop();
                    _.trys.pop(); continue;
            }
            op = body.call(thisArg, _);
        } catch (e) { op = [6, e]; y = 0; } finally { f = t = 0; }
        if (op[0] & 5) throw op[1]; return { value: op[0] ? op[1] : void 0, done: true };
    }
};
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
var _Counter_instances, _Counter_count, _Counter_step, _Counter_shown_get, _Fine_extra;
Object.defineProperty(exports, "__esModule", { value: true });
// @ts-nocheck: compiled by other means
// Compiled by several tools for older targets (compile.mjs). What each function gives here and in a worker is printed.
var multiprocess_1 = require("multiprocess");
var shared_js_1 = require("./shared.cjs");
var registry = [];
var made = 0;
var Counter = /** @class */ (function () {
    function Counter(label, start) {
        if (start === void 0) { start = 0; }
        _Counter_instances.add(this);
        _Counter_count.set(this, 0);
        this.label = label;
        __classPrivateFieldSet(this, _Counter_count, start, "f");
    }
    Counter.prototype.up = function (by) {
        if (by === void 0) { by = 1; }
        __classPrivateFieldGet(this, _Counter_instances, "m", _Counter_step).call(this, by);
        return __classPrivateFieldGet(this, _Counter_instances, "a", _Counter_shown_get);
    };
    Counter.of = function (value) {
        return __classPrivateFieldIn(_Counter_count, value);
    };
    return Counter;
}());
_Counter_count = new WeakMap(), _Counter_instances = new WeakSet(), _Counter_step = function _Counter_step(by) {
    return (__classPrivateFieldSet(this, _Counter_count, __classPrivateFieldGet(this, _Counter_count, "f") + by, "f"));
}, _Counter_shown_get = function _Counter_shown_get() {
    return "".concat(this.label, ":").concat(__classPrivateFieldGet(this, _Counter_count, "f"));
};
var Fine = /** @class */ (function (_super) {
    __extends(Fine, _super);
    function Fine() {
        var _this = _super !== null && _super.apply(this, arguments) || this;
        _Fine_extra.set(_this, [1, 2]);
        return _this;
    }
    Fine.prototype.total = function () {
        __classPrivateFieldGet(this, _Fine_extra, "f").push(3);
        return "".concat(this.up(), " ").concat(__classPrivateFieldGet(this, _Fine_extra, "f").join());
    };
    return Fine;
}(Counter));
_Fine_extra = new WeakMap();
var Cell = /** @class */ (function () {
    function Cell() {
        _Cell_value_accessor_storage.set(this, 1);
    }
    Object.defineProperty(Cell.prototype, "value", {
        get: function () { return __classPrivateFieldGet(this, _Cell_value_accessor_storage, "f"); },
        set: function (value) { __classPrivateFieldSet(this, _Cell_value_accessor_storage, value, "f"); },
        enumerable: false,
        configurable: true
    });
    Object.defineProperty(Cell, "shared", {
        get: function () { return __classPrivateFieldGet(_a, _a, "f", _Cell_shared_accessor_storage); },
        set: function (value) { __classPrivateFieldSet(_a, _a, value, "f", _Cell_shared_accessor_storage); },
        enumerable: false,
        configurable: true
    });
    Cell.prototype.double = function () {
        this.value *= 2;
        return this.value;
    };
    var _a, _Cell_value_accessor_storage, _Cell_shared_accessor_storage;
    _a = Cell, _Cell_value_accessor_storage = new WeakMap();
    _Cell_shared_accessor_storage = { value: 5 };
    return Cell;
}());
var Blocks = /** @class */ (function () {
    function Blocks() {
    }
    Blocks.prototype[(_c = (registry.push('name of a static field'), 'field'), registry.push('name of a method'), 'method')] = function () {
        return _b.number;
    };
    Blocks.hide = function () {
        return __classPrivateFieldGet(_b, _b, "f", _Blocks_hidden);
    };
    var _b, _Blocks_hidden, _c;
    _b = Blocks;
    Blocks.number = ++made;
    Blocks.names = registry;
    (function () {
        registry.push('static block');
    })();
    Blocks[_c] = made;
    _Blocks_hidden = { value: ++made };
    return Blocks;
}());
function mixin(Base) {
    registry.push('mixin');
    return /** @class */ (function (_super) {
        __extends(class_1, _super);
        function class_1() {
            var _this = _super !== null && _super.apply(this, arguments) || this;
            _this.mixed = true;
            return _this;
        }
        return class_1;
    }(Base));
}
var Mixed = /** @class */ (function (_super) {
    __extends(Mixed, _super);
    function Mixed() {
        return _super !== null && _super.apply(this, arguments) || this;
    }
    return Mixed;
}(mixin(Counter)));
var Point = /** @class */ (function () {
    function Point(x, y) {
        this.x = x;
        this.y = y;
    }
    Point.prototype.size = function () {
        return this.x + this.y;
    };
    return Point;
}());
var Place = /** @class */ (function (_super) {
    __extends(Place, _super);
    function Place() {
        var _this = _super !== null && _super.apply(this, arguments) || this;
        _this.name = 'place';
        return _this;
    }
    Place.prototype.size = function () {
        return _super.prototype.size.call(this) * 2;
    };
    return Place;
}(Point));
var cache = new WeakMap();
function lengthOf(list) {
    var known = cache.get(list);
    if (known === undefined) {
        known = list.length;
        cache.set(list, known);
    }
    return known;
}
var pool = new multiprocess_1.Pool({ processes: 1 });
var results = {};
/** What a function gives here, then what it gives in a worker. */
function both(title, fn) {
    var args = [];
    for (var _i = 2; _i < arguments.length; _i++) {
        args[_i - 2] = arguments[_i];
    }
    return __awaiter(this, void 0, Promise, function () {
        var there, error_1;
        return __generator(this, function (_d) {
            switch (_d.label) {
                case 0:
                    _d.trys.push([0, 2, , 3]);
                    return [4 /*yield*/, pool.apply(fn, args)];
                case 1:
                    there = _d.sent();
                    return [3 /*break*/, 3];
                case 2:
                    error_1 = _d.sent();
                    there = String(error_1);
                    return [3 /*break*/, 3];
                case 3:
                    results[title] = [fn.apply(void 0, args), there];
                    return [2 /*return*/];
            }
        });
    });
}
/** What becomes of something that a worker returns. */
function back(title, fn, look) {
    return __awaiter(this, void 0, Promise, function () {
        var there, _d, error_2;
        return __generator(this, function (_e) {
            switch (_e.label) {
                case 0:
                    _e.trys.push([0, 2, , 3]);
                    _d = look;
                    return [4 /*yield*/, pool.apply(fn)];
                case 1:
                    there = _d.apply(void 0, [(_e.sent())]);
                    return [3 /*break*/, 3];
                case 2:
                    error_2 = _e.sent();
                    there = String(error_2);
                    return [3 /*break*/, 3];
                case 3:
                    results[title] = [look(fn()), there];
                    return [2 /*return*/];
            }
        });
    });
}
var used = new Counter('used', 3);
used.up(4);
var fine = new Fine('fine', 1);
fine.total();
var cell = new Cell();
cell.double();
var shared = new shared_js_1.Shared(2);
shared.add();
var child = new shared_js_1.SharedChild(3);
child.add();
function main() {
    return __awaiter(this, void 0, Promise, function () {
        return __generator(this, function (_d) {
            switch (_d.label) {
                case 0: return [4 /*yield*/, both('an instance that a worker makes', function () { return new Counter('a', 1).up(2); })];
                case 1:
                    _d.sent();
                    return [4 /*yield*/, both('an instance that is captured', function () { return Counter.of(used) && structuredClone(__assign({}, used)); })];
                case 2:
                    _d.sent();
                    return [4 /*yield*/, both('an instance that is sent', function (it) { return [it instanceof Counter, Counter.of(it), it !== used]; }, new Counter('b', 5))];
                case 3:
                    _d.sent();
                    return [4 /*yield*/, both('the state of an instance', function (it) { return it.up(0); }, used)];
                case 4:
                    _d.sent();
                    return [4 /*yield*/, both('the state of an instance of a subclass', function (it) { return [it.up(0), it instanceof Counter]; }, fine)];
                case 5:
                    _d.sent();
                    return [4 /*yield*/, both('two instances that differ', function () {
                            var them = [];
                            for (var _i = 0; _i < arguments.length; _i++) {
                                them[_i] = arguments[_i];
                            }
                            return them.map(function (it) { return it.up(0); });
                        }, new Counter('x', 1), new Counter('y', 2))];
                case 6:
                    _d.sent();
                    return [4 /*yield*/, both('an accessor', function (it) { return it.value; }, cell)];
                case 7:
                    _d.sent();
                    return [4 /*yield*/, both('a static accessor', function () { return Cell.shared; })];
                case 8:
                    _d.sent();
                    return [4 /*yield*/, both('the state of an instance of an imported class', function (it) { return [shared_js_1.Shared.owns(it), it instanceof shared_js_1.Shared]; }, shared)];
                case 9:
                    _d.sent();
                    return [4 /*yield*/, back('an instance that comes back', function () { return new Counter('c', 7); }, function (it) { return [it.up(), Counter.of(it), it instanceof Counter]; })];
                case 10:
                    _d.sent();
                    return [4 /*yield*/, back('an instance of a subclass that comes back', function () { return new Fine('d', 7); }, function (it) { return [it.total(), it instanceof Fine]; })];
                case 11:
                    _d.sent();
                    return [4 /*yield*/, back('an accessor that comes back', function () { return new Cell(); }, function (it) { return it.double(); })];
                case 12:
                    _d.sent();
                    return [4 /*yield*/, back('an imported class', function () { return new shared_js_1.Shared(4); }, function (it) { return [it.add(), shared_js_1.Shared.owns(it)]; })];
                case 13:
                    _d.sent();
                    return [4 /*yield*/, back('an imported subclass', function () { return new shared_js_1.SharedChild(4); }, function (it) { return [it.tell(), it instanceof shared_js_1.Shared]; })];
                case 14:
                    _d.sent();
                    return [4 /*yield*/, both('the state of an imported one', function (it) { return it.add() - it.step * 2; }, shared)];
                case 15:
                    _d.sent();
                    return [4 /*yield*/, both('a child of an imported one', function (it) { return it.tell().split(' ')[0]; }, child)];
                case 16:
                    _d.sent();
                    return [4 /*yield*/, both('static blocks', function () { return [new Blocks().method() > 0, registry.length, Blocks.names.length, made]; })];
                case 17:
                    _d.sent();
                    return [4 /*yield*/, both('static fields', function () { return [Blocks.number, Blocks.field, Blocks.hide()]; })];
                case 18:
                    _d.sent();
                    return [4 /*yield*/, both('a mixin', function () { return [new Mixed('m', 1).up(), new Mixed('n').mixed, registry.length]; })];
                case 19:
                    _d.sent();
                    return [4 /*yield*/, both('a constructor function', function () { return [new Point(1, 2) instanceof Point, new Place(1, 2) instanceof Point, new Place(1, 2).size()]; })];
                case 20:
                    _d.sent();
                    return [4 /*yield*/, both('an instance of one, sent', function (it) { return [it instanceof Place, it instanceof Point, it.size(), it.name]; }, new Place(2, 3))];
                case 21:
                    _d.sent();
                    return [4 /*yield*/, back('an instance of one, back', function () { return new Place(2, 3); }, function (it) { return [it instanceof Place, it instanceof Point, it.constructor === Place, it.size()]; })];
                case 22:
                    _d.sent();
                    return [4 /*yield*/, back('an instance of a base, back', function () { return new Point(2, 3); }, function (it) { return [it instanceof Point, it.constructor === Point, it.size()]; })];
                case 23:
                    _d.sent();
                    return [4 /*yield*/, both('a cache', function () { return lengthOf([1, 2, 3]); })];
                case 24:
                    _d.sent();
                    console.log(JSON.stringify(results));
                    return [4 /*yield*/, pool.terminate()];
                case 25:
                    _d.sent();
                    return [2 /*return*/];
            }
        });
    });
}
void main();
