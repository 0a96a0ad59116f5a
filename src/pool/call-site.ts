/**
 * Where in the user's program a call was made, for the stack of an error that comes back from a worker.
 *
 * Capturing costs 1 to 3 microseconds, ten times what the rest of a small call does, so it is rationed: the first calls of
 * a burst are captured, then one each {@link REFILL} ms, which costs a busy caller about 1 %. The text is made only when it is
 * read.
 */

/** A captured call. */
export interface Site {
  readonly stack?: string;
}

/** Calls of a burst that are captured. */
const BURST = 128;
/** Milliseconds that earn one more. */
const REFILL = 0.25;
/** Calls without a ration between two looks at the clock, which costs a tenth of such a call. */
const PATIENCE = 16;
const DEPTH = 20;

let ration = BURST;
let refilled = 0;
let skipped = 0;

/** Captures the caller; `null` when this is one call of very many. */
export function takeSite(): Site | null {
  if (ration === 0) {
    if (++skipped < PATIENCE) return null;
    skipped = 0;
    const now = performance.now();
    ration = Math.min(BURST, Math.floor((now - refilled) / REFILL));
    if (ration === 0) return null;
    refilled = now;
  }
  ration--;
  const site: Site = {};
  const { stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = DEPTH;
    Error.captureStackTrace(site, takeSite);
    Error.stackTraceLimit = stackTraceLimit;
  } catch {
    // The host has frozen Error.
    return null;
  }
  return site;
}
