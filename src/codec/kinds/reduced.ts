/**
 * Values that say themselves how they are rebuilt: by `register(Class, reduce)`, or by a method
 * `[Symbol.for('multiprocess.reduce')]()`. Both give `[rebuild, args]`, as Python's copyreg and
 * `__reduce__` do.
 *
 *   R   children: the rebuild function, the array of its arguments
 */
import { ArgumentError, SerializationError } from '../../errors/index.js';
import { badPayload, Refused } from '../messages.js';
import type { NodeKind, Reduction } from '../node.js';

/** What a reducer returns: a function or a class, and the arguments it rebuilds the value from. */
export type Reduced = readonly [
  rebuild: ((...args: never[]) => unknown) | (abstract new (...args: never[]) => unknown),
  args: readonly unknown[],
];

/** Tag of shareable objects, which are attached whole as well. */
export const SHAREABLE = 'h';

/** The method by which an object reduces itself. */
const REDUCE = Symbol.for('multiprocess.reduce');

type Reducer = (instance: never) => Reduced;

/** By prototype; those of all copies of the package in this process. */
const REDUCERS = Symbol.for('multiprocess.reducers');
const scope = globalThis as { [REDUCERS]?: Map<object, Reducer> };
scope[REDUCERS] ??= new Map();
const reducers = scope[REDUCERS];

/**
 * Says how instances of a class are sent, as Python's `copyreg.pickle` does. Subclasses are covered
 * unless they have a reducer of their own; a second call for the same class replaces the first.
 *
 * It counts in the process or thread that calls it. Workers that send instances back register too:
 * in a module that both sides import, or in the `initializer`.
 *
 * @param type The class.
 * @param reduce Called with an instance when it is sent; returns `[rebuild, args]`. `rebuild` is
 *   sent as a function and called with `args` on the other side, or made an instance of with them
 *   if it is a class; it must not need the instance itself among its arguments.
 * @throws ArgumentError `MP_INVALID_ARGUMENT` when `type` is no class or `reduce` no function.
 * @example
 * import { dumps, loads, register } from 'multiprocess/reduction';
 *
 * class Money {
 *   #cents: number;
 *   constructor(cents: number) {
 *     this.#cents = cents;
 *   }
 *   get cents() {
 *     return this.#cents;
 *   }
 * }
 *
 * register(Money, (money) => [(cents: number) => new Money(cents), [money.cents]]);
 * console.log((loads(dumps(new Money(7))) as Money).cents); // 7
 */
export function register<T extends object>(
  type: abstract new (...args: never[]) => T,
  reduce: (instance: T) => Reduced,
): void {
  if (typeof type !== 'function' || typeof type.prototype !== 'object')
    throw new ArgumentError('register: the first argument must be a class.');
  if (typeof reduce !== 'function') throw new ArgumentError('register: `reduce` must be a function.');
  reducers.set(type.prototype as object, reduce as Reducer);
}

/** Reduces an object that has a reducer; `undefined` for one that has none. */
export function reduceByHook(value: object): Reduction | undefined {
  const method: unknown = (value as Record<symbol, unknown>)[REDUCE];
  if (typeof method === 'function') return reduction(value, method.call(value));
  if (reducers.size === 0) return undefined;
  for (let at: unknown = Object.getPrototypeOf(value); at !== null; at = Object.getPrototypeOf(at)) {
    const reduce = reducers.get(at as object);
    if (reduce !== undefined) return reduction(value, reduce(value as never));
  }
  return undefined;
}

/** An object that is rebuilt from itself cannot be rebuilt. @throws Refused `MP_CYCLE`. */
export function checkLate(of: Reduction): void {
  if (of.kind !== reducedKind.tag && of.kind !== SHAREABLE) return;
  throw new Refused({
    code: 'MP_CYCLE',
    what: of.kind === SHAREABLE ? 'a shared object' : 'a value with a reducer',
    why: 'the arguments it is rebuilt from refer back to it',
    repair: 'leave the reference out of the arguments and restore it in `rebuild`',
  });
}

export const reducedKind: NodeKind = {
  tag: 'R',
  shell: false,
  build(_data, [rebuild, args]) {
    if (typeof rebuild !== 'function' || !Array.isArray(args))
      throw badPayload('a reduced value has no rebuild function');
    try {
      return { value: isClass(rebuild) ? Reflect.construct(rebuild, args) : Reflect.apply(rebuild, undefined, args) };
    } catch (cause) {
      throw new SerializationError(`The rebuild function ${rebuild.name || '(anonymous)'} threw: ${String(cause)}`, {
        code: 'MP_REBUILD',
        cause,
      });
    }
  },
};

/** Whether it cannot be called, only constructed. */
function isClass(fn: Function): boolean {
  return /^class\b/.test(Function.prototype.toString.call(fn));
}

function reduction(value: object, result: unknown): Reduction {
  if (!Array.isArray(result) || typeof result[0] !== 'function' || !Array.isArray(result[1])) {
    throw new Refused({
      code: 'MP_REDUCER',
      what: `an instance of ${value.constructor?.name ?? 'a class'}`,
      why: 'its reducer did not return [rebuild, args]',
      repair: 'return an array of a function and an array of its arguments',
    });
  }
  const children = [result[0], [...(result[1] as unknown[])]];
  return {
    kind: reducedKind.tag,
    data: undefined,
    children,
    label: (index) => (index === 0 ? 'rebuild function' : 'rebuild arguments'),
  };
}
