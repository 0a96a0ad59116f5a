/** Bytes that several agents share, and how they wait on them and talk through them. */

export type { BlockHandle } from './regions/arena.js';
export { allocateBlock, attachBlock, Block, isBlockHandle } from './regions/block.js';
export { shareForFork } from './regions/lease.js';
export { allocateMapped, attachMapped, MappedBlock } from './regions/mapped-block.js';
export { Region } from './regions/region.js';
export { acquireRegion, enterRegion, regionHandle, releaseRegion } from './regions/registry.js';
export { blockIdentity, TRANSIT_MS } from './regions/transit.js';
export { BufferInbox } from './ring/buffer-inbox.js';
export { BufferPool } from './ring/buffer-pool.js';
export { Link, type LinkBells, LinkSide, linkBytes } from './ring/link.js';
export { EMPTY_PAYLOAD, type Payload } from './ring/payload.js';
export { ID_WORD, KIND_WORD, PAD, RECORD_HEADER, recordBytes, STATE_WORD, writePad } from './ring/record-layout.js';
export { RING_HEADER, RingReader, RingWriter, ringBytes } from './ring/ring.js';
export type { BufferHandle } from './ring/shared-buffer.js';
export { Freight, freightOf, holdUntil, noteKeep } from './shareable/freight.js';
export {
  ATTACH,
  type BlockOnly,
  isShareable,
  noteMemory,
  registerShareable,
  toShared,
} from './shareable/shareable.js';
export { AGENT_MASK, agentOfThread, currentAgent, hasEnded, osThreadIdOf } from './waiting/agent.js';
export { Backoff } from './waiting/backoff.js';
export { IdleBackoff } from './waiting/idle-backoff.js';
export { announceSleeper, withdrawSleeper } from './waiting/sleeper-bits.js';
export { takeSyncWait } from './waiting/sync-wait-budget.js';
export { WaitCell } from './waiting/wait-cell.js';
export {
  type Attempt,
  LIVENESS_CHECK_MS,
  PATIENT_AFTER_MS,
  sleepUntil,
  Urgency,
  WAKE_BURST,
  type WaitProtocol,
} from './waiting/wait-protocol.js';
export { type Bounds, WaitQueue } from './waiting/wait-queue.js';
