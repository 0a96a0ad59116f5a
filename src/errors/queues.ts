import { brand, MultiprocessError } from './multiprocess-error.js';

/**
 * No item arrived in time. `MP_QUEUE_EMPTY`.
 * @example
 * import { Queue, QueueEmptyError } from 'multiprocess';
 *
 * await using queue = new Queue();
 * const error = await queue.get({ timeout: 1 }).catch((reason) => reason);
 * console.log(error instanceof QueueEmptyError); // true
 */
export class QueueEmptyError extends MultiprocessError {}
brand(QueueEmptyError, 'MP_QUEUE_EMPTY');

/**
 * No room appeared in time. `MP_QUEUE_FULL`.
 * @example
 * import { Queue, QueueFullError } from 'multiprocess';
 *
 * await using queue = new Queue<number>({ maxSize: 1 });
 * queue.putNowait(1);
 * try {
 *   queue.putNowait(2);
 * } catch (error) {
 *   console.log(error instanceof QueueFullError); // true
 * }
 * queue.getNowait();
 */
export class QueueFullError extends MultiprocessError {}
brand(QueueFullError, 'MP_QUEUE_FULL');

/**
 * A writer ended without completing; what it had not sent is lost. `MP_PRODUCER_LOST`.
 * @example
 * import { Process, ProducerLostError, Queue } from 'multiprocess';
 *
 * await using lines = new Queue<string>();
 * const producer = await new Process(async () => {
 *   await lines.put('the only one');
 *   process.kill(process.pid, 'SIGKILL'); // before it completes
 * }).start();
 * try {
 *   for await (const line of lines) console.log(line); // the only one
 * } catch (error) {
 *   console.log(error instanceof ProducerLostError); // true
 * }
 * await producer.join();
 */
export class ProducerLostError extends MultiprocessError {}
brand(ProducerLostError, 'MP_PRODUCER_LOST');
