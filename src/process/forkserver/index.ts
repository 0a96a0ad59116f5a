/** The forkserver, as the rest of the library uses it. What users see of it is in public.ts. */

export { forkserver, type PreloadOptions } from './forkserver.js';
export { setForkserverPreload } from './functions.js';
export type { PreloadErrors } from './preloading.js';
