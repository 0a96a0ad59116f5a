/** Every error class of the library, by what the caller can do about it. */

export { AuthenticationError, BufferTooShortError, ConnectionError } from './connection.js';
export { type ErrorDetails, MultiprocessError } from './multiprocess-error.js';
export { ProcessError, RemoteError, type WorkerCrashDetails, WorkerCrashError } from './process.js';
export { ProducerLostError, QueueEmptyError, QueueFullError } from './queues.js';
export { type SerializationDetails, SerializationError } from './reduction.js';
export { MapFullError } from './shared-map.js';
export { StreamConsumedError, StreamOverflowError } from './streams.js';
export { BrokenBarrierError, NotOwnerError } from './synchronize.js';
export { ArgumentError, ClosedError, TimeoutError, UnsupportedError } from './usage.js';
