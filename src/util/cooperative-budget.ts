/**
 * How many items one reader or writer handles before the event loop gets a turn, so that a source
 * that is never empty does not stop timers and sockets.
 *
 * Source: the cooperative budget of tokio.
 */
const BUDGET_ITEMS = 512;

export class CooperativeBudget {
  #spent = 0;

  /** One item was handled. */
  spend(): void {
    this.#spent++;
  }

  /** Whether the event loop must turn before the next item. */
  get exhausted(): boolean {
    return this.#spent >= BUDGET_ITEMS;
  }

  /** The event loop has turned, or is about to. */
  renew(): void {
    this.#spent = 0;
  }
}
