/** A forked child that runs. */
export interface ForkedChild {
  /** Its process id. */
  readonly pid: number;
  /** Names it for good, and is readable when it has ended; -1 after {@link close}. */
  readonly sentinel: number;
  /** Sends it a signal. */
  signal(number: number): void;
  /** Whether the event loop must stay alive for it. */
  hold(on: boolean): void;
  /**
   * Looks now, without an event loop, whether it has ended; whoever waits for its end is told then.
   */
  look(): void;
  /** Blocks until it has ended or the time (milliseconds) is up: whether it has ended. */
  waitSync(timeout: number): boolean;
  /** Gives back the sentinel, when it has ended or nobody cares any more. */
  close(): void;
}
