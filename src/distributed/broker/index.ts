/** The broker: a connection to it, and what is done over one. */
export { Broker, type Msg, messageOf, type StoredMessage, type Unlisten } from './broker.js';
export { type Delivery, deliveryOf } from './delivery.js';
export { codeOf, isNothingThere, NO_STREAM, WRONG_SEQUENCE } from './errors.js';
export {
  consumersOf,
  ensurePool,
  leaseOf,
  poolExists,
  poolsOf,
  purgeBlobs,
  purgeRun,
  runRecordOf,
  runsOf,
  setLease,
  taskCounts,
  tasksLeft,
} from './pool-streams.js';
export { type BrokerRefusal, type Publication, type PublishAnswer, Publisher, publishOnce } from './publisher.js';
export { forgetRequests, Puller } from './puller.js';
export { removeTasks, removeTasksOf } from './removal.js';
export { ALL, countsOf, lastMessageOf, messagesOf } from './stream-search.js';
export {
  checkVersion,
  configOf,
  durable,
  ensureStream,
  isWithoutRoom,
  NANOS,
  type StreamRequest,
  takeBack,
} from './streams.js';
