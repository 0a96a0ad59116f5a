/** Connections: what users have of them, and what the layers above take beside it. */

export type { Exchange } from './exchange/exchange.js';
// Frames of their own
export { HEADER_BYTES, writeLength } from './exchange/framing.js';
export { SMALL_MESSAGE_BYTES } from './exchange/outbox.js';
export { sendLoaded, sendPayload } from './exchange/value-frames.js';
// Keys
export { createResponse, keyOf, verifyChallenge } from './handshake/authentication.js';
export * from './public.js';
