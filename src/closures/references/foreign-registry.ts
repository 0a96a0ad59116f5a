/**
 * Packages that another registry of modules loaded than that of Node: a test runner has one for
 * each test file (jest). Nothing leads from such a value to its module. What is known is the
 * specifier that the code requires, and where the functions were written.
 *
 * A function that stands in for one of the package (a mock) was written elsewhere, so it is none of
 * the package's and goes by value.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { ModuleExport } from '../../modules/module-request.js';
import type { RequireOrigin } from '../analysis/scope.js';
import { mirror } from '../inspect/inspector.js';
import { urlOfScript } from '../inspect/locate.js';
import { exportedValue } from './commonjs.js';

/**
 * Returns the reference to what a variable that `require` filled in the file at `url` is of an
 * installed package, or `null`.
 *
 * @param members The members that are used; `null` for the value itself.
 */
export function foreignExportOf(
  value: object,
  { specifier, name, wrapped }: RequireOrigin,
  members: readonly string[] | null,
  url: string,
): ModuleExport | null {
  const file = resolveFrom(url, specifier);
  const folder = file === null ? undefined : /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+\//.exec(file)?.[0];
  if (folder === undefined || !isWritten(value, members, folder)) return null;
  const isWrapper = wrapped && !isCompiled(value);
  if (isWrapper && (name !== null || Object.getOwnPropertyDescriptor(value, 'default')?.value === undefined))
    return null;
  return { specifier: file!, parent: null, path: isWrapper ? ['*'] : name === null ? [] : [name], commonjs: true };
}

function resolveFrom(url: string, specifier: string): string | null {
  try {
    return pathToFileURL(createRequire(url).resolve(specifier)).href;
  } catch {
    // No file's script, or a module that only its host could find.
    return null;
  }
}

/**
 * Whether the exports were compiled from an ES module, so that no compiler puts anything around
 * them.
 */
function isCompiled(value: object): boolean {
  return (value as { readonly __esModule?: unknown }).__esModule === true;
}

/**
 * Whether what is used of a value was written in a folder, as far as functions tell: all of them,
 * and one at least.
 */
function isWritten(value: object, members: readonly string[] | null, folder: string): boolean {
  const used = members === null ? [value] : members.map((key) => exportedValue(value, key));
  const functions = used.map(functionOf);
  return functions.length > 0 && functions.every((fn) => fn !== undefined && scriptOf(fn).startsWith(folder));
}

/** A function, or the first that an object has. */
function functionOf(value: unknown): Function | undefined {
  if (typeof value === 'function') return value;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const key of Object.keys(value)) {
    const member = exportedValue(value, key);
    if (typeof member === 'function') return member;
  }
  return undefined;
}

function scriptOf(fn: Function): string {
  try {
    const { location } = mirror(fn, fn.name);
    return location === null ? '' : urlOfScript(location.scriptId, fn.name);
  } catch {
    // No inspector.
    return '';
  }
}
