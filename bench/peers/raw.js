/** Bare worker threads: postMessage round robin, an answer per message, no promises, no queue, no errors. */
import { Worker } from 'node:worker_threads';

const file = new URL('./raw-worker.js', import.meta.url);

export function openRaw(name, count) {
  const workers = Array.from({ length: count }, () => new Worker(file, { workerData: name }));
  let next = 0;
  return {
    workers,
    post(value) {
      workers[next].postMessage(value);
      if (++next === count) next = 0;
    },
    onAnswer(settled, failed) {
      for (const worker of workers) worker.removeAllListeners('message').on('message', settled).on('error', failed);
    },
    close: () => Promise.all(workers.map((worker) => worker.terminate())),
  };
}
