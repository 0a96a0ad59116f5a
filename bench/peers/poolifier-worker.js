/** A poolifier worker with the one task that `workerData` names. */
import { workerData } from 'node:worker_threads';
import { ThreadWorker } from 'poolifier';
import { tasks } from './tasks.js';

export default new ThreadWorker(tasks[workerData]);
