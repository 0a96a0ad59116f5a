/** Pools: what users have of them, and what the layers above take beside it. */

export { CallProgress } from './async-result.js';
export { CALL_OPTIONS, checkCallValues, limit } from './options.js';
export * from './public.js';
export { type CallSite, CallSiteBudget } from './scheduling/call-site.js';
export { markItem } from './scheduling/item-index.js';
export { plainCopy } from './scheduling/plain-copy.js';
export { fromWorker } from './wire/remote-error.js';
