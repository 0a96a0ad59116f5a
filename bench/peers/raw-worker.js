/** Runs the task that `workerData` names for each message; for an array, for each of its elements. */
import { parentPort, workerData } from 'node:worker_threads';
import { tasks } from './tasks.js';

const task = tasks[workerData];
parentPort.on('message', (value) => {
  parentPort.postMessage(Array.isArray(value) ? value.map(task) : task(value));
});
