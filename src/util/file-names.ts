/**
 * Names of files as V8 and Node give them: an absolute path or a URL, of any system.
 *
 *   /app/main.js          C:\app\main.js          \\server\app\main.js
 *   file:///app/main.js   file:///C:/app/main.js  file://server/app/main.js
 *
 * Stacks come from other hosts too, so the form of a name says what it is, not the system that runs.
 */
import { fileURLToPath, pathToFileURL } from 'node:url';

const WINDOWS_PATH = /^(?:[A-Za-z]:[\\/]|\\\\)/;

/** Returns the URL of the file that has this name; `null` for what is no name of a file. */
export function fileUrlOf(name: string): string | null {
  if (name.startsWith('file:')) return name;
  if (WINDOWS_PATH.test(name)) return pathToFileURL(name, { windows: true }).href;
  return name.startsWith('/') ? pathToFileURL(name).href : null;
}

/**
 * Returns the path of the file that a URL names here; `null` for one that can be no file of this
 * system: `file://server/share/main.js` on Linux, `file:///main.js` on Windows.
 */
export function pathOf(url: string): string | null {
  if (!url.startsWith('file:')) return null;
  try {
    return fileURLToPath(url);
  } catch {
    return null;
  }
}

/**
 * What a name of a file looks like in a stack, as the source of a regular expression. It may hold
 * blanks and parentheses, as `C:\Program Files (x86)` does.
 */
export const FILE_NAME = String.raw`(?:file:\/\/|\/|[A-Za-z]:[\\/]|\\\\)[^<>\n]*?`;

/** What stands before it, in a frame or at the beginning of a line: a lookbehind. */
export const BEFORE_FILE_NAME = String.raw`(?<=^\s*(?:at (?:async )?)?|\()`;

/** The name of a file, a line and a column, at the end of a frame or of a line. */
export const FILE_PLACE = new RegExp(`${BEFORE_FILE_NAME}(${FILE_NAME}):(\\d+):(\\d+)(?=\\)?$)`, 'm');

/** Returns whether a file, by its path or URL, belongs to an installed package. */
export function isInstalled(name: string): boolean {
  return /[\\/]node_modules[\\/]/.test(name);
}
