/** What goes over the broker: subjects, messages, payloads. */
export { fetchBlob, storeBlob } from './blobs.js';
export { decodeError, encodeError } from './errors.js';
export * from './messages.js';
export { type Encoded, encodeValue } from './payload.js';
export { CLASSES, classOf, codeBlob, driverSubject, PoolNames, PROTOCOL, type PriorityClass, partSubject } from './subjects.js';
