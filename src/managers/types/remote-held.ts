/** Releases what a proxy holds, once: at the end of a `using` or `await using` block. */
export class RemoteHeld implements Disposable, AsyncDisposable {
  #release: (() => Promise<unknown>) | null;

  constructor(release: () => Promise<unknown>) {
    this.#release = release;
  }

  /**
   * Releases without waiting for the server's answer. That it cannot be reached is nothing to act
   * upon: it has no lock then.
   */
  [Symbol.dispose](): void {
    this[Symbol.asyncDispose]().catch(() => {});
  }

  /** Releases. Resolves when the server has done so; rejects when it cannot be reached. */
  async [Symbol.asyncDispose](): Promise<void> {
    const release = this.#release;
    this.#release = null;
    await release?.();
  }
}
