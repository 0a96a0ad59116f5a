/** The name of the method by which an object of any class can be waited for. */
export const WAITABLE = Symbol.for('multiprocess.waitable');

/** An object of any class that can be waited for. */
export interface WaitableObject {
  /**
   * Called once for each wait.
   *
   * @param onReady to be called once when the object becomes ready.
   * @returns `true` when it is ready now (then `onReady` is not called), otherwise a function that
   * takes the wait back.
   */
  [WAITABLE](onReady: () => void): true | (() => void);
}

/**
 * Waits by a promise: what a WAITABLE method answers that is not ready now. One that rejects is
 * ready too, for whoever uses the object then learns why.
 */
export function readyBy(begin: (signal: AbortSignal) => Promise<unknown>, onReady: () => void): () => void {
  const gone = new AbortController();
  const settled = () => {
    if (!gone.signal.aborted) onReady();
  };
  begin(gone.signal).then(settled, settled);
  return () => gone.abort();
}
