/**
 * `Process` bound to each start method. Their names are those of their children: `SpawnProcess-1`.
 */

import { Process, type ProcessOptions, type Target } from '../process/index.js';
import { bound } from './bound.js';

/** Options of a Process whose start method is given by its class. */
export type BoundProcessOptions<A extends unknown[]> = Omit<ProcessOptions<A>, 'context'>;

/**
 * A {@link Process} in a fresh Node.
 * @example
 * import { SpawnProcess } from 'multiprocess/context';
 *
 * const child = await new SpawnProcess(() => process.exit(3)).start();
 * console.log(child.name, await child.exited); // SpawnProcess-1 3
 */
export class SpawnProcess<A extends unknown[] = unknown[]> extends Process<A> {
  constructor(
    target: Target<A, unknown> | undefined,
    options: BoundProcessOptions<A> & { readonly args: readonly [...A] },
  );
  constructor(target?: Target<[], unknown>, options?: BoundProcessOptions<[]>);
  constructor(target?: Target<never, unknown>, options: BoundProcessOptions<A> | BoundProcessOptions<[]> = {}) {
    super(target as never, bound('Process', options, 'spawn') as never);
  }
}

/**
 * A {@link Process} forked from a template.
 * @example
 * import { ForkServerProcess } from 'multiprocess/context';
 *
 * const child = await new ForkServerProcess(() => process.exit(3)).start();
 * console.log(child.name, await child.exited); // ForkServerProcess-1 3
 */
export class ForkServerProcess<A extends unknown[] = unknown[]> extends Process<A> {
  constructor(
    target: Target<A, unknown> | undefined,
    options: BoundProcessOptions<A> & { readonly args: readonly [...A] },
  );
  constructor(target?: Target<[], unknown>, options?: BoundProcessOptions<[]>);
  constructor(target?: Target<never, unknown>, options: BoundProcessOptions<A> | BoundProcessOptions<[]> = {}) {
    super(target as never, bound('Process', options, 'forkserver') as never);
  }
}

/**
 * A {@link Process} forked from this one.
 * @example
 * // node --single-threaded --v8-pool-size=1
 * import { ForkProcess } from 'multiprocess/context';
 *
 * const child = await new ForkProcess(() => process.exit(3)).start();
 * console.log(child.name, await child.exited); // ForkProcess-1 3
 */
export class ForkProcess<A extends unknown[] = unknown[]> extends Process<A> {
  constructor(
    target: Target<A, unknown> | undefined,
    options: BoundProcessOptions<A> & { readonly args: readonly [...A] },
  );
  constructor(target?: Target<[], unknown>, options?: BoundProcessOptions<[]>);
  constructor(target?: Target<never, unknown>, options: BoundProcessOptions<A> | BoundProcessOptions<[]> = {}) {
    super(target as never, bound('Process', options, 'fork') as never);
  }
}

/**
 * A {@link Process} that is a worker thread of this process.
 * @example
 * import { Value } from 'multiprocess';
 * import { ThreadProcess } from 'multiprocess/context';
 *
 * const found = new Value('i', 0);
 * const child = await new ThreadProcess((n: number) => void (found.value = n * 2), { args: [21] }).start();
 * console.log(child.pid === process.pid, await child.exited, found.value); // true 0 42
 */
export class ThreadProcess<A extends unknown[] = unknown[]> extends Process<A> {
  constructor(
    target: Target<A, unknown> | undefined,
    options: BoundProcessOptions<A> & { readonly args: readonly [...A] },
  );
  constructor(target?: Target<[], unknown>, options?: BoundProcessOptions<[]>);
  constructor(target?: Target<never, unknown>, options: BoundProcessOptions<A> | BoundProcessOptions<[]> = {}) {
    super(target as never, bound('Process', options, 'thread') as never);
  }
}
