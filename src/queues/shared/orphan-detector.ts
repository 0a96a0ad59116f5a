import { performance } from '../../util/timers.js';

/**
 * Whether everybody has gone who could do what is waited for. Asked on each beat of a wait; it counts when it was so for {@link CERTAIN} ms, since who
 * comes may be under way in between.
 */
const CERTAIN = 1_000;

export class Desertion {
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
    this.#certain = now - this.#since >= CERTAIN;
  }

  /** Nobody waits any more. */
  reset(): void {
    this.#since = null;
    this.#certain = false;
  }
}
