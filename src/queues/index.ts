/** Queues and topics: what users have of them, and what the layers above take beside it. */

export * from './public.js';
export { queueEmpty, queueFull, tooManyDone } from './shared/messages.js';
