/** The program of a pool worker. */
import { Region } from '../memory/index.js';
import { bootstrap, FIRST_DESCRIPTOR } from '../process/bootstrap.js';
import { WORKER_DESCRIPTORS } from './protocol.js';
import { WorkerLoop } from './worker-loop.js';

bootstrap(WORKER_DESCRIPTORS);
// Ctrl-C reaches the whole process group; the parent decides what becomes of its workers.
process.on('SIGINT', () => {});

const bells = { parent: FIRST_DESCRIPTOR + 1, worker: FIRST_DESCRIPTOR + 2 };
new WorkerLoop(Region.attach(FIRST_DESCRIPTOR), bells, () => process.exit(0)).start();
