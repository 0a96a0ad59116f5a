import { inspect } from 'node:util';
import { ArgumentError, ClosedError } from '../errors/index.js';
import { ATTACH, registerShareable } from '../memory/index.js';
import { closeDescriptor, duplicateDescriptor } from '../native/index.js';
import { crypto } from '../util/crypto.js';
import { describe } from '../util/options.js';
import { entry } from '../util/package.js';
import { declineOffer, obtainDescriptor, type Passage, StandingOffer } from './offer.js';

/** What is given up when nobody detached it. */
interface Held {
  fd: number;
  readonly offer: StandingOffer;
}

const unclaimed = new FinalizationRegistry<Held>(({ fd, offer }) => {
  if (fd >= 0) closeDescriptor(fd);
  offer.release();
});

/** A descriptor as it travels. */
interface Handle {
  readonly id: string;
  readonly offer: Passage;
}

/**
 * A descriptor as a value: send it anywhere, and `detach()` it there.
 *
 * Semantics: holds a duplicate of the descriptor, which you may close at once. Each process that
 * receives it gets a duplicate of its own, of the same open file. It must arrive while this process
 * runs, which may be busy or blocked; bytes of `dumps` within 30 s. What is never detached is
 * closed with the object.
 *
 * Python: `multiprocessing.reduction.DupFd`. There the duplicate can be detached once in all, here
 * once in each process.
 *
 * @example
 * import { openSync, readFileSync, writeSync } from 'node:fs';
 * import { Pool } from 'multiprocess';
 * import { DupFd } from 'multiprocess/reduction';
 *
 * await using pool = new Pool({ processes: 1 });
 * const file = openSync('log.txt', 'a');
 * await pool.apply((fd: DupFd) => writeSync(fd.detach(), 'hello'), [new DupFd(file)]);
 * console.log(readFileSync('log.txt', 'utf8')); // hello
 */
export class DupFd implements Disposable {
  readonly #held: Held = { fd: -1, offer: new StandingOffer() };
  /** The same wherever it arrives. */
  #id = crypto().randomUUID() as string;
  /** How its use ended here, if it did. */
  #ended: 'detached' | 'closed' = 'closed';

  /**
   * @param fd an open descriptor.
   * @throws ArgumentError; MultiprocessError `MP_SYSTEM` (EBADF, EMFILE).
   */
  constructor(fd: number) {
    // The native part would take what a number is as int32: 1.5 as 1.
    if (!(Number.isInteger(fd) && fd >= 0 && fd <= 0x7fffffff))
      throw new ArgumentError(`DupFd: the descriptor must be an integer from 0 to 2^31 - 1, not ${describe(fd)}.`);
    this.#held.fd = duplicateDescriptor(fd, undefined, 'DupFd');
    unclaimed.register(this, this.#held, this);
  }

  /**
   * The descriptor, now yours to close. It is close-on-exec. In a thread `fs.closeSync` closes it,
   * and Node warns that it was "not opened in unmanaged mode": this library opened it.
   * @throws ClosedError `MP_CLOSED` when it was detached or closed here before.
   */
  detach(): number {
    const { fd } = this.#held;
    this.#check();
    this.#give();
    this.#ended = 'detached';
    return fd;
  }

  /** Closes the duplicate, unless it was detached. Closing twice does nothing. */
  close(): void {
    const { fd } = this.#held;
    if (fd < 0) return;
    this.#give();
    closeDescriptor(fd);
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Its descriptor, as `console.log` shows it. */
  toString(): string {
    return this.#held.fd < 0 ? `<DupFd (${this.#ended})>` : `<DupFd ${this.#held.fd}>`;
  }

  /** @internal */
  [inspect.custom](): string {
    return this.toString();
  }

  /** @internal */
  static toHandle(from: DupFd): Handle {
    return { id: from.#id, offer: from.#held.offer.of(from.#held.fd) };
  }

  /** @internal */
  static isClosed(from: DupFd): boolean {
    return from.#held.fd < 0;
  }

  /** @internal */
  static howEnded(from: DupFd): string {
    return from.#ended;
  }

  /** @internal */
  static [ATTACH]({ id, offer }: Handle): DupFd {
    const fd = obtainDescriptor(offer);
    try {
      const made = new DupFd(fd);
      made.#id = id;
      return made;
    } finally {
      closeDescriptor(fd);
    }
  }

  #give(): void {
    this.#held.fd = -1;
    this.#held.offer.release();
    unclaimed.unregister(this);
  }

  #check(): void {
    if (this.#held.fd < 0)
      throw new ClosedError(`DupFd: the descriptor was ${this.#ended} here before; make a DupFd for each use.`);
  }
}

registerShareable('dup-fd', {
  module: entry('descriptors/dup-fd'),
  class: DupFd,
  toHandle: DupFd.toHandle,
  closed: DupFd.isClosed,
  ended: DupFd.howEnded,
  again: ({ offer }) => declineOffer(offer),
  identity: ({ id }) => id,
});
