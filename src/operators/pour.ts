/**
 * Reading any source to its end, item by item, as fast as `put` takes them: the engine of toQueue.
 */
import { DONE, FAILED, type Overflow, openSource, type PullReader, type Source, WAIT } from '../streams/index.js';
import { type Deferred, deferred } from '../util/deferred.js';

/** A reading under way. */
export interface Pouring {
  /**
   * Resolves at the end of the source, rejects with its error or that of `put`. Never settles after
   * `cancel`.
   */
  readonly done: Promise<void>;
  /** Returns the source. */
  cancel(): void;
}

/** Reads `source`, which was checked, and hands each item to `put`, one after the other. */
export function pour<T>(
  source: Source<T>,
  overflow: Overflow<T> | undefined,
  put: (item: T) => Promise<void>,
): Pouring {
  let woken: Deferred<void> | null = null;
  let cancelled = false;
  let reader: PullReader<T>;
  try {
    reader = openSource(source, { wake: () => woken?.resolve(), capacity: () => 1_024, overflow });
  } catch (error) {
    // It can be read only once, and was; or its iterator cannot be had.
    return { done: Promise.reject(error), cancel: () => {} };
  }
  const run = async () => {
    let started = false;
    while (!cancelled) {
      const items: T[] = [];
      woken = deferred<void>();
      // One at a time: what has been read and not put is lost when the reading is given up.
      const state = reader.read(items, 1);
      if (!started) {
        started = true;
        reader.start?.();
      }
      for (const item of items) {
        await put(item);
        if (cancelled) return;
      }
      if (state === DONE) return;
      if (state === FAILED) throw reader.error;
      if (state === WAIT) await woken.promise;
    }
  };
  const done = new Promise<void>((resolve, reject) => {
    run().then(
      () => cancelled || resolve(),
      async (error: unknown) => {
        if (cancelled) return;
        await reader.cancel(error).catch(() => {});
        reject(error);
      },
    );
  });
  return {
    done,
    cancel: () => {
      if (cancelled) return;
      cancelled = true;
      woken?.resolve();
      void reader.cancel().catch(() => {});
    },
  };
}
