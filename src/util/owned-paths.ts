/**
 * Files and folders that this thread answers for: it removes them in time, and the addon does when
 * the thread is terminated, where no JavaScript runs any more.
 */

/** Who removes what is left when the thread ends. */
export interface PathKeeper {
  keepPath(path: string): void;
  dropPath(path: string): void;
}

const paths = new Set<string>();
let keeper: PathKeeper | null = null;

/** This thread made it, and removes it (a folder with what is in it). Call it when it is there. */
export function ownPath(path: string): void {
  paths.add(path);
  keeper?.keepPath(path);
}

/** It was removed, or is another's now. */
export function disownPath(path: string): void {
  if (paths.delete(path)) keeper?.dropPath(path);
}

/** From here on `next` removes what is left. */
export function setPathKeeper(next: PathKeeper): void {
  keeper = next;
  for (const path of paths) next.keepPath(path);
}
