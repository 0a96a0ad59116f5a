/** How streams of a queue or topic end. */
import type { ItemMemory } from './item-memory.js';
import { producerLost } from './messages.js';

export interface End {
  /** `undefined`: it completed. */
  readonly error: unknown;
}

/** What comes after the last item that is there; `null`: more may come. */
export function endOf({ members, failure, settings }: ItemMemory): End | null {
  const failed = failure.read();
  if (failed !== null) return failed;
  if (!members.over) return null;
  return { error: members.lost !== 0 && !settings.completeOnLoss ? producerLost(members.lost) : undefined };
}
