/**
 * What a pool and its workers say to each other over a Link.
 *
 * A worker takes its records in order and runs one item at a time, so results need no ids: the
 * parent keeps the batches it sent in a queue, and each VALUE or ERROR belongs to the next
 * unsettled item of the oldest.
 *
 * A batch record stays in the ring until its last item has a result, and its state word decides who
 * has it:
 *
 *   QUEUED    -> STARTED    the worker takes it
 *   QUEUED    -> WITHDRAWN  the parent takes it back (for another worker, or for good); the worker skips it
 *   STARTED   -> STOPPED    the parent wants no further items of it; the result of the running one says so (Halted)
 *
 * The state word carries the attempt (0 for the first) above the two status bits.
 *
 * A worker that runs several items at once (`concurrency`) gives a record back when it has decoded
 * it. Its results come in any order, and say whose they are: their id is the number of the record,
 * which both sides count from 1, and their state word the index of the item. What is to stop is
 * named in ABORT_TICKET, ABORT_SEQUENCE and ABORT_INDEX, one at a time: the parent names the next
 * when the worker has said AbortTaken.
 *
 * Control words, a cache line apart:
 *
 *   STARTED_ITEMS  u32, written by the worker just before an item runs. On a worker's death the parent compares it with
 *                  the results it has: one more than those means that an item was running, and it is that one.
 *   ABORT_ITEM     u32, written by the parent: the ordinal (STARTED_ITEMS) of the item whose AbortSignal is to fire.
 *   PREPARING      Preparing, written by the worker: what it does with the record that it took, while no item runs. A death just then
 *                  is that record's: decoding and importing run foreign code, and take memory, as items do.
 *   MEMORY         u32, written by the worker between items: the memory it takes, in units of MEMORY_UNIT bytes.
 *   ENDING         Ending, written by the worker once it was told to stop and obeys.
 *
 * Beside them stand the reason for which an item is to stop (abort-reason.ts) and the end of stderr
 * (stderr-tail.ts).
 */
export enum MessageKind {
  // parent to worker
  Define = 1,
  Forget = 2,
  Initialize = 3,
  Call = 4,
  Chunk = 5,
  Stop = 6,
  /** Code records that functions behind it name. */
  Code = 8,
  /** What travels with the batch behind it beside its items, see CallContext. */
  Context = 10,
  /** Before `Initialize`: what the worker has of its parent, its key and the state of modules. */
  Inherit = 9,
  /** Ends a message that was given up while it followed in parts. Nothing is done. */
  Void = 7,
  // worker to parent
  Ready = 16,
  InitializerFailed = 17,
  Started = 18,
  Value = 19,
  Error = 20,
  /**
   * What the running item reported; its id says how many reports before it were dropped, because
   * there was no room.
   */
  Report = 22,
  /**
   * None of the batch's items can run: its function (id 1) or its payload (id 0) cannot be rebuilt.
   */
  Broken = 23,
  /** An error that nobody caught, and that ends the worker. */
  Uncaught = 24,
  /** What `workerExit` returned, or threw. */
  Exited = 25,
  ExitFailed = 26,
  /** Of several items at once: the items of record `id` from the one in the state word on do not begin. */
  Cut = 27,
  /** Of several items at once: it has read what is to stop; the next may be named. */
  AbortTaken = 28,
  /** The item that ends next is among the slowest so far, see SlowItem. */
  Slow = 29,
}

/** Flags beside the kind. */
export enum Flag {
  /** Items are argument lists. */
  Spread = 0x100,
  /** The worker announces each item with a Started record before it runs. */
  Announce = 0x200,
  /** With a Value or Error: the batch was stopped, and its further items do not run. */
  Halted = 0x400,
  /** Items are messages of their own, see Pack in encoded-items.ts. */
  Packed = 0x1000,
  /** Some items of a message that holds more, see Part in encoded-items.ts. */
  Part = 0x2000,
  /** From a worker: code records stand in front of the value. */
  Codes = 0x800,
  /** The last `Context` record before this one goes with the batch. */
  Context = 0x4000,
  /** Nobody looks at values before the last of the batch: fast ones need not ring. */
  Quiet = 0x8000,
}

/** What a worker is told of itself, with `Inherit`. */
export interface WorkerFacts {
  /** Its place among the workers of its pool, from 0 on; its successor has the same. */
  readonly number: number;
  /** Items that it runs at once. */
  readonly concurrency: number;
  /** The CPU it runs on; `null`: any. */
  readonly cpu: number | null;
  /** Whether its memory is limited. */
  readonly limited: boolean;
}

/** The low byte of a kind. */
export const KIND = 0xff;

/** Status of a batch record. */
export enum Status {
  Queued = 0,
  Started = 1,
  Withdrawn = 2,
  Stopped = 3,
}

/** The bits of a state word that hold the status; the attempt stands above them. */
export const STATUS = 0x3;
export const ATTEMPT_SHIFT = 2;

/** Control words of the link (indices of Int32). */
export const STARTED_ITEMS = 16;
export const ABORT_ITEM = 32;

/** The same for a worker that runs several items at once, see concurrent-items.ts. */
export const ABORT_TICKET = 32;
export const ABORT_SEQUENCE = 33;
export const ABORT_INDEX = 34;

/** In the place of the index of one item. */
export enum AbortScope {
  /** All items of the batch: those that run are told, the others do not begin. */
  Batch = -1,
  /** Those that have not begun. */
  Rest = -2,
}

export const PREPARING = 48;
export const ENDING = 64;
export const MEMORY = 80;
/** Bytes that a unit of the word MEMORY stands for. */
export const MEMORY_UNIT = 1024;

/** What a worker does that was told to stop. */
export enum Ending {
  /** It has not come to that yet. */
  No = 0,
  /** It ends. */
  Leaving = 1,
  /** It runs the pool's `workerExit`. */
  Hook = 2,
}

/** What a worker does before the first item of a record runs. */
export enum Preparing {
  Nothing = 0,
  /** It runs the pool's initializer, or loads what that needs. */
  Initializer = 1,
  /** It rebuilds the record's function: all items of the record need that. */
  Function = 2,
  /** It decodes the record's items. */
  Items = 3,
}

/**
 * Bytes of one direction of a link. Only what is used takes memory; half of it is the largest
 * record.
 */
export const LINK_CAPACITY = 1 << 22;

/** The argument list of a call without arguments. It goes as an empty payload. */
export const NO_ARGUMENTS: readonly unknown[] = [];
