import { closeDescriptor, createPipe } from '../../native/index.js';

/**
 * A descriptor that becomes readable when a child has ended, for a child that the kernel has none
 * for: the reading end of a pipe, whose writing end is closed then.
 */
export class PipeSentinel {
  /** The reading end. */
  readonly fd: number;
  #writing: number | null;

  /** @param hasEnded whether the child has ended already. */
  constructor(hasEnded: boolean) {
    [this.fd, this.#writing] = createPipe();
    if (hasEnded) this.end();
  }

  /** The child has ended. */
  end(): void {
    if (this.#writing !== null) closeDescriptor(this.#writing);
    this.#writing = null;
  }

  /** Closes it. */
  close(): void {
    this.end();
    closeDescriptor(this.fd);
  }
}
