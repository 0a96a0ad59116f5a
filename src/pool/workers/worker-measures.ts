/** What `stats()` tells of one worker. */
import { residentSetOf } from '../../platform/proc-linux.js';
import type { Popen } from '../../process/index.js';
import { performance } from '../../util/timers.js';
import type { WorkerStats } from '../events.js';
import type { BatchLedger } from './batch-ledger.js';
import { type MeasuredWorker, monotonicNow } from './pool-measures.js';
import type { WorkerChannel } from './worker-channel.js';

/** The worker that is measured. */
interface Subject extends Pick<WorkerStats, 'name' | 'number' | 'pid' | 'ident' | 'state' | 'items'> {
  readonly child: Popen;
  /** `performance.now()` when it was started. */
  readonly startedAt: number;
  /** `performance.now()` when it became ready; 0 before. */
  readonly since: number;
  /** Whether it died of an item. */
  readonly died: boolean;
}

/** Measures a worker: its own words of what it did, and what its process takes. */
export function measureWorker(worker: Subject, ledger: BatchLedger, channel: WorkerChannel): MeasuredWorker {
  const { name, number, pid, ident, state, items, since, startedAt } = worker;
  const { meter } = channel;
  const now = monotonicNow();
  const [workTime, encodeTime] = [meter.workTime(now), meter.encodeTime];
  const ready = since === 0 ? 0 : performance.now() - since;
  const { failed } = ledger;
  const stats: WorkerStats = {
    name,
    number,
    pid,
    ident,
    state,
    items,
    done: (ledger.results >>> 0) - failed,
    failed: failed + (worker.died ? 1 : 0),
    memory: residentSet(worker) ?? channel.memory,
    startTime: (since === 0 ? performance.now() : since) - startedAt,
    waitTime: Math.max(0, ready - workTime - encodeTime),
    workTime,
    encodeTime,
  };
  return { stats, meter };
}

/** Bytes that its process has in memory; `null` where it is no process, or is gone. */
function residentSet({ child, pid, state }: Subject): number | null {
  return child.method === 'thread' || pid === null || state === 'ended' ? null : residentSetOf(pid);
}
