import { onAbort } from './abort.js';
import { after } from './after.js';

/**
 * Bounds a wait: calls `onTimeout` when its time is over (below 0: as 0), and `onAborted` with the
 * reason when its signal aborts. Keeps the event loop alive until the time is over. Call it only
 * before the signal aborted.
 *
 * @returns what takes both back. The one that is called takes nothing back.
 */
export function limitWait(
  { timeout, signal }: { readonly timeout?: number | undefined; readonly signal?: AbortSignal | undefined },
  onTimeout: () => void,
  onAborted: (reason: unknown) => void,
): () => void {
  const unset = timeout === undefined ? undefined : after(Math.max(0, timeout), onTimeout);
  const unlisten = signal === undefined ? undefined : onAbort(signal, () => onAborted(signal.reason));
  return () => {
    unset?.();
    unlisten?.();
  };
}
