import { createMemory, mapMemory, unmapMemory } from '../../native/memory.js';
import { align, type PayloadHead } from './payload.js';

/**
 * Writes a payload. The descriptor is the caller's to close.
 * @throws MultiprocessError `MP_SYSTEM` without memory or descriptors.
 */
export function writePayload(head: PayloadHead, body: Uint8Array | null): number {
  const text = Buffer.from(JSON.stringify(head));
  const start = align(4 + text.length);
  const size = start + (body?.length ?? 0);
  const fd = createMemory('payload', size);
  const bytes = new Uint8Array(mapMemory(fd, size));
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  if (body !== null) bytes.set(body, start);
  unmapMemory(bytes.buffer);
  return fd;
}
