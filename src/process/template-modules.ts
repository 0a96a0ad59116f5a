/**
 * Modules of this library that children need: a template has them loaded, and a fork of this
 * process takes them from it.
 */
import { entry } from '../util/package.js';

/** By URL. Every child needs these; {@link addTemplateModule} adds those of pools and managers. */
const modules = new Set<string>(
  (
    [
      'native/index',
      'memory/index',
      'reduction/index',
      'reduction/receiving',
      'synchronize/index',
      'process/child/child',
    ] as const
  ).map((name) => entry(name).href),
);

/** The modules so far. */
export const templateModules: ReadonlySet<string> = modules;

/**
 * Has templates load a module of this library that children will need, or be started with. A
 * template that runs without it is replaced at the next start.
 */
export function addTemplateModule(url: URL): void {
  modules.add(url.href);
}

/** Returns whether a module is one that {@link addTemplateModule} named. */
export function isTemplateModule(url: URL): boolean {
  return modules.has(url.href);
}
