/** Bytes that several agents share, and how they wait on them and talk through them. */

export { AGENT, agentOf, hasEnded, idOf, self } from './agent.js';
export type { BlockHandle } from './arena.js';
export {
  allocateBlock,
  allocateMapped,
  attachBlock,
  attachMapped,
  BLOCK_ALIGNMENT,
  Block,
  blockIdentity,
  expectBlock,
  isBlockHandle,
  MappedBlock,
  shareForFork,
  TRANSIT,
} from './block.js';
export { type Attempt, BEAT, type Gate, PATIENCE, sleepUntil, Urgency } from './gate.js';
export { Freight, freightOf, holdUntil, type Keep, noteKeep } from './holds.js';
export { Linger } from './linger.js';
export { Link, type LinkBells, LinkSide, linkBytes, type Payload } from './link.js';
export { type ParcelHandle, ParcelInbox, ParcelPool } from './parcel-pool.js';
export { Region } from './region.js';
export { acquireRegion, enterRegion, type RegionHandle, regionHandle, releaseRegion } from './region-registry.js';
export { PAD, RECORD_HEADER, RING_HEADER, RingReader, RingWriter, recordBytes, ringBytes } from './ring.js';
export {
  forgetShared,
  fromShared,
  isRegistered,
  isShareable,
  memoryOf,
  noteMemory,
  ownerOfMemory,
  registerShareable,
  type ShareableEntry,
  type ShareableHandle,
  type SharedData,
  toShared,
} from './shareable.js';
export { type Sleep, WaitCell, type WaitOutcome } from './wait-cell.js';
export { type Bounds, WaitQueue } from './wait-queue.js';
