/**
 * What was assigned to a proxy's property, which nobody can await: it is on its way until somebody
 * asks.
 */
export class Assignments {
  #pending = new Set<Promise<unknown>>();
  #failure: { readonly error: unknown } | null = null;

  /** Notes what a property was assigned. */
  add(sent: Promise<unknown>): void {
    const noted = sent
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#pending.delete(noted));
    this.#pending.add(noted);
  }

  /**
   * Waits for all that was assigned until now. Rejects with the first failure since it was asked
   * last.
   */
  async settled(): Promise<void> {
    await Promise.all([...this.#pending]);
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) throw failure.error;
  }
}
