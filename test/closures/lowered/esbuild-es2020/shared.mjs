// esbuild 0.28.2 --keep-names --target=es2020
var __defProp = Object.defineProperty;
var __typeError = (msg) => {
  throw TypeError(msg);
};
var __defNormalProp = (obj, key, value) => key in obj ? __defProp(obj, key, { enumerable: true, configurable: true, writable: true, value }) : obj[key] = value;
var __name = (target, value) => __defProp(target, "name", { value, configurable: true });
var __publicField = (obj, key, value) => __defNormalProp(obj, typeof key !== "symbol" ? key + "" : key, value);
var __accessCheck = (obj, member, msg) => member.has(obj) || __typeError("Cannot " + msg);
var __privateIn = (member, obj) => Object(obj) !== obj ? __typeError('Cannot use the "in" operator on this value') : member.has(obj);
var __privateGet = (obj, member, getter) => (__accessCheck(obj, member, "read from private field"), getter ? getter.call(obj) : member.get(obj));
var __privateAdd = (obj, member, value) => member.has(obj) ? __typeError("Cannot add the same private member more than once") : member instanceof WeakSet ? member.add(obj) : member.set(obj, value);
var __privateSet = (obj, member, value, setter) => (__accessCheck(obj, member, "write to private field"), setter ? setter.call(obj, value) : member.set(obj, value), value);
var __privateMethod = (obj, member, method) => (__accessCheck(obj, member, "access private method"), method);
var __privateWrapper = (obj, member, setter, getter) => ({
  set _(value) {
    __privateSet(obj, member, value, setter);
  },
  get _() {
    return __privateGet(obj, member, getter);
  }
});
var _total, _made, _Shared_instances, grow_fn, twice_get, _own;
const _Shared = class _Shared {
  constructor(step) {
    __publicField(this, "step", step);
    __privateAdd(this, _Shared_instances);
    __privateAdd(this, _total, 10);
    __privateWrapper(_Shared, _made)._++;
  }
  add() {
    __privateMethod(this, _Shared_instances, grow_fn).call(this);
    return __privateGet(this, _Shared_instances, twice_get);
  }
  static owns(value) {
    return __privateIn(_total, value);
  }
};
_total = new WeakMap();
_made = new WeakMap();
_Shared_instances = new WeakSet();
grow_fn = /* @__PURE__ */ __name(function() {
  __privateSet(this, _total, __privateGet(this, _total) + this.step);
}, "#grow");
twice_get = /* @__PURE__ */ __name(function() {
  return __privateGet(this, _total) * 2;
}, "#twice");
__name(_Shared, "Shared");
__privateAdd(_Shared, _made, 0);
export let Shared = _Shared;
const _SharedChild = class _SharedChild extends Shared {
  constructor() {
    super(...arguments);
    __privateAdd(this, _own, "own");
  }
  tell() {
    return `${__privateGet(this, _own)} ${this.add()}`;
  }
};
_own = new WeakMap();
__name(_SharedChild, "SharedChild");
export let SharedChild = _SharedChild;
const caches = /* @__PURE__ */ new WeakMap();
export function measured(value) {
  if (!caches.has(value)) caches.set(value, Object.keys(value).length);
  return caches.get(value);
}
__name(measured, "measured");
