import { appendFileSync } from 'node:fs';

const LOG_VARIABLE = 'MULTIPROCESS_NAMES_LOG';

/**
 * Appends a name that is about to be made in /dev/shm to the file that MULTIPROCESS_NAMES_LOG
 * names; nothing without it. The directory is shared by all programs of the machine: who looks for
 * leaks, as our suites do, learns from the file which names are ours.
 */
export function noteName(name: string): void {
  const path = process.env[LOG_VARIABLE];
  if (path !== undefined) appendFileSync(path, `${encodeURIComponent(name)}\n`);
}
