/** The program of a pool worker. */
import { Region } from '../memory/region.js';
import { inherit } from '../process/inherit.js';
import { WorkerLoop } from './worker-loop.js';

const [memory, parent, worker] = inherit().descriptors as [number, number, number];
// Ctrl-C reaches the whole process group; the parent decides what becomes of its workers.
process.on('SIGINT', () => {});

new WorkerLoop(Region.attach(memory), { parent, worker }, () => void end()).start();

/** Ends the process when what it wrote is out: an exit drops what a full pipe has not taken yet. */
async function end(): Promise<void> {
  const streams = [process.stdout, process.stderr].filter((stream) => stream.writableLength > 0);
  await Promise.all(streams.map((stream) => new Promise((written) => stream.write('', written))));
  process.exit(0);
}
