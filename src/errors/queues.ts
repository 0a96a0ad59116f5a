import { brand, MultiprocessError } from './multiprocess-error.js';

/** No item arrived in time. `MP_QUEUE_EMPTY`. */
export class QueueEmptyError extends MultiprocessError {}
brand(QueueEmptyError, 'MP_QUEUE_EMPTY');

/** No room appeared in time. `MP_QUEUE_FULL`. */
export class QueueFullError extends MultiprocessError {}
brand(QueueFullError, 'MP_QUEUE_FULL');

/** A writer ended without completing; what it had not sent is lost. `MP_PRODUCER_LOST`. */
export class ProducerLostError extends MultiprocessError {}
brand(ProducerLostError, 'MP_PRODUCER_LOST');
