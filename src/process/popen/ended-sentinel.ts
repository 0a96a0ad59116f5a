import { closeDescriptor, createPipe } from '../../native/index.js';

/** A descriptor that is readable from the start, for a child that has ended already. */
export function endedSentinel(): number {
  const [reads, writes] = createPipe();
  closeDescriptor(writes);
  return reads;
}
