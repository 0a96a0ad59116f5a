/** The program of a pool worker. */
import { inspect } from 'node:util';
import { Region, reopen } from '../../memory/regions/region.js';
import { inherit, program } from '../../process/child/inherit.js';
import { identity } from '../../process/identity.js';
import { setStartMethod } from '../../process/start-method.js';
import { noteStderr } from '../wire/stderr-tail.js';
import { WorkerLoop } from './worker-loop.js';

function begin(): void {
  const { name, method, descriptors } = inherit();
  identity().name = name;
  setStartMethod(method, { force: true });
  const [memory, parent, worker] = descriptors as [number, number, number];
  // Ctrl-C reaches the whole process group; the parent decides what becomes of its workers.
  process.on('SIGINT', () => {});

  // A thread's descriptors are its parent's to close.
  const region = method === 'thread' ? Region.over(reopen(process.pid, memory)) : Region.attach(memory);
  const loop = new WorkerLoop(region, { parent, worker }, () => void end(), method === 'thread');
  const note = noteStderr(loop.control);
  process.on('uncaughtExceptionMonitor', (error) => {
    // With a listener of the user's it does not end the worker.
    if (process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback()) return;
    note(`${inspect(error)}\n`);
    loop.uncaught(error);
  });
  loop.start();
}

/** Ends the process when what it wrote is out: an exit drops what a full pipe has not taken yet. */
async function end(): Promise<void> {
  const streams = [process.stdout, process.stderr].filter((stream) => stream.writableLength > 0);
  await Promise.all(streams.map((stream) => new Promise((written) => stream.write('', written))));
  process.exit(0);
}

program('pool/worker/worker', begin);
