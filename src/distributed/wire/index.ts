/** What goes over the broker: subjects, messages, payloads. */
export { fetchBlob, storeBlob } from './blobs.js';
export { decodeError, encodeError } from './errors.js';
export * from './messages.js';
export { encodeValue } from './payload.js';
export { classOf, codeBlob, driverSubject, PoolNames, type PriorityClass, partSubject } from './subjects.js';
