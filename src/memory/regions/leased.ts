import { ClosedError } from '../../errors/index.js';
import type { BlockHandle } from './arena.js';
import { cancelEnd, type Lease } from './lease.js';
import { blockIdentity, keepInTransit } from './transit.js';

/** Somebody uses what was closed in this thread. */
function closedHere(actor: string): ClosedError {
  return new ClosedError(
    `${actor}: the shared object is closed in this thread; close it after its last use here, or have it sent here again.`,
  );
}

/** What {@link Block} and {@link MappedBlock} have in common: one lease, a handle, and an end. */
export abstract class Leased implements Disposable {
  /** Bytes. */
  readonly size: number;
  protected readonly lease: Lease;
  #closed = false;

  /** @internal */
  constructor(lease: Lease) {
    this.size = lease.size;
    this.lease = lease;
  }

  /**
   * Where other processes and threads find the memory. It stays for them for at least {@link
   * TRANSIT_MS} ms.
   * @throws ClosedError after {@link close}.
   */
  get handle(): BlockHandle {
    this.check('Leased.handle');
    const { arena, offset, size } = this.lease;
    keepInTransit(arena, offset, size);
    return arena.handle(offset, size);
  }

  /** What tells it from all other blocks, while it is not closed. */
  get identity(): string {
    const { arena, offset, size } = this.lease;
    return blockIdentity(arena.handle(offset, size));
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Ends the lease of this thread. Others keep theirs. Closing twice does nothing. */
  close(): void {
    if (this.#closed) return;
    this.beforeClose();
    this.#closed = true;
    this.afterClose();
    cancelEnd(this.lease);
    this.lease.end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @param actor What was called. @throws ClosedError that names it, after {@link close}. */
  check(actor: string): void {
    if (this.#closed) throw closedHere(actor);
  }

  /** The memory is about to go. */
  protected beforeClose(): void {}

  /** Nobody may use the memory any more. */
  protected afterClose(): void {}
}
