/** Releases once, at the end of a `using` block or when told. */
export class ReleaseOnce implements Disposable {
  #release: (() => void) | null;

  constructor(release: () => void) {
    this.#release = release;
  }

  /** Releases. Doing so twice does nothing. */
  [Symbol.dispose](): void {
    const release = this.#release;
    this.#release = null;
    release?.();
  }
}
