import type { Popen } from '../../process/index.js';
import { debug } from '../../util/logger.js';
import { clearTimeout, setTimeout } from '../../util/timers.js';
import { Ending } from '../wire/protocol.js';
import type { WorkerChannel } from './worker-channel.js';
import type { WorkerSettings } from './worker-settings.js';

/**
 * Milliseconds a worker that was told to end has for its exit handlers, and the kernel for ending
 * one that was killed.
 */
const EXIT_TIMEOUT_MS = 10_000;

const DID_NOT_END = 'it did not end though it was told to';

/** The worker that is to end. */
export interface EndingOwner {
  readonly name: string;
  readonly child: Popen;
  /** Whether it has ended. */
  readonly over: boolean;
  /** It cannot be signalled: lets it end by itself. */
  retire(): void;
  /** Reads what it sent. */
  drain(): void;
  /** It was killed, and nothing tells its end. */
  vanished(): void;
}

/** How a worker is made to end that does not do so by itself, and when it is looked at for that. */
export class WorkerEnding {
  /** Why this process killed it, if it did. */
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

  /**
   * Bounds the time in which a worker must end that was told to and has nothing left to do:
   *
   *   grace milliseconds        to obey
   *   exitTimeout               for its `workerExit`
   *   EXIT_TIMEOUT_MS           for its exit handlers
   */
  seeOff({ grace, exitTimeout }: WorkerSettings, channel: WorkerChannel): void {
    const leave = () => this.inspect(EXIT_TIMEOUT_MS, () => this.condemn(DID_NOT_END));
    this.inspect(grace, () => {
      this.#owner.drain();
      const { ending } = channel;
      if (ending === Ending.No) this.condemn(DID_NOT_END);
      else if (ending === Ending.Leaving) leave();
      else if (exitTimeout > 0)
        this.inspect(exitTimeout, () => {
          this.#owner.drain();
          if (channel.ending === Ending.Leaving) leave();
          else this.condemn(`its \`workerExit\` had not settled after the exitTimeout of ${exitTimeout} ms`);
        });
    });
  }

  /** Kills it. `reason` completes "it was killed: ". */
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
