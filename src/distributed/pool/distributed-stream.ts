import type { StreamDefinition } from '../../streams/index.js';
import { TaskStream } from '../../streams/index.js';

/**
 * A TaskStream of a distributed pool.
 * @example
 * import { Agent, DistributedPool } from 'multiprocess/distributed';
 *
 * const options = { servers: 'nats://localhost:4222', name: 'squares' };
 * await using agent = await Agent.start({ ...options, processes: 1, allowFunctions: true });
 * await using pool = await DistributedPool.connect({ ...options, durable: true });
 * const squares = pool.imap((n: number) => n * n, [1, 2, 3], { run: 'of-today' });
 * console.log(squares.run, await squares.toArray(), agent.info().done); // of-today [ 1, 4, 9 ] 3
 */
export class DistributedStream<R> extends TaskStream<R> {
  /** Name of its run, for {@link DistributedPool.resume}; `undefined` where the pool is not durable. */
  readonly run: string | undefined;

  /** @internal */
  constructor(origin: StreamDefinition, run: string | undefined) {
    super(origin);
    this.run = run;
  }
}
