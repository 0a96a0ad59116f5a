import { keptByForks } from '../../util/at-exit.js';

/** Who takes part in something for as long as this thread lives, and says so when it ends in good order. */
interface Departing {
  /** The thread ends in good order. */
  depart(): void;
}

const departing = new Set<WeakRef<Departing>>();
const collected = new FinalizationRegistry<WeakRef<Departing>>((reference) => departing.delete(reference));
// Before children are joined: they may wait for this thread. The blocks give up their memory after that.
process.prependListener(
  'exit',
  keptByForks(() => {
    for (const one of departing) one.deref()?.depart();
  }),
);

/** Calls `one.depart()` when the thread exits, if `one` is still there. */
export function departsAtExit(one: Departing): void {
  const reference = new WeakRef(one);
  departing.add(reference);
  collected.register(one, reference);
}
