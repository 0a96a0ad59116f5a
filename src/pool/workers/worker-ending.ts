import type { Popen } from '../../process/index.js';
import { debug } from '../../util/logger.js';
import { clearTimeout, setTimeout } from '../../util/timers.js';

/**
 * Milliseconds a worker that was told to end has for its exit handlers, and the kernel for ending
 * one that was killed.
 */
export const EXIT_TIMEOUT_MS = 10_000;

/** The worker that is to end. */
export interface EndingOwner {
  readonly name: string;
  readonly child: Popen;
  /** Whether it has ended. */
  readonly over: boolean;
  /** It cannot be signalled: lets it end by itself. */
  retire(): void;
  /** It was killed, and nothing tells its end. */
  vanished(): void;
}

/** How a worker is made to end that does not do so by itself, and when it is looked at for that. */
export class WorkerEnding {
  /** Why this process killed it, if it did so because it was of no use. */
  condemned: string | null = null;
  readonly #owner: EndingOwner;
  /** Makes a terminated worker end; results do not put it off, unlike the timers of an item. */
  #killTimer: NodeJS.Timeout | null = null;
  /** Looks whether a worker that should end, or should be ready, is. */
  #lifeTimer: NodeJS.Timeout | null = null;

  constructor(owner: EndingOwner) {
    this.#owner = owner;
  }

  /** Calls `look` after so many milliseconds, unless the worker has ended; in place of the last. */
  inspect(after: number, look: () => void): void {
    this.relax();
    this.#lifeTimer = setTimeout(() => {
      this.#lifeTimer = null;
      if (!this.#owner.over) look();
    }, after);
    // Who waits for the worker keeps the event loop alive.
    this.#lifeTimer.unref();
  }

  /** What {@link inspect} waits for has come. */
  relax(): void {
    if (this.#lifeTimer !== null) clearTimeout(this.#lifeTimer);
    this.#lifeTimer = null;
  }

  /** Kills it, for it is of no use. `reason` completes "it was killed: ". */
  condemn(reason: string): void {
    this.condemned ??= reason;
    this.signal('SIGKILL');
  }

  /**
   * Signals it. One that runs as a user whom this process may not signal any more (setuid) is let
   * go instead.
   */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    try {
      this.#owner.child.signal(signal);
    } catch (error) {
      debug('%s cannot be signalled: %s', this.#owner.name, (error as Error).message);
      this.#owner.retire();
    }
  }

  /** Ends it now: SIGTERM, then SIGKILL after `grace` milliseconds. */
  terminate(grace: number): void {
    this.signal('SIGTERM');
    this.#killTimer ??= setTimeout(() => {
      this.signal('SIGKILL');
      // One that even that does not end, because its end cannot be told or the kernel holds it,
      // keeps nobody waiting.
      this.#killTimer = setTimeout(() => this.#owner.vanished(), EXIT_TIMEOUT_MS);
    }, grace);
  }

  /** It has ended. */
  over(): void {
    if (this.#killTimer !== null) clearTimeout(this.#killTimer);
    this.relax();
  }
}
