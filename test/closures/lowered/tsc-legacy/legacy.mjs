// tsc 5.9.3 --target es2021 --experimentalDecorators
var __decorate = (this && this.__decorate) || function (decorators, target, key, desc) {
    var c = arguments.length, r = c < 3 ? target : desc === null ? desc = Object.getOwnPropertyDescriptor(target, key) : desc, d;
    if (typeof Reflect === "object" && typeof Reflect.decorate === "function") r = Reflect.decorate(decorators, target, key, desc);
    else for (var i = decorators.length - 1; i >= 0; i--) if (d = decorators[i]) r = (c < 3 ? d(r) : c > 3 ? d(target, key, r) : d(target, key)) || r;
    return c > 3 && r && Object.defineProperty(target, key, r), r;
};
// @ts-nocheck: compiled by other means
// Legacy decorators ("experimentalDecorators"), compiled by several tools (compile.mjs).
import { Pool } from 'multiprocess';
const calls = [];
function logged(_target, key, descriptor) {
    calls.push(`method ${key}`);
    const method = descriptor.value;
    descriptor.value = function (...args) {
        return ['logged', method.apply(this, args)];
    };
}
function registered(type) {
    calls.push(`class ${type.name}`);
}
let Service = class Service {
    constructor() {
        this.weight = 6;
    }
    run(by) {
        return this.weight * by;
    }
    static describe() {
        return 'service';
    }
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
