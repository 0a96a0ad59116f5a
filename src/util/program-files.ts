/**
 * The files of the program that must not be loaded again in a child: they would start everything
 * again. One is the main file; the others are modules that were seen to start processes while they
 * load, such as what a launcher imports.
 */
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fileUrlOf, pathOf } from './file-names.js';
import { CODE } from './package.js';

/** Words that were looked up: a program may change `process.argv` after its start. */
const words = new Set<string>();
const mains = new Set<string>();
const starters = new Set<string>();

/**
 * Path of the file that Node runs for this word of its command line, found as Node finds it; `null`
 * when there is none.
 */
export function programFile(word: string): string | null {
  const path = resolve(word);
  try {
    // An extension, the index file of a folder and the "main" of its package.json are taken as
    // read.
    return realpathSync(createRequire(path).resolve(path));
  } catch {
    return null;
  }
}

/** `process.argv[1]` before the program could change it. */
const firstWord = process.argv[1];

/** Adds the main file that a word of the command line names: none for `-e`, stdin and the REPL. */
function noteMain(word: string | undefined): void {
  if (word === undefined || words.has(word)) return;
  words.add(word);
  const file = programFile(word);
  if (file !== null) mains.add(pathToFileURL(file).href);
}

/** Whether a URL is one of the files that must not be loaded again, whatever its query. */
export function isProgramFile(url: string): boolean {
  const file = url.replace(/[?#].*$/s, '');
  noteMain(firstWord);
  noteMain(process.argv[1]);
  return mains.has(file) || starters.has(file);
}

/**
 * All of a stack, by a finite number: with a debugger attached, V8 of Node 26 aborts when the limit
 * is Infinity.
 */
const MAX_FRAMES = 100_000;

/** The stack of whoever calls, as V8 describes it. */
function frames(): readonly NodeJS.CallSite[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = MAX_FRAMES;
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

/**
 * The files on the stack, the innermost first, without those of Node; and whether each is being
 * evaluated as a module right now, which V8 tells in Node only.
 */
function filesOnStack(): { readonly url: string; readonly loads: boolean }[] {
  const found: { url: string; loads: boolean }[] = [];
  for (const frame of frames()) {
    const name = frame.getFileName();
    const url = typeof name === 'string' ? fileUrlOf(name) : null;
    if (url === null) continue;
    const loads =
      frame.getFunctionName() === null &&
      frame.getEnclosingLineNumber?.() === 1 &&
      frame.getEnclosingColumnNumber?.() === 1;
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

/**
 * Notes which modules on the stack start processes while they load. Call it where a process is
 * started.
 *
 * Node's test runner loads all test files into one process (`--test --test-isolation=none`): each
 * is a main file, whose tests start processes after it has loaded.
 */
export function noteStarters(): void {
  const testing = process.execArgv.includes('--test');
  for (const { url, loads } of filesOnStack()) {
    if ((loads || testing) && !isLibraryFile(url)) starters.add(url.replace(/[?#].*$/s, ''));
  }
}

/** Path of the file whose code calls this library; `null` where that has none. */
export function callingFile(): string | null {
  const url = filesOnStack().find((file) => !file.url.startsWith(own))?.url;
  return url === undefined ? null : pathOf(url);
}
