import { performance } from '../../util/timers.js';

/**
 * Whether everybody has gone who could do what is waited for. Asked at each liveness check of a
 * wait; it counts when it was so for {@link CERTAIN_AFTER_MS} ms, since who comes may be under way
 * in between.
 */
const CERTAIN_AFTER_MS = 1_000;

export class OrphanDetector {
  readonly #deserted: () => boolean;
  #since: number | null = null;
  #certain = false;

  /** @param deserted Whether it looks so now. */
  constructor(deserted: () => boolean) {
    this.#deserted = deserted;
  }

  /** Whether it is so. */
  get certain(): boolean {
    return this.#certain;
  }

  /** Looks. */
  look(): void {
    if (!this.#deserted()) {
      this.reset();
      return;
    }
    const now = performance.now();
    this.#since ??= now;
    this.#certain = now - this.#since >= CERTAIN_AFTER_MS;
  }

  /** Nobody waits any more. */
  reset(): void {
    this.#since = null;
    this.#certain = false;
  }
}
