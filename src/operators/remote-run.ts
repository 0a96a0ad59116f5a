/**
 * What runs in the worker for `remote`: reads what the target gives and puts it into the queue, as
 * far as there are credits.
 */
import { currentTask } from '../pool/index.js';
import { defaultExport } from '../process/child/default-export.js';
import type { Queue } from '../queues/index.js';
import { checkSource, type Source } from '../streams/index.js';
import { onAbort } from '../util/abort.js';
import { pour } from './pour.js';

/**
 * Runs `target` and pours what it returns into `queue`. An item's error, and the target's, end the
 * queue.
 */
export default async function remoteRun(
  queue: Queue<unknown>,
  target: ((...args: unknown[]) => unknown) | URL,
  args: readonly unknown[],
): Promise<void> {
  const signal = currentTask()?.signal;
  let unlisten: (() => void) | undefined;
  try {
    const source = (await (typeof target === 'function' ? target : await defaultExport(target.href))(
      ...args,
    )) as Source<unknown>;
    checkSource('remote', source);
    const pouring = pour(source, undefined, (item) => queue.put(item, signal === undefined ? {} : { signal }));
    await new Promise<void>((done, fail) => {
      pouring.done.then(done, fail);
      const stop = () => {
        pouring.cancel();
        done();
      };
      if (signal?.aborted === true) stop();
      else if (signal !== undefined) unlisten = onAbort(signal, stop);
    });
    if (signal?.aborted !== true) queue.complete();
  } catch (error) {
    if (signal?.aborted !== true) queue.error(error);
  } finally {
    unlisten?.();
    queue.close();
  }
}
