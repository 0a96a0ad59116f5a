import { importModule } from '../../util/import-module.js';
import { PROGRAMS } from '../child/inherit.js';
import { isTemplateModule } from '../template-modules.js';

const programs = new Map<string, () => void>();

/**
 * Returns what a copy of this process does to run a module: one of this library's programs is
 * loaded here, once, and only begun in the copy; any other module the copy loads itself.
 */
export async function programOf(entry: URL): Promise<() => void> {
  if (!programs.has(entry.href) && isTemplateModule(entry)) {
    const scope = globalThis as { [PROGRAMS]?: Map<string, () => void> };
    const outer = scope[PROGRAMS];
    scope[PROGRAMS] = programs;
    try {
      await importModule(entry.href);
    } finally {
      if (outer === undefined) delete scope[PROGRAMS];
      else scope[PROGRAMS] = outer;
    }
  }
  return programs.get(entry.href) ?? (() => void importModule(entry.href));
}
