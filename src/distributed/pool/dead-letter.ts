/** Items that were given up: the hosts or workers that ran them died. */
export interface DeadLetter {
  /** Index of the first item in its stream or map; 0 for a call. */
  readonly index: number;
  /** Items, when a message could not be read apart. */
  readonly count: number;
  /** How often it was tried. */
  readonly attempts: number;
  /** What the item is, as `currentTask().key` had it. */
  readonly key: string;
  /** The host that gave it up. */
  readonly host: string;
  /** Why. */
  readonly error: {
    /** Name of its class. */
    readonly name: string;
    /** What it says. */
    readonly message: string;
    /** `MP_WORKER_CRASH`, `MP_HOSTS_LOST`, …; `''` for none. */
    readonly code: string;
  };
  /** When. */
  readonly time: Date;
}
