/** What piscina runs in a thread of a pool: the thread becomes what its form says. */

import { INHERITANCE } from '../../process/child/inherit.js';
import type { ThreadForm } from '../../process/index.js';
import { importModule } from '../../util/import-module.js';
import { setImmediate } from '../../util/timers.js';

/** Returns at once; the entry goes on for as long as the thread lives. */
export default function become({ form }: { readonly form: ThreadForm }): void {
  (globalThis as { [INHERITANCE]?: unknown })[INHERITANCE] = form.inheritance;
  // An entry that fails to load ends the thread as an uncaught error.
  void importModule(form.entry).catch((error: unknown) =>
    setImmediate(() => {
      throw error;
    }),
  );
}
