import { createRequire } from 'node:module';
import { UnsupportedError } from '../errors/usage.js';

let path: string | undefined;

/** The program that runs spawned children. Default: the one that runs this process. */
export function executable(): string {
  return path ?? process.execPath;
}

/** Sets {@link executable}; `undefined` restores the default. */
export function replaceExecutable(program: string | undefined): void {
  path = program;
}

/** Why {@link executable} would run this program again in place of a child's; `null` when it is a Node. */
export function unusableExecutable(): string | null {
  if (path !== undefined || !isSingleExecutable()) return null;
  return (
    'this program is a single executable application, whose file would run the program once more and not a child: ' +
    "name a Node that is installed by setExecutable(path), or use start method 'thread' (ThreadPool)"
  );
}

/** The Node that runs what this library needs for itself: this process's own. @throws UnsupportedError where that is none. */
export function ownExecutable(actor: string): string {
  const unusable = unusableExecutable();
  if (unusable !== null) throw new UnsupportedError(`${actor} cannot be started: ${unusable}.`);
  return isSingleExecutable() ? executable() : process.execPath;
}

let single: boolean | undefined;

function isSingleExecutable(): boolean {
  if (single === undefined) {
    try {
      single = (createRequire(import.meta.url)('node:sea') as { isSea(): boolean }).isSea();
    } catch {
      single = false; // This Node knows of none.
    }
  }
  return single;
}
