import type { Block } from '../../memory/index.js';
import { MUTEX_WORDS, Mutex } from './mutex.js';

/** Words a guard takes. */
export const ROBUST_MUTEX_WORDS = MUTEX_WORDS;

/**
 * Short sections of a primitive that change several words, one agent at a time.
 *
 * A section never waits for anything, so it lasts about a microsecond, and whoever comes meanwhile
 * waits for it blocking, also in the awaited forms. When an agent dies inside, the next one repairs
 * first.
 */
export class RobustMutex {
  readonly #mutex: Mutex;
  readonly #name: string;
  readonly #repair: () => void;

  /**
   * @param name Whose it is, for messages.
   * @param repair Makes the words whole after an agent died anywhere in a section; it may die in
   * turn, and is then run again.
   */
  constructor(block: Block, at: number, name: string, repair: () => void) {
    this.#mutex = new Mutex(block, at, name);
    this.#name = name;
    this.#repair = repair;
  }

  /** Runs a section. It must not run another one of the same guard. */
  runLocked<R>(section: () => R): R {
    this.#mutex.acquireSync(this.#name);
    try {
      if (this.#mutex.ownerDied) {
        this.#repair();
        this.#mutex.recover();
      }
      return section();
    } finally {
      this.#mutex.release(this.#name);
    }
  }

  /**
   * Repairs at once if an agent has died inside: for those who wait for what it was about to
   * change.
   */
  repairIfAbandoned(): void {
    if (this.#mutex.abandoned) this.runLocked(() => this.#mutex.recover());
  }
}
