/** What a worker that ended left: what it died of, and what it said last. */
import { PendingValue } from '../../reduction/index.js';
import { clearTimeout, setTimeout } from '../../util/timers.js';
import { Blame } from '../scheduling/blame.js';
import { Preparing } from '../wire/protocol.js';
import type { BatchLedger } from './batch-ledger.js';
import { Unreadable, type WorkerChannel } from './worker-channel.js';

/** Milliseconds in which the modules of a dead worker's last error may load. */
const ERROR_LOAD_TIMEOUT_MS = 1000;

/** What a worker died of. */
export interface CauseOfDeath {
  readonly blame: Blame;
  /** How messages call it; `null` for nothing that is known. */
  readonly subject: string | null;
}

/** How `workerExit` ended in a worker: what it returned, or threw. */
export interface Farewell {
  readonly failed: boolean;
  readonly value: unknown;
}

/** What a worker said last. */
export interface LastWords {
  /** The error that it did not catch. */
  readonly uncaught: unknown;
  /** How its `workerExit` ended; a promise while what that takes is loaded. */
  readonly farewell: Farewell | Promise<Farewell> | null;
}

/** What of its oldest batch a worker died of that ran one item at a time. */
export function causeOfDeath(ledger: BatchLedger, channel: WorkerChannel): CauseOfDeath {
  const blame = blamed(ledger, channel);
  const first = ledger.first();
  return { blame, subject: blame === Blame.None ? null : (first?.subject(first.received) ?? null) };
}

function blamed(ledger: BatchLedger, channel: WorkerChannel): Blame {
  const batch = ledger.first();
  if (batch === undefined) return Blame.None;
  if (channel.started !== ledger.results) return Blame.Item;
  const { preparing } = channel;
  if (preparing === Preparing.Function) return Blame.Function;
  return preparing === Preparing.Items || channel.arriving(batch) > 0 ? Blame.Items : Blame.None;
}

/**
 * Tells the error that the worker did not catch, and how its `workerExit` ended: at once, or when
 * the modules that they need are loaded.
 */
export function lastWords(
  { uncaught, farewell }: LastWords,
  tell: (uncaught: unknown, farewell: Farewell | null) => void,
): void {
  if (farewell instanceof Promise)
    void soon(farewell).then((loaded) => tell(undefined, (loaded as Farewell | undefined) ?? null));
  else if (uncaught instanceof PendingValue) void soon(uncaught.ready).then((reason) => tell(reason, farewell));
  else tell(uncaught instanceof Unreadable ? undefined : uncaught, farewell);
}

/** What a promise gives, if it does so while somebody would wait for it; else nothing. */
function soon(promise: Promise<unknown>): Promise<unknown> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ERROR_LOAD_TIMEOUT_MS);
    promise.then(resolve, resolve).finally(() => clearTimeout(timer));
  });
}
