/** What `preload` names, as a program in the agent's folder would import it. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { resolveImport } from '../../reduction/index.js';
import { notFound } from './messages.js';

/** @throws ArgumentError `MP_INVALID_ARGUMENT` for what is not found. */
export function preloadUrls(specifiers: readonly string[], folder: string): string[] {
  const require = createRequire(join(folder, 'index.js'));
  return specifiers.map((specifier) => {
    if (/^(file|data|node):/.test(specifier)) return specifier;
    try {
      const parent = pathToFileURL(join(folder, 'index.js')).href;
      const found = specifier.startsWith('.') ? null : resolveImport(specifier, parent);
      return pathToFileURL(found ?? require.resolve(specifier)).href;
    } catch (cause) {
      throw notFound(specifier, folder, cause);
    }
  });
}
