import { keptByForks } from '../../util/at-exit.js';

/**
 * Who takes part in something for as long as this thread lives, and says so when it ends in good
 * order.
 */
interface ReleasedAtExit {
  /** The thread ends in good order. */
  leaveInOrder(): void;
}

const departing = new Set<WeakRef<ReleasedAtExit>>();
const collected = new FinalizationRegistry<WeakRef<ReleasedAtExit>>((reference) => departing.delete(reference));
// Before children are joined: they may wait for this thread. The blocks give up their memory after
// that.
process.prependListener(
  'exit',
  keptByForks(() => {
    for (const one of departing) one.deref()?.leaveInOrder();
  }),
);

/** Calls `one.depart()` when the thread exits, if `one` is still there. */
export function releaseAtExit(one: ReleasedAtExit): void {
  const reference = new WeakRef(one);
  departing.add(reference);
  collected.register(one, reference);
}
