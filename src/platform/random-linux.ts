/** Random bytes of the kernel. */
import { closeSync, openSync, readSync } from 'node:fs';

/** Fills bytes with random ones, without loading node:crypto. Returns whether it could. */
export function fillRandom(bytes: Uint8Array): boolean {
  let source: number | null = null;
  try {
    source = openSync('/dev/urandom', 'r');
    return readSync(source, bytes) === bytes.length;
  } catch {
    return false;
  } finally {
    if (source !== null) closeSync(source);
  }
}
