/** Functions on other hosts. */
export { type DescribedCallable, describeCallable } from './describe-callable.js';
export { resolveModule } from './resolve-module.js';
