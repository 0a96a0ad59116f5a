/**
 * Whether another process can load a file of the program as it is. A test runner that has a realm
 * and a registry of modules of its own (jest) compiles files, and finds them, in its own process
 * only: what it compiled goes by value.
 */
import { existsSync, readFileSync } from 'node:fs';
import vm from 'node:vm';
import { pathOf } from '../../util/file-names.js';
import { parseProgram } from '../analysis/syntax.js';

const isOwnRealm = vm.runInThisContext('Object') !== Object;
const loadable = new Map<string, boolean>();

/** Whether it is a file that Node reads, and no test runner's realm is around or no compiler is needed. */
export function isLoadable(url: string): boolean {
  if (!isOwnRealm || !url.startsWith('file:') || url.includes('/node_modules/')) return true;
  let known = loadable.get(url);
  if (known === undefined) {
    known = isScript(pathOf(url) ?? '');
    loadable.set(url, known);
  }
  return known;
}

/** Whether the text of a file is what Node runs of it: CommonJS, or a module by its extension. */
function isScript(file: string): boolean {
  if (!/\.[cm]?js$/.test(file) || !existsSync(file)) return /\.(?:json|node)$/.test(file);
  return parseProgram(readFileSync(file, 'utf8'), file.endsWith('.mjs')) !== null;
}
