// swc 1.16.22, target es5, CommonJS
// @ts-nocheck: compiled by other means
// Compiled by several tools for older targets (compile.mjs). What each function gives here and in a worker is printed.
"use strict";
Object.defineProperty(exports, "__esModule", {
    value: true
});
var _multiprocess = require("multiprocess");
var _shared = require("./shared.cjs");
function _array_like_to_array(arr, len) {
    if (len == null || len > arr.length) len = arr.length;
    for(var i = 0, arr2 = new Array(len); i < len; i++)arr2[i] = arr[i];
    return arr2;
}
function _array_without_holes(arr) {
    if (Array.isArray(arr)) return _array_like_to_array(arr);
}
function _assert_this_initialized(self) {
    if (self === void 0) throw new ReferenceError("this hasn't been initialised - super() hasn't been called");
    return self;
}
function asyncGeneratorStep(gen, resolve, reject, _next, _throw, key, arg) {
    try {
        var info = gen[key](arg);
        var value = info.value;
    } catch (error) {
        reject(error);
        return;
    }
    if (info.done) resolve(value);
    else Promise.resolve(value).then(_next, _throw);
}
function _async_to_generator(fn) {
    return function() {
        var self = this, args = arguments;
        return new Promise(function(resolve, reject) {
            var gen = fn.apply(self, args);
            function _next(value) {
                asyncGeneratorStep(gen, resolve, reject, _next, _throw, "next", value);
            }
            function _throw(err) {
                asyncGeneratorStep(gen, resolve, reject, _next, _throw, "throw", err);
            }
            _next(undefined);
        });
    };
}
function _call_super(_this, derived, args) {
    derived = _get_prototype_of(derived);
    return _possible_constructor_return(_this, _is_native_reflect_construct() ? Reflect.construct(derived, args || [], _get_prototype_of(_this).constructor) : derived.apply(_this, args));
}
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
function _class_call_check(instance, Constructor) {
    if (!(instance instanceof Constructor)) throw new TypeError("Cannot call a class as a function");
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
function _defineProperties(target, props) {
    for(var i = 0; i < props.length; i++){
        var descriptor = props[i];
        descriptor.enumerable = descriptor.enumerable || false;
        descriptor.configurable = true;
        if ("value" in descriptor) descriptor.writable = true;
        Object.defineProperty(target, descriptor.key, descriptor);
    }
}
function _create_class(Constructor, protoProps, staticProps) {
    if (protoProps) _defineProperties(Constructor.prototype, protoProps);
    if (staticProps) _defineProperties(Constructor, staticProps);
    return Constructor;
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
function _get(target, property, receiver) {
    if (typeof Reflect !== "undefined" && Reflect.get) _get = Reflect.get;
    else {
        _get = function get(target, property, receiver) {
            var base = _super_prop_base(target, property);
            if (!base) return;
            var desc = Object.getOwnPropertyDescriptor(base, property);
            if (desc.get) return desc.get.call(receiver || target);
            return desc.value;
        };
    }
    return _get(target, property, receiver || target);
}
function _get_prototype_of(o) {
    _get_prototype_of = Object.setPrototypeOf ? Object.getPrototypeOf : function getPrototypeOf(o) {
        return o.__proto__ || Object.getPrototypeOf(o);
    };
    return _get_prototype_of(o);
}
function _inherits(subClass, superClass) {
    if (typeof superClass !== "function" && superClass !== null) {
        throw new TypeError("Super expression must either be null or a function");
    }
    subClass.prototype = Object.create(superClass && superClass.prototype, {
        constructor: {
            value: subClass,
            writable: true,
            configurable: true
        }
    });
    if (superClass) _set_prototype_of(subClass, superClass);
}
function _instanceof(left, right) {
    "@swc/helpers - instanceof";
    if (right != null && typeof Symbol !== "undefined" && right[Symbol.hasInstance]) {
        return !!right[Symbol.hasInstance](left);
    } else return left instanceof right;
}
function _is_native_reflect_construct() {
    try {
        var result = !Boolean.prototype.valueOf.call(Reflect.construct(Boolean, [], function() {}));
    } catch (_) {}
    return (_is_native_reflect_construct = function() {
        return !!result;
    })();
}
function _iterable_to_array(iter) {
    if (typeof Symbol !== "undefined" && iter[Symbol.iterator] != null || iter["@@iterator"] != null) {
        return Array.from(iter);
    }
}
function _non_iterable_spread() {
    throw new TypeError("Invalid attempt to spread non-iterable instance.\nIn order to be iterable, non-array objects must have a [Symbol.iterator]() method.");
}
function _object_spread(target) {
    for(var i = 1; i < arguments.length; i++){
        var source = arguments[i] != null ? arguments[i] : {};
        var ownKeys = Object.keys(source);
        if (typeof Object.getOwnPropertySymbols === "function") {
            ownKeys = ownKeys.concat(Object.getOwnPropertySymbols(source).filter(function(sym) {
                return Object.getOwnPropertyDescriptor(source, sym).enumerable;
            }));
        }
        ownKeys.forEach(function(key) {
            _define_property(target, key, source[key]);
        });
    }
    return target;
}
function _possible_constructor_return(self, call) {
    if (call && (_type_of(call) === "object" || typeof call === "function")) return call;
    return _assert_this_initialized(self);
}
function _set_prototype_of(o, p) {
    _set_prototype_of = Object.setPrototypeOf || function setPrototypeOf(o, p) {
        o.__proto__ = p;
        return o;
    };
    return _set_prototype_of(o, p);
}
function _super_prop_base(object, property) {
    while(!Object.prototype.hasOwnProperty.call(object, property)){
        object = _get_prototype_of(object);
        if (object === null) break;
    }
    return object;
}
function _to_consumable_array(arr) {
    return _array_without_holes(arr) || _iterable_to_array(arr) || _unsupported_iterable_to_array(arr) || _non_iterable_spread();
}
function _ts_generator(thisArg, body) {
    var f, y, t, _ = {
        label: 0,
        sent: function() {
            if (t[0] & 1) throw t[1];
            return t[1];
        },
        trys: [],
        ops: []
    }, g = Object.create((typeof Iterator === "function" ? Iterator : Object).prototype), d = Object.defineProperty;
    return d(g, "next", {
        value: verb(0)
    }), d(g, "throw", {
        value: verb(1)
    }), d(g, "return", {
        value: verb(2)
    }), typeof Symbol === "function" && d(g, Symbol.iterator, {
        value: function() {
            return this;
        }
    }), g;
    function verb(n) {
        return function(v) {
            return step([
                n,
                v
            ]);
        };
    }
    function step(op) {
        if (f) throw new TypeError("Generator is already executing.");
        while(g && (g = 0, op[0] && (_ = 0)), _)try {
            if (f = 1, y && (t = op[0] & 2 ? y["return"] : op[0] ? y["throw"] || ((t = y["return"]) && t.call(y), 0) : y.next) && !(t = t.call(y, op[1])).done) return t;
            if (y = 0, t) op = [
                op[0] & 2,
                t.value
            ];
            switch(op[0]){
                case 0:
                case 1:
                    t = op;
                    break;
                case 4:
                    _.label++;
                    return {
                        value: op[1],
                        done: false
                    };
                case 5:
                    _.label++;
                    y = op[1];
                    op = [
                        0
                    ];
                    continue;
                case 7:
                    op = _.ops.pop();
                    _.trys.pop();
                    continue;
                default:
                    if (!(t = _.trys, t = t.length > 0 && t[t.length - 1]) && (op[0] === 6 || op[0] === 2)) {
                        _ = 0;
                        continue;
                    }
                    if (op[0] === 3 && (!t || op[1] > t[0] && op[1] < t[3])) {
                        _.label = op[1];
                        break;
                    }
                    if (op[0] === 6 && _.label < t[1]) {
                        _.label = t[1];
                        t = op;
                        break;
                    }
                    if (t && _.label < t[2]) {
                        _.label = t[2];
                        _.ops.push(op);
                        break;
                    }
                    if (t[2]) _.ops.pop();
                    _.trys.pop();
                    continue;
            }
            op = body.call(thisArg, _);
        } catch (e) {
            op = [
                6,
                e
            ];
            y = 0;
        } finally{
            f = t = 0;
        }
        if (op[0] & 5) throw op[1];
        return {
            value: op[0] ? op[1] : void 0,
            done: true
        };
    }
}
function _type_of(obj) {
    "@swc/helpers - typeof";
    return obj && typeof Symbol !== "undefined" && obj.constructor === Symbol ? "symbol" : typeof obj;
}
function _unsupported_iterable_to_array(o, minLen) {
    if (!o) return;
    if (typeof o === "string") return _array_like_to_array(o, minLen);
    var n = Object.prototype.toString.call(o).slice(8, -1);
    if (n === "Object" && o.constructor) n = o.constructor.name;
    if (n === "Map" || n === "Set") return Array.from(o);
    if (n === "Arguments" || /^(?:Ui|I)nt(?:8|16|32)(?:Clamped)?Array$/.test(n)) return _array_like_to_array(o, minLen);
}
var _computedKey, _computedKey1;
var registry = [];
var made = 0;
var _count = /*#__PURE__*/ new WeakMap(), _step = /*#__PURE__*/ new WeakSet(), _shown = /*#__PURE__*/ new WeakMap();
var Counter = /*#__PURE__*/ function() {
    "use strict";
    function Counter(label) {
        var start = arguments.length > 1 && arguments[1] !== void 0 ? arguments[1] : 0;
        _class_call_check(this, Counter);
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
    _create_class(Counter, [
        {
            key: "up",
            value: function up() {
                var by = arguments.length > 0 && arguments[0] !== void 0 ? arguments[0] : 1;
                _class_private_method_get(this, _step, step).call(this, by);
                return _class_private_field_get(this, _shown);
            }
        }
    ], [
        {
            key: "of",
            value: function of(value) {
                return _count.has(value);
            }
        }
    ]);
    return Counter;
}();
function step(by) {
    return _class_private_field_set(this, _count, _class_private_field_get(this, _count) + by);
}
function get_shown() {
    return "".concat(this.label, ":").concat(_class_private_field_get(this, _count));
}
var _extra = /*#__PURE__*/ new WeakMap();
var Fine = /*#__PURE__*/ function(Counter) {
    "use strict";
    _inherits(Fine, Counter);
    function Fine() {
        _class_call_check(this, Fine);
        var _this;
        _this = _call_super(this, Fine, arguments), _class_private_field_init(_this, _extra, {
            writable: true,
            value: [
                1,
                2
            ]
        });
        return _this;
    }
    _create_class(Fine, [
        {
            key: "total",
            value: function total() {
                _class_private_field_get(this, _extra).push(3);
                return "".concat(this.up(), " ").concat(_class_private_field_get(this, _extra).join());
            }
        }
    ]);
    return Fine;
}(Counter);
var ____private_value_1 = /*#__PURE__*/ new WeakMap();
var Cell = /*#__PURE__*/ function() {
    "use strict";
    function Cell() {
        _class_call_check(this, Cell);
        _class_private_field_init(this, ____private_value_1, {
            writable: true,
            value: 1
        });
    }
    _create_class(Cell, [
        {
            key: "value",
            get: function get() {
                return _class_private_field_get(this, ____private_value_1);
            },
            set: function set(_v) {
                _class_private_field_set(this, ____private_value_1, _v);
            }
        },
        {
            key: "double",
            value: function double() {
                this.value *= 2;
                return this.value;
            }
        }
    ], [
        {
            key: "shared",
            get: function get() {
                return _class_static_private_field_spec_get(Cell, Cell, ____private_shared_2);
            },
            set: function set(_v) {
                _class_static_private_field_spec_set(Cell, Cell, ____private_shared_2, _v);
            }
        }
    ]);
    return Cell;
}();
var ____private_shared_2 = {
    writable: true,
    value: 5
};
_computedKey = (registry.push('name of a static field'), 'field'), _computedKey1 = (registry.push('name of a method'), 'method');
var _computedKey2 = _computedKey1;
var Blocks = /*#__PURE__*/ function() {
    "use strict";
    function Blocks() {
        _class_call_check(this, Blocks);
    }
    _create_class(Blocks, [
        {
            key: _computedKey2,
            value: function value() {
                return Blocks.number;
            }
        }
    ], [
        {
            key: "hide",
            value: function hide() {
                return _class_static_private_field_spec_get(Blocks, Blocks, _hidden);
            }
        }
    ]);
    return Blocks;
}();
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
    return /*#__PURE__*/ function(Base) {
        "use strict";
        _inherits(_class, Base);
        function _class() {
            _class_call_check(this, _class);
            var _this;
            _this = _call_super(this, _class, arguments), _define_property(_this, "mixed", true);
            return _this;
        }
        return _class;
    }(Base);
}
var Mixed = /*#__PURE__*/ function(_mixin) {
    "use strict";
    _inherits(Mixed, _mixin);
    function Mixed() {
        _class_call_check(this, Mixed);
        return _call_super(this, Mixed, arguments);
    }
    return Mixed;
}(mixin(Counter));
var Point = /*#__PURE__*/ function() {
    "use strict";
    function Point(x, y) {
        _class_call_check(this, Point);
        _define_property(this, "x", void 0);
        _define_property(this, "y", void 0);
        this.x = x;
        this.y = y;
    }
    _create_class(Point, [
        {
            key: "size",
            value: function size() {
                return this.x + this.y;
            }
        }
    ]);
    return Point;
}();
var Place = /*#__PURE__*/ function(Point) {
    "use strict";
    _inherits(Place, Point);
    function Place() {
        _class_call_check(this, Place);
        var _this;
        _this = _call_super(this, Place, arguments), _define_property(_this, "name", 'place');
        return _this;
    }
    _create_class(Place, [
        {
            key: "size",
            value: function size() {
                return _get(_get_prototype_of(Place.prototype), "size", this).call(this) * 2;
            }
        }
    ]);
    return Place;
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
/** What a function gives here, then what it gives in a worker. */ function both(title, fn) {
    for(var _len = arguments.length, args = new Array(_len > 2 ? _len - 2 : 0), _key = 2; _key < _len; _key++){
        args[_key - 2] = arguments[_key];
    }
    return _async_to_generator(function() {
        var there, error;
        return _ts_generator(this, function(_state) {
            switch(_state.label){
                case 0:
                    _state.trys.push([
                        0,
                        2,
                        ,
                        3
                    ]);
                    return [
                        4,
                        pool.apply(fn, args)
                    ];
                case 1:
                    there = _state.sent();
                    return [
                        3,
                        3
                    ];
                case 2:
                    error = _state.sent();
                    there = String(error);
                    return [
                        3,
                        3
                    ];
                case 3:
                    results[title] = [
                        fn.apply(void 0, _to_consumable_array(args)),
                        there
                    ];
                    return [
                        2
                    ];
            }
        });
    })();
}
/** What becomes of something that a worker returns. */ function back(title, fn, look) {
    return _async_to_generator(function() {
        var there, error;
        return _ts_generator(this, function(_state) {
            switch(_state.label){
                case 0:
                    _state.trys.push([
                        0,
                        2,
                        ,
                        3
                    ]);
                    return [
                        4,
                        pool.apply(fn)
                    ];
                case 1:
                    there = look.apply(void 0, [
                        _state.sent()
                    ]);
                    return [
                        3,
                        3
                    ];
                case 2:
                    error = _state.sent();
                    there = String(error);
                    return [
                        3,
                        3
                    ];
                case 3:
                    results[title] = [
                        look(fn()),
                        there
                    ];
                    return [
                        2
                    ];
            }
        });
    })();
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
    return _async_to_generator(function() {
        return _ts_generator(this, function(_state) {
            switch(_state.label){
                case 0:
                    return [
                        4,
                        both('an instance that a worker makes', function() {
                            return new Counter('a', 1).up(2);
                        })
                    ];
                case 1:
                    _state.sent();
                    return [
                        4,
                        both('an instance that is captured', function() {
                            return Counter.of(used) && structuredClone(_object_spread({}, used));
                        })
                    ];
                case 2:
                    _state.sent();
                    return [
                        4,
                        both('an instance that is sent', function(it) {
                            return [
                                _instanceof(it, Counter),
                                Counter.of(it),
                                it !== used
                            ];
                        }, new Counter('b', 5))
                    ];
                case 3:
                    _state.sent();
                    return [
                        4,
                        both('the state of an instance', function(it) {
                            return it.up(0);
                        }, used)
                    ];
                case 4:
                    _state.sent();
                    return [
                        4,
                        both('the state of an instance of a subclass', function(it) {
                            return [
                                it.up(0),
                                _instanceof(it, Counter)
                            ];
                        }, fine)
                    ];
                case 5:
                    _state.sent();
                    return [
                        4,
                        both('two instances that differ', function() {
                            for(var _len = arguments.length, them = new Array(_len), _key = 0; _key < _len; _key++){
                                them[_key] = arguments[_key];
                            }
                            return them.map(function(it) {
                                return it.up(0);
                            });
                        }, new Counter('x', 1), new Counter('y', 2))
                    ];
                case 6:
                    _state.sent();
                    return [
                        4,
                        both('an accessor', function(it) {
                            return it.value;
                        }, cell)
                    ];
                case 7:
                    _state.sent();
                    return [
                        4,
                        both('a static accessor', function() {
                            return Cell.shared;
                        })
                    ];
                case 8:
                    _state.sent();
                    return [
                        4,
                        both('the state of an instance of an imported class', function(it) {
                            return [
                                _shared.Shared.owns(it),
                                _instanceof(it, _shared.Shared)
                            ];
                        }, shared)
                    ];
                case 9:
                    _state.sent();
                    return [
                        4,
                        back('an instance that comes back', function() {
                            return new Counter('c', 7);
                        }, function(it) {
                            return [
                                it.up(),
                                Counter.of(it),
                                _instanceof(it, Counter)
                            ];
                        })
                    ];
                case 10:
                    _state.sent();
                    return [
                        4,
                        back('an instance of a subclass that comes back', function() {
                            return new Fine('d', 7);
                        }, function(it) {
                            return [
                                it.total(),
                                _instanceof(it, Fine)
                            ];
                        })
                    ];
                case 11:
                    _state.sent();
                    return [
                        4,
                        back('an accessor that comes back', function() {
                            return new Cell();
                        }, function(it) {
                            return it.double();
                        })
                    ];
                case 12:
                    _state.sent();
                    return [
                        4,
                        back('an imported class', function() {
                            return new _shared.Shared(4);
                        }, function(it) {
                            return [
                                it.add(),
                                _shared.Shared.owns(it)
                            ];
                        })
                    ];
                case 13:
                    _state.sent();
                    return [
                        4,
                        back('an imported subclass', function() {
                            return new _shared.SharedChild(4);
                        }, function(it) {
                            return [
                                it.tell(),
                                _instanceof(it, _shared.Shared)
                            ];
                        })
                    ];
                case 14:
                    _state.sent();
                    return [
                        4,
                        both('the state of an imported one', function(it) {
                            return it.add() - it.step * 2;
                        }, shared)
                    ];
                case 15:
                    _state.sent();
                    return [
                        4,
                        both('a child of an imported one', function(it) {
                            return it.tell().split(' ')[0];
                        }, child)
                    ];
                case 16:
                    _state.sent();
                    return [
                        4,
                        both('static blocks', function() {
                            return [
                                new Blocks().method() > 0,
                                registry.length,
                                Blocks.names.length,
                                made
                            ];
                        })
                    ];
                case 17:
                    _state.sent();
                    return [
                        4,
                        both('static fields', function() {
                            return [
                                Blocks.number,
                                Blocks.field,
                                Blocks.hide()
                            ];
                        })
                    ];
                case 18:
                    _state.sent();
                    return [
                        4,
                        both('a mixin', function() {
                            return [
                                new Mixed('m', 1).up(),
                                new Mixed('n').mixed,
                                registry.length
                            ];
                        })
                    ];
                case 19:
                    _state.sent();
                    return [
                        4,
                        both('a constructor function', function() {
                            return [
                                _instanceof(new Point(1, 2), Point),
                                _instanceof(new Place(1, 2), Point),
                                new Place(1, 2).size()
                            ];
                        })
                    ];
                case 20:
                    _state.sent();
                    return [
                        4,
                        both('an instance of one, sent', function(it) {
                            return [
                                _instanceof(it, Place),
                                _instanceof(it, Point),
                                it.size(),
                                it.name
                            ];
                        }, new Place(2, 3))
                    ];
                case 21:
                    _state.sent();
                    return [
                        4,
                        back('an instance of one, back', function() {
                            return new Place(2, 3);
                        }, function(it) {
                            return [
                                _instanceof(it, Place),
                                _instanceof(it, Point),
                                it.constructor === Place,
                                it.size()
                            ];
                        })
                    ];
                case 22:
                    _state.sent();
                    return [
                        4,
                        back('an instance of a base, back', function() {
                            return new Point(2, 3);
                        }, function(it) {
                            return [
                                _instanceof(it, Point),
                                it.constructor === Point,
                                it.size()
                            ];
                        })
                    ];
                case 23:
                    _state.sent();
                    return [
                        4,
                        both('a cache', function() {
                            return lengthOf([
                                1,
                                2,
                                3
                            ]);
                        })
                    ];
                case 24:
                    _state.sent();
                    console.log(JSON.stringify(results));
                    return [
                        4,
                        pool.terminate()
                    ];
                case 25:
                    _state.sent();
                    return [
                        2
                    ];
            }
        });
    })();
}
void main();
