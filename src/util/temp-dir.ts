import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registerAfterFork } from './after-fork.js';
import { Finalize } from './finalize.js';
import { debug } from './logger.js';
import { disownPath, ownPath } from './owned-paths.js';

const here: { path: string | null } = { path: null };
let guarded = false;

/**
 * A directory for this process's own temporary files: made when it is first asked for, with mode 0700, removed with all that is
 * in it when the process exits (not when it is killed). A forked child gets one of its own.
 *
 * @throws the system's error when it cannot be made.
 */
export function getTempDir(): string {
  if (here.path !== null) return here.path;
  const path = mkdtempSync(join(tmpdir(), 'multiprocess-'));
  debug('created temp directory %s', path);
  here.path = path;
  ownPath(path);
  new Finalize(null, remove, { args: [path], exitPriority: -100 });
  if (!guarded) registerAfterFork(here, (inherited) => (inherited.path = null));
  guarded = true;
  return path;
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true });
  disownPath(path);
}
