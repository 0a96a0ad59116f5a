import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MultiprocessError } from '../errors/index.js';
import { registerAfterFork } from './after-fork.js';
import { Finalize } from './finalize.js';
import { debug } from './logger.js';
import { disownPath, ownPath } from './owned-paths.js';

const here: { path: string | null } = { path: null };
let guarded = false;

/**
 * A directory for this process's own temporary files: made when it is first asked for, with mode
 * 0700, removed with all that is in it when the process exits (not when it is killed). A forked
 * child gets one of its own.
 *
 * @throws MultiprocessError `MP_SYSTEM`, with `errno`, when it cannot be made.
 * @example
 * import { writeFileSync } from 'node:fs';
 * import { join } from 'node:path';
 * import { Pool } from 'multiprocess';
 * import { getTempDir } from 'multiprocess/util';
 *
 * const file = join(getTempDir(), 'rows.json');
 * writeFileSync(file, '[1, 2, 3]');
 * await using pool = new Pool({ processes: 1 });
 * const count = async (path: string) => JSON.parse(await (await import('node:fs/promises')).readFile(path, 'utf8')).length;
 * console.log(await pool.apply(count, [file])); // 3
 */
export function getTempDir(): string {
  if (here.path !== null) return here.path;
  const path = makeTempDir('getTempDir', tmpdir());
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

/**
 * A new directory in `parent` that only this user may enter.
 *
 * @param instead what its caller may do without one, as an imperative.
 * @throws MultiprocessError `MP_SYSTEM`, with `errno`, when it cannot be made.
 */
export function makeTempDir(actor: string, parent: string, instead?: string): string {
  try {
    return mkdtempSync(join(parent, 'multiprocess-'));
  } catch (cause) {
    const { code = 'unknown error', errno } = cause as NodeJS.ErrnoException;
    const error = new MultiprocessError(
      `${actor}: no directory for temporary files can be made in ${JSON.stringify(parent)} (${code}); set TMPDIR to a directory that exists and is writable${
        instead === undefined ? '' : `, or ${instead}`
      }.`,
      { code: 'MP_SYSTEM', cause },
    );
    throw Object.assign(error, { errno, syscall: 'mkdtemp' });
  }
}
