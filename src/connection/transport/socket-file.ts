/**
 * The files of listening unix sockets, which are removed when the listener closes or the process
 * ends: by path, and only while the path still means the socket that was bound there. Another
 * listener may have removed the file and taken its place.
 */
import { randomBytes } from 'node:crypto';
import { type BigIntStats, lstatSync, rmdirSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { unixSockets } from '../../platform/proc-linux.js';
import { abstractAddress, MAX_PATH_BYTES, SHORT_TEMP_FOLDER } from '../../platform/sockets-linux.js';
import { registerAfterFork } from '../../util/after-fork.js';
import { keptByForks } from '../../util/at-exit.js';
import { disownPath, ownPath } from '../../util/owned-paths.js';
import { makeTempDir } from '../../util/temp-dir.js';

const files = new Set<SocketFile>();
let hooked = false;

/** The file of one listener. */
export class SocketFile {
  readonly path: string;
  /** It lies in a folder that was made for it. */
  readonly #own: boolean;
  /** Which file it is, once it is bound. */
  #bound: BigIntStats | undefined;

  constructor(path: string, own: boolean) {
    this.path = path;
    this.#own = own;
    files.add(this);
    ownPath(this.#left);
    if (hooked) return;
    hooked = true;
    // A fork of this process listens too, but the files are not its own.
    registerAfterFork(files, (inherited) => inherited.clear());
    process.on(
      'exit',
      keptByForks(() => {
        for (const file of files) file.remove();
      }),
    );
  }

  /**
   * Returns a path in a new folder that only this user may enter (mode 0700).
   * @throws MultiprocessError `MP_SYSTEM` where none can be made.
   */
  static arbitrary(): SocketFile {
    const name = listenerName();
    const room = Buffer.byteLength(tmpdir()) + name.length + 24 < MAX_PATH_BYTES;
    const folder = makeTempDir('Listener.listen', room ? tmpdir() : SHORT_TEMP_FOLDER, 'give it an `address`');
    return new SocketFile(join(folder, name), true);
  }

  /** A socket has been bound there. */
  bound(): void {
    this.#bound = lstatSync(this.path, { bigint: true, throwIfNoEntry: false });
  }

  /** What is left of it when nobody removes it. */
  get #left(): string {
    return this.#own ? dirname(this.path) : this.path;
  }

  /** Removes it. Idempotent. */
  remove(): void {
    if (!files.delete(this)) return;
    disownPath(this.#left);
    try {
      const there = lstatSync(this.path, { bigint: true });
      if (there.ino === this.#bound?.ino && there.dev === this.#bound.dev) unlinkSync(this.path);
    } catch {
      // Somebody else removed it.
    }
    if (!this.#own) return;
    try {
      rmdirSync(dirname(this.path));
    } catch {
      // Somebody else put something there.
    }
  }
}

/** Returns an address that is no file. */
export function freshName(): string {
  return abstractAddress(`multiprocess-${listenerName()}`);
}

function listenerName(): string {
  return `listener-${randomBytes(6).toString('hex')}`;
}

/**
 * Returns whether it is the file of a unix socket at which nobody listens, as far as can be seen
 * without connecting to it.
 */
export function isStale(address: unknown): boolean {
  if (typeof address !== 'string') return false;
  try {
    if (!lstatSync(address).isSocket()) return false;
    // Paths stand there as they were bound, also relative ones.
    const name = basename(address);
    return unixSockets()?.some((path) => basename(path) === name) === false;
  } catch {
    return false;
  }
}
