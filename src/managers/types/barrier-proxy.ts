import type { WaitOptions } from '../../util/wait-options.js';
import { BaseProxy } from '../proxy.js';

/**
 * A manager's `Barrier`, in a client.
 *
 * Semantics: as `Barrier`. The action is called in the process that made the barrier, which has to
 * be there for it. A party whose process dies while it waits breaks the round.
 *
 * Python: `SyncManager.Barrier`, whose action runs in the server.
 * @example
 * import { manager, Pool } from 'multiprocess';
 *
 * await using m = await manager();
 * const start = await m.Barrier(2);
 * await using pool = new Pool({ processes: 2 });
 * const places = await pool.map(() => start.wait(), [0, 1], { chunkSize: 1 });
 * console.log(places.sort()); // [ 0, 1 ]
 */
export class BarrierProxy extends BaseProxy {
  /**
   * Waits for the others.
   * @returns the index of this party in the round.
   * @throws BrokenBarrierError. Rejects with `signal.reason`.
   */
  wait(options?: WaitOptions): Promise<number> {
    return this.callMethod<number>('wait', [options]);
  }

  /** Ends the round for those who wait, with an error; the next one is new. */
  reset(): Promise<void> {
    return this.callMethod<void>('reset');
  }

  /** Breaks the barrier until it is reset. */
  abort(): Promise<void> {
    return this.callMethod<void>('abort');
  }

  /** How many must come. */
  declare readonly parties: Promise<number>;

  /** How many wait. */
  declare readonly nWaiting: Promise<number>;

  /** Whether it is broken. */
  declare readonly broken: Promise<boolean>;
}
