/** The files of listening unix sockets, which are removed when the listener closes or the process ends. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmdirSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { registerAfterFork } from '../util/after-fork.js';
import { keptByForks } from '../util/at-exit.js';
import { disownPath, ownPath } from '../util/owned-paths.js';

/** Longest path of a unix socket, bytes. */
const LONGEST = 107;
const files = new Set<SocketFile>();
let hooked = false;

/** The file of one listener. */
export class SocketFile {
  readonly path: string;
  /** It lies in a folder that was made for it. */
  readonly #own: boolean;

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

  /** A path in a new folder that only this user may enter (mode 0700). */
  static arbitrary(): SocketFile {
    const name = `listener-${randomBytes(6).toString('hex')}`;
    const folder = mkdtempSync(join(tmpdir().length + name.length + 24 < LONGEST ? tmpdir() : '/tmp', 'multiprocess-'));
    return new SocketFile(join(folder, name), true);
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
      unlinkSync(this.path);
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
