/** The program's main file, which must not be loaded a second time in a worker: it would start everything again. */
import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

let script: string | undefined;
let url: string | null = null;

/** URL of the main file, or `null` for `-e`, stdin and the REPL. */
export function mainEntry(): string | null {
  const argument = process.argv[1];
  if (argument !== script) {
    script = argument;
    url = argument === undefined ? null : toURL(argument);
  }
  return url;
}

/** Whether a URL is the main file, whatever its query. */
export function isMainEntry(candidate: string): boolean {
  return candidate.replace(/[?#].*$/s, '') === mainEntry();
}

/** Node takes the extension, or the index file of a folder, as read. */
function toURL(argument: string): string | null {
  for (const ending of ['', '.js', '/index.js']) {
    try {
      const file = realpathSync(resolve(argument) + ending);
      if (statSync(file).isFile()) return pathToFileURL(file).href;
    } catch {
      // Not this one.
    }
  }
  return null;
}
