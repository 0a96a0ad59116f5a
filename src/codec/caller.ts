/**
 * Where in the user's program a value was sent that cannot be: the stack of a refusal begins at the
 * caller's line, not at the encoder's.
 */
import { fileURLToPath } from 'node:url';
import { SerializationError } from '../errors/index.js';
import { PACKAGE } from '../util/package.js';

/** Frames that are looked at: the library's own are fewer than this less what is shown. */
const MAX_FRAMES = 60;
/** Frames that are shown. */
const SHOWN = 10;
/** What is compiled, and what source maps say instead; by path and by URL, which escapes blanks. */
const OWN = ['dist/', 'src/']
  .map((folder) => new URL(folder, PACKAGE))
  .flatMap((folder) => [fileURLToPath(folder), folder.href]);
/** Frames between two of the library's: callbacks of builtins. */
const NATIVE = /\(<anonymous>\)$|\(node:internal|at node:internal|\(native\)$/;

/**
 * Gives a refusal the stack of whoever called the library, if that is on the stack still. Returns
 * the error.
 * @param entry Frames above it are left out.
 */
export function atCaller(error: unknown, entry: Function): unknown {
  if (!(error instanceof SerializationError)) return error;
  const lines = linesAt(entry);
  let first = 0;
  while (first < lines.length && (isLibraryFrame(lines[first]!) || NATIVE.test(lines[first]!))) first++;
  if (first < lines.length) restack(error, lines.slice(first, first + SHOWN));
  return error;
}

/**
 * Gives a refusal the stack of an earlier call, if it has none but the library's own.
 * @param frames of that call, one a line.
 */
export function atEarlierCall(error: unknown, frames: string): void {
  if (frames === '' || !(error instanceof SerializationError)) return;
  const first = framesOf(error.stack)[0];
  if (first === undefined || isLibraryFrame(first)) restack(error, frames.split('\n'));
}

/**
 * Says in a refusal who refused, and what the outermost steps of its path are to the caller.
 * Returns the error.
 *
 * @param rename Given a path, or the end of one: with its last steps named as the caller knows
 * them, `argument 0` for `[0]`.
 */
export function inCall(error: unknown, actor: string, rename: (path: string) => string): unknown {
  if (!(error instanceof SerializationError)) return error;
  const { path, message } = error;
  const frames = framesOf(error.stack);
  const value = `${actor}: ${path === undefined ? message : renamed(message, path, rename)}`;
  Object.defineProperty(error, 'message', { value, writable: true, enumerable: false, configurable: true });
  if (path !== undefined) {
    Object.defineProperty(error, 'path', { value: rename(path), writable: true, enumerable: true, configurable: true });
  }
  // Without the caller's, those of the library say nothing.
  restack(error, frames[0] === undefined || isLibraryFrame(frames[0]) ? [] : frames);
  return error;
}

/** The message with the part of the path that it names, mostly all of it, renamed. */
function renamed(message: string, path: string, rename: (path: string) => string): string {
  const steps = path.split(' <- ');
  for (let i = 0; i < steps.length; i++) {
    const part = steps.slice(i).join(' <- ');
    if (message.includes(`${part})`)) return message.replace(`${part})`, `${rename(part)})`);
  }
  return message;
}

function linesAt(entry: Function): string[] {
  const holder: { stack?: unknown } = {};
  const { stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = MAX_FRAMES;
    Error.captureStackTrace(holder, entry);
    Error.stackTraceLimit = stackTraceLimit;
  } catch {
    // The host has frozen Error.
    return [];
  }
  return framesOf(holder.stack);
}

function framesOf(stack: unknown): string[] {
  // Hosts may set Error.prepareStackTrace to anything.
  return typeof stack === 'string' ? stack.split('\n').filter((line) => /^\s+at /.test(line)) : [];
}

/**
 * Returns whether a line of a stack is a frame of this library: of its sources too, which Node
 * shows under `--enable-source-maps`. Always `false` in a program that was bundled with the
 * library.
 */
export function isLibraryFrame(line: string): boolean {
  return OWN.some((folder) => line.includes(folder));
}

function restack(error: Error, frames: readonly string[]): void {
  const value = [`${error.name}: ${error.message}`, ...frames].join('\n');
  Object.defineProperty(error, 'stack', { value, writable: true, enumerable: false, configurable: true });
}
