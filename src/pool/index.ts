/** Pools: what users have of them, and what the layers above take beside it. */

export { CallProgress } from './async-result.js';
export {
  asyncCall,
  CALLBACKS,
  type CallOutcome,
  type CallWatcher,
  checkArguments,
  checkSpread,
  promised,
} from './call-forms.js';
export { joined } from './joined.js';
export { CALL_OPTIONS, checkCallValues } from './options.js';
export { checkStreamOptions } from './pool.js';
export * from './public.js';
export { type CallSite, CallSiteBudget } from './scheduling/call-site.js';
export { markItem } from './scheduling/item-index.js';
export { plainCopy } from './scheduling/plain-copy.js';
export { afterFailure, RetryPolicy } from './scheduling/retry-policy.js';
export { limit } from './time-limit.js';
export { checkCallable } from './wire/function-registry.js';
export { fromWorker } from './wire/remote-error.js';
