import type { TaskStream } from '../../streams/index.js';
import type { WaitOptions } from '../../util/wait-options.js';
import { BaseProxy } from '../proxy.js';
import type { WatchOptions } from './change-log.js';

/**
 * A manager's `Event`, in a client: a flag that every client of the manager sees and waits for.
 *
 * Python: `SyncManager.Event`.
 * @example
 * import { manager, Process } from 'multiprocess';
 *
 * await using m = await manager();
 * const ready = await m.Event();
 * const child = await new Process(() => ready.set()).start();
 * console.log(await ready.wait({ timeout: 60_000 }), await child.exited); // true 0
 */
export class EventProxy extends BaseProxy {
  /** Returns whether the flag is set. */
  isSet(): Promise<boolean> {
    return this.callMethod<boolean>('isSet');
  }

  /** Sets the flag and ends all waits. */
  set(): Promise<void> {
    return this.callMethod<void>('set');
  }

  /** Takes the flag back. */
  clear(): Promise<void> {
    return this.callMethod<void>('clear');
  }

  /** Waits for the flag: `false` when the time ran out first. Rejects with `signal.reason`. */
  wait(options?: WaitOptions): Promise<boolean> {
    return this.callMethod<boolean>('wait', [options]);
  }

  /**
   * Returns the flag as it is now, and each change of it. See `DictProxy.watch` for the options.
   */
  asObservable(options?: WatchOptions): TaskStream<boolean> {
    return this.callStream('watch', [options]);
  }
}
