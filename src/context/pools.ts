/** `Pool` bound to each start method; that of threads is `ThreadPool`. */
import { Pool, type PoolOptions } from '../pool/index.js';

/** Options of a pool whose start method is given by its class. */
export type BoundPoolOptions = Omit<PoolOptions, 'context'>;

/** A {@link Pool} of fresh Nodes. */
export class SpawnPool extends Pool {
  constructor(options: BoundPoolOptions = {}) {
    super({ ...options, context: 'spawn' });
  }
}

/** A {@link Pool} of processes forked from a template. */
export class ForkServerPool extends Pool {
  constructor(options: BoundPoolOptions = {}) {
    super({ ...options, context: 'forkserver' });
  }
}

/** A {@link Pool} of processes forked from this one. */
export class ForkPool extends Pool {
  constructor(options: BoundPoolOptions = {}) {
    super({ ...options, context: 'fork' });
  }
}
