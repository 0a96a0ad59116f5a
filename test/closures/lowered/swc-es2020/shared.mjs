// swc 1.16.22, target es2020
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
function _class_apply_descriptor_update(receiver, descriptor) {
    if (descriptor.set) {
        if (!descriptor.get) throw new TypeError("attempted to read set only private field");
        if (!("__destrWrapper" in descriptor)) {
            descriptor.__destrWrapper = {
                set value (v){
                    descriptor.set.call(receiver, v);
                },
                get value () {
                    return descriptor.get.call(receiver);
                }
            };
        }
        return descriptor.__destrWrapper;
    } else {
        if (!descriptor.writable) {
            throw new TypeError("attempted to set read only private field");
        }
        return descriptor;
    }
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
function _class_static_private_field_update(receiver, classConstructor, descriptor) {
    _class_check_private_static_access(receiver, classConstructor);
    _class_check_private_static_field_descriptor(descriptor, "update");
    return _class_apply_descriptor_update(receiver, descriptor);
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
var _total = /*#__PURE__*/ new WeakMap(), _grow = /*#__PURE__*/ new WeakSet(), _twice = /*#__PURE__*/ new WeakMap();
// @ts-nocheck: compiled by other means
// Imported by main.ts, so its exports go by reference.
export class Shared {
    add() {
        _class_private_method_get(this, _grow, grow).call(this);
        return _class_private_field_get(this, _twice);
    }
    static owns(value) {
        return _total.has(value);
    }
    constructor(step){
        _class_private_method_init(this, _grow);
        _class_private_field_init(this, _twice, {
            get: get_twice,
            set: void 0
        });
        _define_property(this, "step", void 0);
        _class_private_field_init(this, _total, {
            writable: true,
            value: void 0
        });
        this.step = step;
        _class_private_field_set(this, _total, 10);
        _class_static_private_field_update(Shared, Shared, _made).value++;
    }
}
var _made = {
    writable: true,
    value: 0
};
function grow() {
    _class_private_field_set(this, _total, _class_private_field_get(this, _total) + this.step);
}
function get_twice() {
    return _class_private_field_get(this, _total) * 2;
}
var _own = /*#__PURE__*/ new WeakMap();
export class SharedChild extends Shared {
    tell() {
        return `${_class_private_field_get(this, _own)} ${this.add()}`;
    }
    constructor(...args){
        super(...args), _class_private_field_init(this, _own, {
            writable: true,
            value: 'own'
        });
    }
}
const caches = new WeakMap();
export function measured(value) {
    if (!caches.has(value)) caches.set(value, Object.keys(value).length);
    return caches.get(value);
}
