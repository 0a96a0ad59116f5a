/** The broker: a connection to it, and what is done over one. */
export { Broker, type Msg, messageOf, type Unlisten } from './broker.js';
export {
  ensurePool,
  leaseOf,
  poolExists,
  poolsOf,
  purgeBlobs,
  setLease,
  taskCounts,
} from './pool-streams.js';
export { type BrokerRefusal, type Publication, Publisher, publishOnce } from './publisher.js';
export { Puller } from './puller.js';
export { removeTasks, removeTasksOf } from './task-removal.js';
