/** The kinds beside functions and classes: references by name, bound functions and proxies. */

import { followGlobalPath, type GlobalPath } from '../codec/globals.js';
import { isWeak, noteVariable } from '../codec/kinds/weak.js';
import type { NodeKind } from '../codec/node.js';
import { exportOf } from '../modules/load-modules.js';
import { missingExport } from '../modules/messages.js';
import type { ModuleData } from '../modules/module-request.js';
import { mirror } from './inspect/inspector.js';
import { badPayload } from './messages.js';
import { overlay } from './references/namespace-overlay.js';

/**
 * A value that every process has under a name: an intrinsic or a platform global. Data: its path.
 */
export const globalKind: NodeKind = {
  tag: 'global',
  shell: false,
  build(data) {
    if (!Array.isArray(data) || typeof data[0] !== 'string') throw badPayload('a global without a name');
    const value = followGlobalPath(data as GlobalPath);
    if (value === undefined) throw missingExport('globalThis', data.join('.'));
    return { value };
  },
};

/**
 * An export of a module, or its namespace. Children: the members that replace those of the
 * namespace.
 */
export const moduleKind: NodeKind = {
  tag: 'module',
  shell: false,
  modules: (data) => [check(data)],
  build(data, children) {
    const { keys, ...reference } = check(data);
    const value = exportOf(reference);
    if (keys === undefined || keys.length === 0) return { value };
    if (!Array.isArray(keys) || typeof value !== 'object' || value === null)
      throw badPayload('members of what is no namespace');
    const object = overlay(value, keys, children);
    return {
      value: object,
      set: (index, child) => Reflect.set(object, keys[index]!, child),
    };
  },
};

function check(data: unknown): ModuleData {
  const { specifier, path } = (data ?? {}) as Partial<ModuleData>;
  if (typeof specifier !== 'string' || !Array.isArray(path)) throw badPayload('a module reference without a specifier');
  return data as ModuleData;
}

/**
 * A WeakMap or WeakSet of a module: a variable that a function uses which goes by reference. Data:
 * its name. Child: the function.
 */
export const variableKind: NodeKind = {
  tag: 'variable',
  shell: false,
  build(data, [fn]) {
    const name = String(data);
    const scopes = typeof fn === 'function' ? mirror(fn, `class ${fn.name}`).scopes : [];
    const value = scopes.find(({ object }) => Object.hasOwn(object, name))?.object[name];
    if (!isWeak(value)) throw badPayload(`a class has no WeakMap \`${name}\``);
    noteVariable(value, { fn: fn as Function, name });
    return { value };
  },
};

/** `target.bind(receiver, …args)`. Children in that order. */
export const boundKind: NodeKind = {
  tag: 'bound',
  shell: false,
  build(data, children, late) {
    if (late.length === 0)
      return { value: Reflect.apply(Function.prototype.bind, children[0] as Function, children.slice(1)) };
    // A cycle: the parts are looked up at each call instead.
    const parts = [...children];
    const call = function (this: unknown, ...rest: unknown[]): unknown {
      const [target, receiver, ...args] = parts as [Function, unknown, ...unknown[]];
      return new.target === undefined
        ? Reflect.apply(target, receiver, [...args, ...rest])
        : Reflect.construct(target, [...args, ...rest], new.target === call ? target : new.target);
    };
    Object.defineProperty(call, 'name', { value: String(data), configurable: true });
    return {
      value: call,
      set(index, child) {
        parts[index] = child;
      },
    };
  },
};

/** `new Proxy(target, handler)` around a function. */
export const proxyKind: NodeKind = {
  tag: 'proxy',
  shell: false,
  build(_data, children, late) {
    const [target, handler] = children as [object, object];
    if (late.length === 0) return { value: new Proxy(target, handler) };
    if (late.includes(0)) throw badPayload('a proxy that is part of its own target');
    // A handler in a cycle: traps are found through the prototype of a stand-in.
    const standIn = {};
    return {
      value: new Proxy(target, standIn),
      set(_index, child) {
        Object.setPrototypeOf(standIn, child as object);
      },
    };
  },
};
