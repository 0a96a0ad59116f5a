/** A thread that the program has started itself. */
import { parentPort, workerData } from 'node:worker_threads';
import { loads } from 'multiprocess/reduction';

try {
  await loads(workerData).queue.put('from a guest');
} catch (error) {
  parentPort.postMessage(error.code);
}
