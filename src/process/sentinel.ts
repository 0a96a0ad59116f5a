import { printedAsShown } from '../util/printed.js';

/** What `connection.wait()` takes for a process: it is ready when the process has ended. */
export class Sentinel {
  /** Answers the descriptor. */
  readonly #descriptor: () => number;

  /** @internal */
  constructor(descriptor: () => number) {
    this.#descriptor = descriptor;
  }

  /**
   * Returns the descriptor, which becomes readable when the process has ended. Valid until the
   * process is closed.
   * @throws ClosedError.
   */
  fileno(): number {
    return this.#descriptor();
  }

  /** @internal */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return 'Sentinel';
  }
}
printedAsShown(Sentinel);
