import { rmSync } from 'node:fs';

/** Removes a file, or a folder with what is in it, as far as that can be done. */
export function removeAll(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // Another user's by now, or in use (Windows): nobody can be told.
  }
}
