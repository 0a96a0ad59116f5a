/**
 * Modules under vite's module runner (vitest, vite's own server), which keeps each import in a
 * variable of its own: `const __vite_ssr_import_0__ = await __vite_ssr_import__("specifier")`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileUrlOf } from '../../util/file-names.js';

/**
 * Returns what the variable `name` of a compiled module imports, or `null` if it is no import of
 * the runner.
 */
export function runnerImport(source: string, name: string): string | null {
  if (!/^__(?:vite_ssr|vi)_import_\d+__$/.test(name)) return null;
  const found = new RegExp(`\\bconst ${name} = await __(?:vite_ssr|vi)_import__\\((["'])(.+?)\\1`).exec(source)?.[2];
  if (found === undefined) return null;
  const specifier = fromRoot(found);
  return fileUrlOf(specifier) ?? specifier;
}

/**
 * Vite writes what it resolved itself from the root of the project, `/src/x.js`, or as `/@fs/path`
 * and `/@fs/C:/path`.
 */
export function fromRoot(specifier: string): string {
  if (!specifier.startsWith('/')) return specifier;
  const [, path] = /^\/@fs(\/.*)$/s.exec(specifier) ?? [];
  if (path !== undefined) return path.replace(/^\/(?=[A-Za-z]:)/, '');
  return existsSync(specifier) ? specifier : join(process.cwd(), specifier);
}
