import { RemoteError } from '../../errors/process.js';
import { importModule } from '../../util/import-module.js';
import { loadForParent } from '../../util/loading.js';

/**
 * Returns the function that a module exports as its default.
 * @throws RemoteError when it has none; what loading the module throws.
 */
export async function defaultExport(url: string): Promise<(...args: unknown[]) => unknown> {
  const module: { default?: unknown } = await loadForParent(() => importModule(url));
  // A CommonJS module that was compiled from ESM has its default one level down.
  const exported = module.default as { default?: unknown } | undefined;
  const fn = typeof exported === 'function' ? exported : exported?.default;
  if (typeof fn !== 'function')
    throw new RemoteError(`Module ${url} has no function as its default export; add \`export default function …\`.`);
  return fn as (...args: unknown[]) => unknown;
}
