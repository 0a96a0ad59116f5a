// tsc 5.9.3 --target es5 --module commonjs
"use strict";
var __runInitializers = (this && this.__runInitializers) || function (thisArg, initializers, value) {
    var useValue = arguments.length > 2;
    for (var i = 0; i < initializers.length; i++) {
        value = useValue ? initializers[i].call(thisArg, value) : initializers[i].call(thisArg);
    }
    return useValue ? value : void 0;
};
var __esDecorate = (this && this.__esDecorate) || function (ctor, descriptorIn, decorators, contextIn, initializers, extraInitializers) {
    function accept(f) { if (f !== void 0 && typeof f !== "function") throw new TypeError("Function expected"); return f; }
    var kind = contextIn.kind, key = kind === "getter" ? "get" : kind === "setter" ? "set" : "value";
    var target = !descriptorIn && ctor ? contextIn["static"] ? ctor : ctor.prototype : null;
    var descriptor = descriptorIn || (target ? Object.getOwnPropertyDescriptor(target, contextIn.name) : {});
    var _, done = false;
    for (var i = decorators.length - 1; i >= 0; i--) {
        var context = {};
        for (var p in contextIn) context[p] = p === "access" ? {} : contextIn[p];
        for (var p in contextIn.access) context.access[p] = contextIn.access[p];
        context.addInitializer = function (f) { if (done) throw new TypeError("Cannot add initializers after decoration has completed"); extraInitializers.push(accept(f || null)); };
        var result = (0, decorators[i])(kind === "accessor" ? { get: descriptor.get, set: descriptor.set } : descriptor[key], context);
        if (kind === "accessor") {
            if (result === void 0) continue;
            if (result === null || typeof result !== "object") throw new TypeError("Object expected");
            if (_ = accept(result.get)) descriptor.get = _;
            if (_ = accept(result.set)) descriptor.set = _;
            if (_ = accept(result.init)) initializers.unshift(_);
        }
        else if (_ = accept(result)) {
            if (kind === "field") initializers.unshift(_);
            else descriptor[key] = _;
        }
    }
    if (target) Object.defineProperty(target, contextIn.name, descriptor);
    done = true;
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
var __setFunctionName = (this && this.__setFunctionName) || function (f, name, prefix) {
    if (typeof name === "symbol") name = name.description ? "[".concat(name.description, "]") : "";
    return Object.defineProperty(f, "name", { configurable: true, value: prefix ? "".concat(prefix, " ", name) : name });
};
Object.defineProperty(exports, "__esModule", { value: true });
// @ts-nocheck: compiled by other means
// Standard decorators, compiled by several tools (compile.mjs). What each function gives here and in a worker is printed.
var multiprocess_1 = require("multiprocess");
var calls = [];
function logged(method, context) {
    calls.push("method ".concat(String(context.name)));
    context.addInitializer(function () { return void calls.push('initializer'); });
    return function () {
        var args = [];
        for (var _i = 0; _i < arguments.length; _i++) {
            args[_i] = arguments[_i];
        }
        return ['logged', method.apply(this, args)];
    };
}
function registered(_type, context) {
    calls.push("class ".concat(String(context.name)));
}
function tripled(_value, context) {
    calls.push("field ".concat(String(context.name)));
    return function (initial) { return initial * 3; };
}
var Service = function () {
    var _classDecorators = [registered];
    var _classDescriptor;
    var _classExtraInitializers = [];
    var _classThis;
    var _staticExtraInitializers = [];
    var _instanceExtraInitializers = [];
    var _static_describe_decorators;
    var _weight_decorators;
    var _weight_initializers = [];
    var _weight_extraInitializers = [];
    var _run_decorators;
    var Service = _classThis = /** @class */ (function () {
        function Service_1() {
            this.weight = (__runInitializers(this, _instanceExtraInitializers), __runInitializers(this, _weight_initializers, 2));
            __runInitializers(this, _weight_extraInitializers);
        }
        Service_1.prototype.run = function (by) {
            return this.weight * by;
        };
        Service_1.describe = function () {
            return 'service';
        };
        return Service_1;
    }());
    __setFunctionName(_classThis, "Service");
    (function () {
        var _metadata = typeof Symbol === "function" && Symbol.metadata ? Object.create(null) : void 0;
        _weight_decorators = [tripled];
        _run_decorators = [logged];
        _static_describe_decorators = [logged];
        __esDecorate(_classThis, null, _static_describe_decorators, { kind: "method", name: "describe", static: true, private: false, access: { has: function (obj) { return "describe" in obj; }, get: function (obj) { return obj.describe; } }, metadata: _metadata }, null, _staticExtraInitializers);
        __esDecorate(_classThis, null, _run_decorators, { kind: "method", name: "run", static: false, private: false, access: { has: function (obj) { return "run" in obj; }, get: function (obj) { return obj.run; } }, metadata: _metadata }, null, _instanceExtraInitializers);
        __esDecorate(null, null, _weight_decorators, { kind: "field", name: "weight", static: false, private: false, access: { has: function (obj) { return "weight" in obj; }, get: function (obj) { return obj.weight; }, set: function (obj, value) { obj.weight = value; } }, metadata: _metadata }, _weight_initializers, _weight_extraInitializers);
        __esDecorate(null, _classDescriptor = { value: _classThis }, _classDecorators, { kind: "class", name: _classThis.name, metadata: _metadata }, null, _classExtraInitializers);
        Service = _classThis = _classDescriptor.value;
        if (_metadata) Object.defineProperty(_classThis, Symbol.metadata, { enumerable: true, configurable: true, writable: true, value: _metadata });
    })();
    _classThis.made = (__runInitializers(_classThis, _staticExtraInitializers), calls.length);
    (function () {
        __runInitializers(_classThis, _classExtraInitializers);
    })();
    return Service = _classThis;
}();
var pool = new multiprocess_1.Pool({ processes: 1 });
var results = {};
function both(title, fn) {
    var args = [];
    for (var _i = 2; _i < arguments.length; _i++) {
        args[_i - 2] = arguments[_i];
    }
    return __awaiter(this, void 0, Promise, function () {
        var there, error_1;
        return __generator(this, function (_a) {
            switch (_a.label) {
                case 0:
                    _a.trys.push([0, 2, , 3]);
                    return [4 /*yield*/, pool.apply(fn, args)];
                case 1:
                    there = _a.sent();
                    return [3 /*break*/, 3];
                case 2:
                    error_1 = _a.sent();
                    there = String(error_1);
                    return [3 /*break*/, 3];
                case 3:
                    results[title] = [fn.apply(void 0, args), there];
                    return [2 /*return*/];
            }
        });
    });
}
function main() {
    return __awaiter(this, void 0, Promise, function () {
        return __generator(this, function (_a) {
            switch (_a.label) {
                case 0: return [4 /*yield*/, both('decorators run once', function () { return [Service.made, calls.length]; })];
                case 1:
                    _a.sent();
                    return [4 /*yield*/, both('a decorated class', function () { return [new Service().run(5), Service.describe()]; })];
                case 2:
                    _a.sent();
                    return [4 /*yield*/, both('an instance', function (it) { return [it.run(2), it instanceof Service]; }, new Service())];
                case 3:
                    _a.sent();
                    console.log(JSON.stringify(results));
                    return [4 /*yield*/, pool.terminate()];
                case 4:
                    _a.sent();
                    return [2 /*return*/];
            }
        });
    });
}
void main();
