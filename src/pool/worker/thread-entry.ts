/** What piscina runs in a thread of a pool: the thread becomes what its form says. */

import { joinFamily, type Membership } from '../../native/threads/membership.js';
import { INHERITANCE } from '../../process/child/inherit.js';
import type { ThreadForm } from '../../process/index.js';
import { importModule } from '../../util/import-module.js';
import { setImmediate } from '../../util/timers.js';

interface Told {
  readonly form: ThreadForm;
  /** Its place among threads without the addon. */
  readonly membership: Membership | null;
}

/** Returns at once; the entry goes on for as long as the thread lives. */
export default function become({ form, membership }: Told): void {
  if (membership !== null) joinFamily(membership);
  (globalThis as { [INHERITANCE]?: unknown })[INHERITANCE] = form.inheritance;
  // An entry that fails to load ends the thread as an uncaught error.
  void importModule(form.entry).catch((error: unknown) =>
    setImmediate(() => {
      throw error;
    }),
  );
}
