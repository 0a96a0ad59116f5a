/**
 * Consumers of this process that leave.
 *
 *   asking -> ended -> gone      ended: the broker has no request of theirs; gone: it has their items
 *
 * Nothing is given back before all have ended, and nothing is asked for before all are gone: what
 * comes back is neither handed to who leaves, nor overtaken by what this process takes next.
 */
import type { Broker } from '../broker/index.js';

export class Departures {
  readonly #ending = new Set<Promise<void>>();
  readonly #leaving = new Set<Promise<void>>();
  readonly #waiting: (() => void)[] = [];

  constructor(broker: Broker) {
    // Their requests went with the connection; their items go back when it is there again.
    broker.onDown(() => {
      this.#leaving.clear();
      this.#open();
    });
  }

  /** Whether nobody leaves. */
  get none(): boolean {
    return this.#leaving.size === 0;
  }

  /** One leaves. Neither promise rejects. */
  add(ended: Promise<void>, gone: Promise<void>): void {
    this.#ending.add(ended);
    this.#leaving.add(gone);
    void ended.then(() => this.#ending.delete(ended));
    void gone.then(() => {
      this.#leaving.delete(gone);
      if (this.none) this.#open();
    });
  }

  /** Resolves when all have ended. */
  async ended(): Promise<void> {
    while (this.#ending.size > 0) await Promise.all(this.#ending);
  }

  /** Resolves when all are gone, or the broker is. */
  async gone(): Promise<void> {
    if (!this.none) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #open(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
