/** Bytes that several agents share, and how they wait on them and talk through them. */

export { Linger } from './linger.js';
export { Link, type LinkBells, LinkSide, linkBytes, type Payload } from './link.js';
export { Region } from './region.js';
export { RECORD_HEADER, RING_HEADER, RingReader, RingWriter, ringBytes } from './ring.js';
export { WaitCell, type WaitOutcome } from './wait-cell.js';
