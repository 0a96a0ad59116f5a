import { Ownership } from './ownership.js';

/**
 * What the locks of a server have in common: who holds them, and what the death of a holder leaves.
 */
export abstract class OwnedLock {
  protected readonly ownership = new Ownership();

  /** Returns whether anybody holds it. */
  locked(): boolean {
    return this.ownership.holder !== null;
  }

  /** Process id of the agent that acquired it; `null` when nobody did. */
  get owner(): number | null {
    return this.ownership.holder?.client.pid ?? null;
  }

  /**
   * Whether a holder's agent was gone while it held the lock, and nobody has called {@link recover}
   * since.
   */
  get ownerDied(): boolean {
    return this.ownership.ownerDied;
  }

  /** Says that what the lock guards is whole again. */
  recover(): void {
    this.ownership.ownerDied = false;
  }
}
