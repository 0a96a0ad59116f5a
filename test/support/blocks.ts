/**
 * Names in /dev/shm that this run made. The directory is the machine's: other programs, and other runs of the suites, make names there too.
 * So each process of a run notes the names that it makes in a file (MULTIPROCESS_NAMES_LOG, see src/native/names-log.ts) which is the run's own.
 */
import { closeSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const log = join(tmpdir(), `multiprocess-names-${process.pid}-${performance.timeOrigin}.log`);

/** Begins to note the names made by this process and by those that it starts. */
export function noteNames(): void {
  closeSync(openSync(log, 'w'));
  process.env.MULTIPROCESS_NAMES_LOG = log;
}

/** Those of them that are there, sorted. */
export function ownBlocks(): string[] {
  const made = new Set(readFileSync(log, 'utf8').split('\n').map(decodeURIComponent));
  return readdirSync('/dev/shm')
    .filter((name) => made.has(name))
    .sort();
}

/** Ends it. */
export function forgetNames(): void {
  delete process.env.MULTIPROCESS_NAMES_LOG;
  rmSync(log, { force: true });
}
