/** A worker of BullMQ that does nothing. `node bullmq-worker.mjs <port>`. */
import { Worker } from 'bullmq';

const worker = new Worker('noop', async (job) => job.data.x, {
  connection: { host: '127.0.0.1', port: Number(process.argv[2]), maxRetriesPerRequest: null },
  concurrency: 64,
});
await worker.waitUntilReady();
process.send('ready');
