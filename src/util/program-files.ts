/**
 * The files of the program that must not be loaded again in a child: they would start everything again. One is the main file; the others are
 * modules that were seen to start processes while they load, such as what a launcher imports.
 */
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { CODE } from './package.js';

let script: string | undefined;
let main: string | null = null;
const starters = new Set<string>();

/** Path of the file that Node runs for this word of its command line, found as Node finds it; `null` when there is none. */
export function programFile(word: string): string | null {
  const path = resolve(word);
  try {
    // An extension, the index file of a folder and the "main" of its package.json are taken as read.
    return realpathSync(createRequire(path).resolve(path));
  } catch {
    return null;
  }
}

/** URL of the main file, or `null` for `-e`, stdin and the REPL. */
function mainEntry(): string | null {
  const word = process.argv[1];
  if (word !== script) {
    script = word;
    const file = word === undefined ? null : programFile(word);
    main = file === null ? null : pathToFileURL(file).href;
  }
  return main;
}

/** Whether a URL is one of the files that must not be loaded again, whatever its query. */
export function isProgramFile(url: string): boolean {
  const file = url.replace(/[?#].*$/s, '');
  return file === mainEntry() || starters.has(file);
}

/** The stack of whoever calls, as V8 describes it. */
function frames(): readonly NodeJS.CallSite[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = Number.POSITIVE_INFINITY;
    Error.prepareStackTrace = (_, sites) => sites;
    const { stack } = new Error();
    return Array.isArray(stack) ? stack : [];
  } catch {
    return []; // The host has frozen Error.
  } finally {
    try {
      Error.prepareStackTrace = prepareStackTrace;
      Error.stackTraceLimit = stackTraceLimit;
    } catch {
      // As above.
    }
  }
}

/** The files on the stack, the innermost first, without those of Node; and whether each is being evaluated as a module right now. */
function filesOnStack(): { readonly url: string; readonly loads: boolean }[] {
  const found: { url: string; loads: boolean }[] = [];
  for (const frame of frames()) {
    const name = frame.getFileName();
    if (typeof name !== 'string' || name.startsWith('node:')) continue;
    const url = name.startsWith('file:') ? name : name.startsWith('/') ? pathToFileURL(name).href : null;
    if (url === null) continue;
    const loads = frame.getFunctionName() === null && frame.getEnclosingLineNumber() === 1 && frame.getEnclosingColumnNumber() === 1;
    found.push({ url, loads });
  }
  return found;
}

/** Where this library is. */
const own = CODE.href;

/** Whether a URL is a file of this library. */
export function isLibraryFile(url: string): boolean {
  return url.startsWith(own);
}

/** Notes which modules are on the stack because they are being loaded: they start processes while they load. Call it where one is started. */
export function noteStarters(): void {
  for (const { url, loads } of filesOnStack()) if (loads && !url.startsWith(own)) starters.add(url.replace(/[?#].*$/s, ''));
}

/** Path of the file whose code calls this library; `null` where that has none. */
export function callingFile(): string | null {
  const url = filesOnStack().find((file) => !file.url.startsWith(own))?.url;
  return url === undefined ? null : fileURLToPath(url);
}
