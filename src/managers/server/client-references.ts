/**
 * The objects that one client of a server refers to, and how often.
 *
 *   refer, release   the client was told of an object; it gives references back
 *   hold, arrived    a proxy that the client sent elsewhere is on its way; its receiver has it
 */
import type { Referent, ReferentTable } from './referents.js';

export class ClientReferences {
  readonly #referents: ReferentTable;
  /** References that the client was told of. */
  readonly #told = new Map<number, { readonly referent: Referent; count: number }>();
  /**
   * Objects whose proxies the client has sent elsewhere and that nobody has claimed, by their
   * grants.
   */
  readonly #holds = new Map<number, Referent>();
  /** Grants that were claimed before the client told of them. */
  readonly #early = new Set<number>();
  #lastGrant = 0;
  /** Objects that the answer being encoded refers to, so that the references can be taken back. */
  #granted: Referent[] = [];

  constructor(referents: ReferentTable) {
    this.#referents = referents;
  }

  /** Returns an object that the client refers to. */
  find(id: number): Referent | undefined {
    return this.#told.get(id)?.referent;
  }

  /** Counts a reference of the client's. */
  refer(referent: Referent): void {
    this.#referents.retain(referent);
    const known = this.#told.get(referent.id);
    if (known === undefined) this.#told.set(referent.id, { referent, count: 1 });
    else known.count++;
  }

  /** Counts a reference to an object that is named in what is being encoded for the client. */
  grant(referent: Referent): void {
    this.refer(referent);
    this.#granted.push(referent);
  }

  /** Runs what encodes for the client. References that it granted are taken back when it throws. */
  takenBackOnError(encode: () => void): void {
    const before = this.#granted;
    this.#granted = [];
    try {
      encode();
    } catch (error) {
      for (const referent of this.#granted) this.release(referent.id, 1);
      throw error;
    } finally {
      this.#granted = before;
    }
  }

  /** The client gives references back. */
  release(id: number, count: number): void {
    const known = this.#told.get(id);
    if (known === undefined) return;
    const given = Math.min(count, known.count);
    known.count -= given;
    if (known.count === 0) this.#told.delete(id);
    this.#referents.drop(known.referent, given);
  }

  /** A proxy of one of the client's references is on its way elsewhere. */
  hold(grant: number, object: number): void {
    this.#lastGrant = Math.max(this.#lastGrant, grant);
    const referent = this.find(object);
    if (this.#early.delete(grant) || referent === undefined || this.#holds.has(grant)) return;
    this.#referents.retain(referent);
    this.#holds.set(grant, referent);
  }

  /** A proxy that the client has sent has arrived, or is not on its way any more. */
  arrived(grant: number): void {
    const referent = this.#holds.get(grant);
    if (referent !== undefined) {
      this.#holds.delete(grant);
      this.#referents.drop(referent, 1);
      // The receiver was faster than the sender.
    } else if (grant > this.#lastGrant) this.#early.add(grant);
  }

  /** The client has ended: its references are dropped. */
  end(): void {
    for (const { referent, count } of this.#told.values()) this.#referents.drop(referent, count);
    this.#told.clear();
    for (const referent of this.#holds.values()) this.#referents.drop(referent, 1);
    this.#holds.clear();
  }
}
