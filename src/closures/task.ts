/**
 * `task(captures, fn)`: a function whose captures are named instead of found. It needs no
 * inspector, so it works under the permission model, and it shows in one place what will be copied.
 */

import type { NodeKind } from '../codec/node.js';
import { ArgumentError } from '../errors/index.js';
import { describe } from '../util/options.js';

/** A function with explicit captures. Call it as any other. */
export type TaskFunction<A extends unknown[], R> = (...args: A) => R;

interface Parts {
  captures: object;
  fn: Function;
}

const tasks = new WeakMap<Function, Parts>();

/**
 * Binds captures to a function that takes them as its first parameter.
 *
 * @param captures Everything `fn` needs from outside. Copied when the task is sent.
 * @param fn May use its parameters, globals and imports, and nothing else from outside:
 * `MP_TASK_CAPTURES` when it is sent.
 * @throws ArgumentError `MP_INVALID_ARGUMENT`.
 * @example
 * import { Pool, task } from 'multiprocess';
 *
 * await using pool = new Pool({ processes: 1 });
 * const triple = task({ factor: 3 }, ({ factor }, x: number) => x * factor);
 * console.log(await pool.map(triple, [1, 2, 3])); // [ 3, 6, 9 ]
 */
export function task<C extends object, A extends unknown[], R>(
  captures: C,
  fn: (captures: C, ...args: A) => R,
): TaskFunction<A, R> {
  if (typeof captures !== 'object' || captures === null) {
    throw new ArgumentError(`task: the captures must be an object, not ${describe(captures)}.`);
  }
  if (typeof fn !== 'function') throw new ArgumentError(`task: expected a function, not ${describe(fn)}.`);
  return make({ captures, fn }) as TaskFunction<A, R>;
}

/** The parts of a task, or `undefined` for any other function. */
export function taskParts(fn: Function): Readonly<Parts> | undefined {
  return tasks.get(fn);
}

function make(parts: Parts): Function {
  const call = (...args: unknown[]): unknown => parts.fn(parts.captures, ...args);
  Object.defineProperty(call, 'name', { value: parts.fn?.name ?? 'task', configurable: true });
  tasks.set(call, parts);
  return call;
}

/** Rebuilds tasks. Children: captures, function. */
export const taskKind: NodeKind = {
  tag: 'task',
  shell: false,
  build(_data, children) {
    const parts = { captures: children[0], fn: children[1] } as Parts;
    return {
      value: make(parts),
      set(index, child) {
        if (index === 0) parts.captures = child as object;
        else parts.fn = child as Function;
      },
    };
  },
};
