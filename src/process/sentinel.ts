import { nativeAvailable } from '../native/index.js';
import { printedAsShown } from '../util/printed.js';
import { WAITABLE } from '../util/waitable.js';
import type { Popen } from './popen/index.js';

/**
 * What `connection.wait()` takes for a process: it is ready when the process has ended.
 * @example
 * import { Process, wait } from 'multiprocess';
 *
 * const child = await new Process(() => {}).start();
 * console.log((await wait([child.sentinel])).length); // 1
 * console.log(await child.exited); // 0
 */
export class Sentinel {
  /** Answers whose it is. */
  readonly #popen: () => Popen;

  /** @internal */
  constructor(popen: () => Popen) {
    this.#popen = popen;
    // Threads without the addon have no descriptor to wait for.
    if (!nativeAvailable())
      Object.defineProperty(this, WAITABLE, { value: (onReady: () => void) => whenEnded(popen(), onReady) });
  }

  /**
   * Returns the descriptor, which becomes readable when the process has ended. Valid until the
   * process is closed.
   * @throws ClosedError; UnsupportedError without the addon, where `wait()` takes the sentinel itself.
   */
  fileno(): number {
    return this.#popen().sentinel;
  }

  /** @internal */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return 'Sentinel';
  }
}
printedAsShown(Sentinel);

/** Calls back when a child has ended; `true`: it has. Returns what ends that. */
function whenEnded(popen: Popen, onReady: () => void): true | (() => void) {
  if (popen.poll() !== null) return true;
  let heard = onReady;
  popen.onExit(() => heard());
  return () => {
    heard = () => {};
  };
}
