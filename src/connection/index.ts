/** Connections: what users have of them, and what the layers above take beside it. */

// Keys
export { createResponse, keyOf, verifyChallenge } from './authentication.js';
// Frames of their own
export { sendLoaded, sendPayload } from './codec.js';
export type { Exchange } from './exchange.js';
export { SMALL } from './outbox.js';
export * from './public.js';
