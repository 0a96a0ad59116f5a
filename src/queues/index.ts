/** Queues and topics: what users have of them, and what the layers above take beside it. */

export * from './public.js';
export { UnacknowledgedItems } from './queue/unacknowledged.js';
export { consumption, DEFAULT_PREFETCH } from './queue-options.js';
export { queueEmpty, queueFull, tooManyDone } from './shared/messages.js';
