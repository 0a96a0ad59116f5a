/** What goes over the broker: subjects, messages, payloads. */
export { fetchBlob, storeBlob } from './blobs.js';
export * from './channel-messages.js';
export { type ChannelKind, ChannelNames, SERIALIZER_HEADER } from './channel-names.js';
export { decodeError, encodeError } from './errors.js';
export * from './messages.js';
export { encodeValue, MAX_PAYLOAD_BYTES } from './payload.js';
export { type RunRecord, readRunRecord, writeRunRecord } from './run-record.js';
export {
  classOf,
  codeBlob,
  driverSubject,
  durableId,
  isDurable,
  nameOfRun,
  PoolNames,
  type PriorityClass,
  partSubject,
} from './subjects.js';
