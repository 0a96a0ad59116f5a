/** Pools: what users have of them, and what the layers above take beside it. */

export { CallProgress } from './async-result.js';
export * from './public.js';
export { type CallSite, CallSiteBudget } from './scheduling/call-site.js';
export { fromWorker } from './wire/remote-error.js';
