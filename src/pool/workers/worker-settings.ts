/** What a worker is started with. */
import type { LaunchOptions, Popen } from '../../process/index.js';
import type { EncodedMessage } from '../scheduling/encoded-items.js';
import type { SerializedFunction } from '../wire/function-registry.js';

/** Starts a child, however the pool's workers are started. */
export type Launch = (options: LaunchOptions) => Popen;

/** What of the pool's settings concerns a worker. */
export interface WorkerSettings {
  /** Items it runs at once. */
  readonly concurrency: number;
  /** Items it may run. */
  readonly lifetime: number;
  /** Milliseconds from its start until it must be ready; 0 for no limit. */
  readonly initTimeout: number;
  /** Milliseconds it has to react. */
  readonly grace: number;
  /** Milliseconds that `workerExit` may take; 0 for no limit. */
  readonly exitTimeout: number;
  /** Bytes of memory it may take; Infinity for no limit. */
  readonly maxMemory: number;
  /** CPUs that the workers of its pool are pinned to, one each; `null`: none. */
  readonly cpus: readonly number[] | null;
}

/** The functions that run in each worker of a pool beside its items. */
export interface WorkerHookFunctions {
  readonly initializer: SerializedFunction | null;
  /** Arguments of the initializer. */
  readonly args: EncodedMessage;
  readonly exit: SerializedFunction | null;
}
