// A plain worker thread: loads what it is sent, uses it, and dumps the result.
import { parentPort } from 'node:worker_threads';
import { dumps, loadsAsync } from 'multiprocess/reduction';

parentPort.on('message', async ({ id, bytes }) => {
  try {
    const [value, use] = await loadsAsync(bytes);
    parentPort.postMessage({ id, bytes: dumps(await use(value)) });
  } catch (error) {
    let bytes;
    try {
      bytes = dumps(error);
    } catch {
      bytes = dumps(new Error(`${error?.message} (cause: ${String(error?.cause)})`));
    }
    parentPort.postMessage({ id, bytes, failed: true });
  }
});
