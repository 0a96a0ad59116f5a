/**
 * How a sender learns that a message was read which refers to shared objects, so that it need not
 * keep them any longer.
 *
 * The last byte of such a message carries the writing end of a pipe (SCM_RIGHTS). Who reads that
 * byte, not asking for descriptors, makes the kernel close it; so does the end of the socket, and
 * of whoever had it. When nobody has it any more the reading end says so. Messages of {@link
 * REUSE_MS} ms share one.
 *
 * Only unix sockets carry descriptors. On others what a message refers to is kept until the
 * connection is closed here.
 */
import { closeDescriptor, createPipe, pollDescriptor, Ready } from '../../native/index.js';
import { registerAfterFork } from '../../util/after-fork.js';
import { performance } from '../../util/timers.js';

/** Milliseconds for which one receipt serves. */
const REUSE_MS = 1_000;

const open = new Set<ReadReceipt>();

export class ReadReceipt {
  readonly #reading: number;
  #writing: number;
  readonly #born = performance.now();
  /** Messages that wait for the kernel to take them, with this. */
  #unsent = 0;
  #gone = false;

  constructor() {
    [this.#reading, this.#writing] = createPipe();
    open.add(this);
  }

  /** The end that travels. */
  get fd(): number {
    return this.#writing;
  }

  /** Whether further messages may have it. */
  get fresh(): boolean {
    return this.#writing >= 0 && performance.now() - this.#born < REUSE_MS;
  }

  /** A message is queued with it. */
  queue(): void {
    this.#unsent++;
  }

  /** The kernel has it, or never will. */
  sent(): void {
    this.#unsent--;
  }

  /**
   * Returns whether all its messages were read, or can be read by nobody.
   * @param hurried No further message will have it.
   */
  isGone(hurried: boolean): boolean {
    if (this.#gone) return true;
    if (this.#unsent > 0 || (!hurried && this.fresh)) return false;
    if (this.#writing >= 0) closeDescriptor(this.#writing);
    this.#writing = -1;
    if ((pollDescriptor(this.#reading, Ready.readable, 0) & Ready.hangup) === 0) return false;
    this.close();
    return true;
  }

  close(): void {
    this.#gone = true;
    open.delete(this);
    for (const fd of [this.#reading, this.#writing]) if (fd >= 0) closeDescriptor(fd);
    this.#writing = -1;
  }
}

// A copy of this process must not keep them from being gone.
registerAfterFork(open, (inherited) => {
  for (const receipt of inherited) receipt.close();
});
