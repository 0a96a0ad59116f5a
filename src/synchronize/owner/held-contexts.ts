import { owns, runAs, Token, unused, used } from './async-owner.js';

/** Something that is held while functions run within it. */
interface Entered<H> {
  readonly held: H;
  readonly token: Token;
}

const NOTHING: readonly never[] = [];

/**
 * What is held by functions that run now: who asks learns what its caller runs within, by the async
 * context. What such a function calls or starts counts as it.
 */
export class HeldContexts<H> {
  readonly #entered = new Set<Entered<H>>();

  /**
   * Begins to hold something.
   * @returns how functions are run within it, and how that ends.
   */
  enter(held: H): { run<R>(fn: () => R): R; leave(): void } {
    const entered: Entered<H> = { held, token: new Token() };
    const { token } = entered;
    token.depth = 1;
    used(token);
    this.#entered.add(entered);
    return {
      run: (fn) => runAs(token, fn),
      leave: () => {
        this.#entered.delete(entered);
        token.depth = 0;
        unused(token);
      },
    };
  }

  /** What the caller runs within. */
  callers(): readonly H[] {
    if (this.#entered.size === 0) return NOTHING;
    const found: H[] = [];
    for (const { held, token } of this.#entered) if (owns(token)) found.push(held);
    return found;
  }
}
