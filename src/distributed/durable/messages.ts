/** Every message of durable runs: who, what happened, how to mend it. */
import { ArgumentError, ClosedError, MultiprocessError } from '../../errors/index.js';

export function runExists(run: string): ArgumentError {
  return new ArgumentError(
    `DistributedPool: the broker has a run \`${run}\` of this pool already; pick it up with pool.resume('${run}'), or give this one another \`run\`.`,
    { code: 'MP_RUN_EXISTS' },
  );
}

export function unknownRun(run: string, pool: string, known: readonly string[]): ArgumentError {
  const others = known.length === 0 ? 'It has none' : `It has ${known.join(', ')}`;
  return new ArgumentError(
    `DistributedPool.resume: the broker has no run \`${run}\` of pool ${pool}: its results were all delivered, it was cancelled, or it is older than 7 days. ${others}; pool.runs() lists them.`,
    { code: 'MP_UNKNOWN_RUN' },
  );
}

export function runBusy(run: string): ArgumentError {
  return new ArgumentError(
    `DistributedPool.resume: another driver reads the run \`${run}\`; resume it when that has ended.`,
    { code: 'MP_RUN_BUSY' },
  );
}

export function runTaken(run: string): ClosedError {
  return new ClosedError(
    `The run \`${run}\` was resumed by another driver, for which this one seemed dead, or the broker has lost it; its results come there from now on.`,
    { code: 'MP_RUN_TAKEN' },
  );
}

export function otherSerializer(run: string, serializer: string): ArgumentError {
  return new ArgumentError(
    `DistributedPool.resume: the run \`${run}\` was begun with \`serializer: '${serializer}'\`; connect with that one to resume it.`,
  );
}

/** @param next The first item that has no result. */
export function runIncomplete(run: string, next: number, results: number): MultiprocessError {
  return new MultiprocessError(
    `DistributedPool.resume: the run \`${run}\` has results of ${results} items, which were delivered; the driver that began it ended before it had published more. Run the rest of its source, from item ${next} on.`,
    { code: 'MP_RUN_INCOMPLETE' },
  );
}
