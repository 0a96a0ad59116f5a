/** Connections that carry messages between processes. Python: `multiprocessing.connection`. */

export { Connection, type ConnectionOptions } from './connection.js';
export type { RecvBytesOptions, WaitOptions } from './options.js';
export { type PipeOptions, pipe, pipe as Pipe } from './pipe.js';
export { WAITABLE, type Waitable, type WaitableObject, wait } from './wait.js';
