// tsc 5.9.3 --target es2021
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
var __setFunctionName = (this && this.__setFunctionName) || function (f, name, prefix) {
    if (typeof name === "symbol") name = name.description ? "[".concat(name.description, "]") : "";
    return Object.defineProperty(f, "name", { configurable: true, value: prefix ? "".concat(prefix, " ", name) : name });
};
// @ts-nocheck: compiled by other means
// Standard decorators, compiled by several tools (compile.mjs). What each function gives here and in a worker is printed.
import { Pool } from 'multiprocess';
const calls = [];
function logged(method, context) {
    calls.push(`method ${String(context.name)}`);
    context.addInitializer(() => void calls.push('initializer'));
    return function (...args) {
        return ['logged', method.apply(this, args)];
    };
}
function registered(_type, context) {
    calls.push(`class ${String(context.name)}`);
}
function tripled(_value, context) {
    calls.push(`field ${String(context.name)}`);
    return (initial) => initial * 3;
}
let Service = (() => {
    let _classDecorators = [registered];
    let _classDescriptor;
    let _classExtraInitializers = [];
    let _classThis;
    let _staticExtraInitializers = [];
    let _instanceExtraInitializers = [];
    let _static_describe_decorators;
    let _weight_decorators;
    let _weight_initializers = [];
    let _weight_extraInitializers = [];
    let _run_decorators;
    var Service = _classThis = class {
        run(by) {
            return this.weight * by;
        }
        static describe() {
            return 'service';
        }
        constructor() {
            this.weight = (__runInitializers(this, _instanceExtraInitializers), __runInitializers(this, _weight_initializers, 2));
            __runInitializers(this, _weight_extraInitializers);
        }
    };
    __setFunctionName(_classThis, "Service");
    (() => {
        const _metadata = typeof Symbol === "function" && Symbol.metadata ? Object.create(null) : void 0;
        _weight_decorators = [tripled];
        _run_decorators = [logged];
        _static_describe_decorators = [logged];
        __esDecorate(_classThis, null, _static_describe_decorators, { kind: "method", name: "describe", static: true, private: false, access: { has: obj => "describe" in obj, get: obj => obj.describe }, metadata: _metadata }, null, _staticExtraInitializers);
        __esDecorate(_classThis, null, _run_decorators, { kind: "method", name: "run", static: false, private: false, access: { has: obj => "run" in obj, get: obj => obj.run }, metadata: _metadata }, null, _instanceExtraInitializers);
        __esDecorate(null, null, _weight_decorators, { kind: "field", name: "weight", static: false, private: false, access: { has: obj => "weight" in obj, get: obj => obj.weight, set: (obj, value) => { obj.weight = value; } }, metadata: _metadata }, _weight_initializers, _weight_extraInitializers);
        __esDecorate(null, _classDescriptor = { value: _classThis }, _classDecorators, { kind: "class", name: _classThis.name, metadata: _metadata }, null, _classExtraInitializers);
        Service = _classThis = _classDescriptor.value;
        if (_metadata) Object.defineProperty(_classThis, Symbol.metadata, { enumerable: true, configurable: true, writable: true, value: _metadata });
    })();
    _classThis.made = (__runInitializers(_classThis, _staticExtraInitializers), calls.length);
    (() => {
        __runInitializers(_classThis, _classExtraInitializers);
    })();
    return Service = _classThis;
})();
const pool = new Pool({ processes: 1 });
const results = {};
async function both(title, fn, ...args) {
    let there;
    try {
        there = await pool.apply(fn, args);
    }
    catch (error) {
        there = String(error);
    }
    results[title] = [fn(...args), there];
}
async function main() {
    await both('decorators run once', () => [Service.made, calls.length]);
    await both('a decorated class', () => [new Service().run(5), Service.describe()]);
    await both('an instance', (it) => [it.run(2), it instanceof Service], new Service());
    console.log(JSON.stringify(results));
    await pool.terminate();
}
void main();
