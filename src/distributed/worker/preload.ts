/** The initializer of an agent's workers: modules that every task finds loaded. */
import { importModule } from '../../util/import-module.js';

export default async function preload(...urls: readonly string[]): Promise<void> {
  for (const url of urls) await importModule(url);
}
