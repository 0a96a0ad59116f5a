/** Bytes that several agents share, and how they wait on them and talk through them. */

export type { BlockHandle } from './regions/arena.js';
export {
  allocateBlock,
  allocateMapped,
  attachBlock,
  attachMapped,
  Block,
  isBlockHandle,
  MappedBlock,
  shareForFork,
  TRANSIT,
} from './regions/block.js';
export { Region } from './regions/region.js';
export { acquireRegion, enterRegion, regionHandle, releaseRegion } from './regions/registry.js';
export { type ParcelHandle, ParcelInbox, ParcelPool } from './ring/buffer-pool.js';
export { Link, type LinkBells, LinkSide, linkBytes, type Payload } from './ring/link.js';
export { PAD, RECORD_HEADER, RING_HEADER, RingReader, RingWriter, recordBytes, ringBytes } from './ring/ring.js';
export { Freight, freightOf, holdUntil, noteKeep } from './shareable/freight.js';
export {
  ATTACH,
  type BlockOnly,
  forgetShared,
  isShareable,
  noteMemory,
  registerShareable,
  toShared,
} from './shareable/shareable.js';
export { Spin } from './waiting/backoff.js';
export { Linger } from './waiting/idle-backoff.js';
export { mayBeBrief } from './waiting/sync-wait-budget.js';
export { AGENT, agentOf, hasEnded, idOf, self } from './waiting/agent.js';
export { WaitCell } from './waiting/wait-cell.js';
export { type Attempt, BEAT, type Gate, PATIENCE, sleepUntil, Urgency } from './waiting/wait-protocol.js';
export { type Bounds, WaitQueue } from './waiting/wait-queue.js';
