/** Named blocks of shared memory as the kernel shows them: files of /dev/shm. */
import { statSync } from 'node:fs';

/** Their folder. */
export const BLOCKS_FOLDER = '/dev/shm/';

/** Returns which block has this name, as no other one does while it exists; `null` for none. */
export function blockIdOf(name: string): string | null {
  const found = statSync(BLOCKS_FOLDER + name, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : `${found.dev}:${found.ino}`;
}
