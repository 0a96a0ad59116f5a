/**
 * `Process` bound to each start method. Their names are those of their children: `SpawnProcess-1`.
 */

import { Process, type ProcessOptions, type Target } from '../process/index.js';
import { bound } from './bound.js';

/** Options of a Process whose start method is given by its class. */
export type BoundProcessOptions<A extends unknown[]> = Omit<ProcessOptions<A>, 'context'>;

/** A {@link Process} in a fresh Node. */
export class SpawnProcess<A extends unknown[] = unknown[]> extends Process<A> {
  constructor(target?: Target<[], unknown>, options?: BoundProcessOptions<[]>);
  constructor(target: Target<A, unknown> | undefined, options: BoundProcessOptions<A> & { readonly args: readonly [...A] });
  constructor(target?: Target<never, unknown>, options: BoundProcessOptions<A> | BoundProcessOptions<[]> = {}) {
    super(target as never, bound('Process', options, 'spawn') as never);
  }
}

/** A {@link Process} forked from a template. */
export class ForkServerProcess<A extends unknown[] = unknown[]> extends Process<A> {
  constructor(target?: Target<[], unknown>, options?: BoundProcessOptions<[]>);
  constructor(target: Target<A, unknown> | undefined, options: BoundProcessOptions<A> & { readonly args: readonly [...A] });
  constructor(target?: Target<never, unknown>, options: BoundProcessOptions<A> | BoundProcessOptions<[]> = {}) {
    super(target as never, bound('Process', options, 'forkserver') as never);
  }
}

/** A {@link Process} forked from this one. */
export class ForkProcess<A extends unknown[] = unknown[]> extends Process<A> {
  constructor(target?: Target<[], unknown>, options?: BoundProcessOptions<[]>);
  constructor(target: Target<A, unknown> | undefined, options: BoundProcessOptions<A> & { readonly args: readonly [...A] });
  constructor(target?: Target<never, unknown>, options: BoundProcessOptions<A> | BoundProcessOptions<[]> = {}) {
    super(target as never, bound('Process', options, 'fork') as never);
  }
}

/** A {@link Process} that is a worker thread of this process. */
export class ThreadProcess<A extends unknown[] = unknown[]> extends Process<A> {
  constructor(target?: Target<[], unknown>, options?: BoundProcessOptions<[]>);
  constructor(target: Target<A, unknown> | undefined, options: BoundProcessOptions<A> & { readonly args: readonly [...A] });
  constructor(target?: Target<never, unknown>, options: BoundProcessOptions<A> | BoundProcessOptions<[]> = {}) {
    super(target as never, bound('Process', options, 'thread') as never);
  }
}
