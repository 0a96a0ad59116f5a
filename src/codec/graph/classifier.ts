/**
 * Decides how an object is reduced; the first match wins. One table of a message: it remembers
 * which ArrayBuffers it has met.
 */
import { types } from 'node:util';
import { SerializationError } from '../../errors/index.js';
import { reduceFunction, reduceReferenceTo } from '../function-port.js';
import { reduceArguments, reduceArray } from '../kinds/arrays.js';
import { reduceAtom } from '../kinds/atoms.js';
import { BinaryReducer } from '../kinds/binary.js';
import { reduceMap, reduceSet } from '../kinds/collections.js';
import { isDomException, reduceDomException } from '../kinds/dom-exceptions.js';
import { isBuiltinError, isError, reduceAsBuiltinError, reduceError } from '../kinds/errors.js';
import { classOf, classWithPrototype, reduceInstance, reducePrototype } from '../kinds/instance.js';
import { reduceIntrinsic } from '../kinds/intrinsics.js';
import { reducePlainObject } from '../kinds/objects.js';
import { reduceOver } from '../kinds/over.js';
import { reducePlatform } from '../kinds/platform.js';
import { checkLate, reduceByHook } from '../kinds/reduced.js';
import { refuseInstance, refuseNative } from '../kinds/refused.js';
import { reduceShareable } from '../kinds/shareable.js';
import { reduceSocket } from '../kinds/sockets.js';
import { reduceWeak } from '../kinds/weak.js';
import { Refused } from '../messages.js';
import type { Reduction } from '../node.js';

/** Its prototype is not that of a plain object. */
const environment: object = process.env;

export class Classifier {
  readonly #binary = new BinaryReducer();
  readonly checkLate = checkLate;

  /** Forgets the message before. */
  reset(): void {
    this.#binary.reset();
  }

  /** Notes where a reduction's bytes were written. */
  wroteBytes(reduction: Reduction, token: number): void {
    this.#binary.wrote(reduction, token);
  }

  /** Where the tokens of bytes stand that several views share. */
  get sharedBytes(): readonly number[] {
    return this.#binary.sharedTokens;
  }

  /**
   * @param isExplicit Whether nothing but plain containers hold the value: nobody sends what they
   * did not mean to send.
   * @throws Refused, or what a hook throws.
   */
  reduce(value: object, isExplicit: () => boolean): Reduction {
    if (typeof value === 'function') return reduceFunction(value);
    const prototype: unknown = Object.getPrototypeOf(value);
    const intrinsic = reduceIntrinsic(value);
    if (intrinsic !== undefined) return intrinsic;
    const hooked = reduceByHook(value);
    if (hooked !== undefined) return hooked;
    if (prototype === null) {
      const reference = reduceReferenceTo(value);
      if (reference !== null) return reference;
      refuseNative(value);
      return hasState(value) ? reduceInstance(value, undefined) : reducePlainObject(value);
    }
    if (prototype === Array.prototype && Array.isArray(value)) return reduceArray(value);
    if (prototype === Object.prototype) return this.#overObject(value);
    if (prototype === Map.prototype && types.isMap(value)) return reduceMap(value);
    if (prototype === Set.prototype && types.isSet(value)) return reduceSet(value);
    const shared = reduceShareable(value);
    if (shared !== undefined) return shared;
    const weak = reduceWeak(value);
    if (weak !== undefined && !isExplicit()) return weak;
    refuseNative(value);
    return (
      reducePlatform(value) ??
      (isExplicit() ? reduceSocket(value) : undefined) ??
      this.#builtin(value) ??
      this.#instance(value)
    );
  }

  #overObject(value: object): Reduction {
    const reference = reduceReferenceTo(value);
    if (reference !== null) return reference;
    if (types.isArgumentsObject(value)) return reduceArguments(value as IArguments);
    const type = classWithPrototype(value);
    if (type !== undefined) return reducePrototype(type);
    return hasState(value) ? reduceInstance(value, undefined) : reduceTable(value);
  }

  #builtin(value: object): Reduction | undefined {
    if (value === environment) return reducePlainObject({ ...process.env });
    const type = classOf(value);
    const over = type === undefined ? undefined : reduceOver(value, type);
    if (over !== undefined) {
      refuseInstance(value, false);
      return over;
    }
    if (ArrayBuffer.isView(value)) return this.#binary.view(value);
    if (types.isAnyArrayBuffer(value)) return this.#binary.buffer(value);
    if (isError(value)) return reduceError(value) ?? this.#error(value);
    if (type === undefined) return undefined;
    // The same builtin of another realm (a vm context) counts as ours; a user's subclass has its
    // own class.
    if (Array.isArray(value)) return isBase(value, Array.isArray) ? reduceArray(value) : undefined;
    if (types.isMap(value)) return isBase(value, types.isMap) ? reduceMap(value) : undefined;
    if (types.isSet(value)) return isBase(value, types.isSet) ? reduceSet(value) : undefined;
    if (types.isDate(value) && type !== Date && !isBase(value, types.isDate)) return undefined;
    return reduceAtom(value) ?? (isForeignPlain(value) ? this.#foreign(value) : undefined);
  }

  /** An ordinary object of another realm. */
  #foreign(value: object): Reduction {
    if (types.isArgumentsObject(value)) return reduceArguments(value as IArguments);
    return reduceReferenceTo(value) ?? reducePlainObject(value);
  }

  #instance(value: object): Reduction {
    const prototypeOf = classWithPrototype(value);
    if (prototypeOf !== undefined) return reducePrototype(prototypeOf);
    // The exports of a CommonJS module may be an instance.
    const reference = reduceReferenceTo(value);
    if (reference !== null) return reference;
    refuseInstance(value, false);
    return reduceInstance(value, classOf(value));
  }

  /**
   * An error must always get through: one of a class that cannot be sent arrives as of the nearest
   * class above that can.
   */
  #error(value: Error): Reduction {
    const prototypeOf = classWithPrototype(value);
    if (prototypeOf !== undefined) return reducePrototype(prototypeOf);
    if (classOf(value) === undefined) return reduceInstance(value, undefined);
    for (let type = classOf(value); type !== undefined; type = classOf(type.prototype as object)) {
      if (isBuiltinError(type)) break;
      try {
        refuseInstance(Object.create(type.prototype as object) as object, true);
        reduceFunction(type);
      } catch (error) {
        if (error instanceof SerializationError || error instanceof Refused) continue;
        throw error;
      }
      return isDomException(value) ? reduceDomException(value, type) : reduceInstance(value, type);
    }
    return reduceAsBuiltinError(value);
  }
}

/**
 * A getter that cannot read the object itself is one for those that inherit it, and goes as a
 * getter.
 */
function reduceTable(value: object): Reduction {
  try {
    return reducePlainObject(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return reduceInstance(value, undefined);
  }
}

/** Whether more is in the value than its properties, although its prototype does not say so. */
function hasState(value: object): boolean {
  return (
    types.isNativeError(value) ||
    Array.isArray(value) ||
    types.isMap(value) ||
    types.isSet(value) ||
    types.isDate(value)
  );
}

/** Whether nothing but a builtin prototype and Object.prototype stand above the value. */
function isBase(value: object, is: (prototype: unknown) => boolean): boolean {
  const prototype = Object.getPrototypeOf(value) as object;
  const above: unknown = Object.getPrototypeOf(prototype);
  if (is(prototype)) return above !== null && Object.getPrototypeOf(above) === null;
  const source = Function.prototype.toString.call(prototype.constructor);
  return source.includes('[native code]');
}

function isForeignPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object;
  return (
    Object.getPrototypeOf(prototype) === null &&
    Function.prototype.toString.call(prototype.constructor) === 'function Object() { [native code] }'
  );
}
