/** The program of a pool worker. */
import { Region } from '../memory/index.js';
import { bootstrap, FIRST_DESCRIPTOR } from '../process/bootstrap.js';
import { WORKER_DESCRIPTORS } from './protocol.js';
import { WorkerLoop } from './worker-loop.js';

bootstrap(WORKER_DESCRIPTORS);
// Ctrl-C reaches the whole process group; the parent decides what becomes of its workers.
process.on('SIGINT', () => {});

const bells = { parent: FIRST_DESCRIPTOR + 1, worker: FIRST_DESCRIPTOR + 2 };
new WorkerLoop(Region.attach(FIRST_DESCRIPTOR), bells, () => void end()).start();

/** Ends the process when what it wrote is out: an exit drops what a full pipe has not taken yet. */
async function end(): Promise<void> {
  const streams = [process.stdout, process.stderr].filter((stream) => stream.writableLength > 0);
  await Promise.all(streams.map((stream) => new Promise((written) => stream.write('', written))));
  process.exit(0);
}
