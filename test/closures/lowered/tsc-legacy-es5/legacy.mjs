// tsc 5.9.3 --target es5 --experimentalDecorators
var __decorate = (this && this.__decorate) || function (decorators, target, key, desc) {
    var c = arguments.length, r = c < 3 ? target : desc === null ? desc = Object.getOwnPropertyDescriptor(target, key) : desc, d;
    if (typeof Reflect === "object" && typeof Reflect.decorate === "function") r = Reflect.decorate(decorators, target, key, desc);
    else for (var i = decorators.length - 1; i >= 0; i--) if (d = decorators[i]) r = (c < 3 ? d(r) : c > 3 ? d(target, key, r) : d(target, key)) || r;
    return c > 3 && r && Object.defineProperty(target, key, r), r;
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
// @ts-nocheck: compiled by other means
// Legacy decorators ("experimentalDecorators"), compiled by several tools (compile.mjs).
import { Pool } from 'multiprocess';
var calls = [];
function logged(_target, key, descriptor) {
    calls.push("method ".concat(key));
    var method = descriptor.value;
    descriptor.value = function () {
        var args = [];
        for (var _i = 0; _i < arguments.length; _i++) {
            args[_i] = arguments[_i];
        }
        return ['logged', method.apply(this, args)];
    };
}
function registered(type) {
    calls.push("class ".concat(type.name));
}
var Service = /** @class */ (function () {
    function Service() {
        this.weight = 6;
    }
    Service.prototype.run = function (by) {
        return this.weight * by;
    };
    Service.describe = function () {
        return 'service';
    };
    Service.made = calls.length;
    __decorate([
        logged
    ], Service.prototype, "run", null);
    __decorate([
        logged
    ], Service, "describe", null);
    Service = __decorate([
        registered
    ], Service);
    return Service;
}());
var pool = new Pool({ processes: 1 });
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
