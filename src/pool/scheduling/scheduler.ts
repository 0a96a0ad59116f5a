import { setTimeout } from '../../util/timers.js';
import type { WorkerHandle } from '../workers/worker-handle.js';
import type { Batch } from './batch.js';
import { ReadyQueue } from './ready-queue.js';

/**
 * Whether one of two workers with as many items is to have the next: one that is ready, and begins
 * what it is handed.
 */
function better(worker: WorkerHandle, than: WorkerHandle): boolean {
  if (worker.doubtful !== than.doubtful) return than.doubtful;
  return worker.state === 'ready' && than.state !== 'ready';
}

/**
 * Milliseconds after which an idle worker looks again at whether another one is stuck with work
 * behind a long item.
 */
const RECHECK = 2;
/**
 * The same, while the idle ones have not looked at what they had, or have as much as the other one:
 * that one may be about to begin.
 */
const LATER = 20;

/**
 * Decides which worker runs what.
 *
 *   task queues (in turns) -> the worker with the fewest items that has room -> its ring
 *
 * Work is handed out early, so a batch may wait behind a long item while another worker is idle;
 * the scheduler then takes it back (see Status in protocol.ts) and gives it to the idle one. For
 * the same reason a batch may come when others of lower priority wait in the ring: they are taken
 * back and go behind it.
 */
export class Scheduler {
  readonly ready = new ReadyQueue<Batch>();
  readonly workers: WorkerHandle[] = [];
  #recheck: NodeJS.Timeout | null = null;

  /** Whether some worker could run an item at once. */
  get hungry(): boolean {
    for (const worker of this.workers) if (worker.free > 0 && worker.hasRoom) return true;
    return false;
  }

  /** Queues a batch and sends what can be sent. */
  submit(batch: Batch): void {
    if (this.ready.waiting === 0) {
      const worker = this.#takerOf(batch);
      if (worker !== null) {
        this.#send(worker, batch);
        if (this.ready.waiting > 0) this.dispatch();
        else if (this.workers.length > 1) this.#checkAgain();
        return;
      }
    }
    try {
      // It may wait long, and what it was made of may change meanwhile.
      batch.encode();
    } catch (error) {
      this.#refuse(batch, error);
      return;
    }
    this.ready.push(batch);
    this.dispatch();
  }

  /** Sends as many batches as workers have room for. */
  dispatch(): void {
    while (this.ready.waiting > 0) {
      const worker = this.#choose() ?? this.#relieve();
      if (worker === null) return;
      const batch = this.ready.shift();
      // What waits is for workers without room.
      if (batch === undefined) break;
      if (batch.cancelled) batch.onReleased();
      else this.#send((batch.queue.target as WorkerHandle | null) ?? worker, batch);
    }
    this.#balance();
  }

  /** Puts batches that lost their worker back in front. */
  resume(batches: Batch[]): void {
    for (const batch of batches.reverse()) this.ready.unshift(batch);
  }

  #send(worker: WorkerHandle, batch: Batch): void {
    if (this.ready.mixed)
      for (
        let low = worker.withdrawBelow(batch.queue.priority);
        low !== null;
        low = worker.withdrawBelow(batch.queue.priority)
      )
        this.ready.unshift(low);
    try {
      if (batch.mayRepeat || worker.concurrency > 1) batch.encode();
      // A worker that cannot take it just now has no room from here on, so this ends.
      if (worker.send(batch)) return;
      batch.encode();
      this.ready.unshift(batch);
    } catch (error) {
      this.#refuse(batch, error);
    }
  }

  #refuse(batch: Batch, error: unknown): void {
    const rest = batch.refused(error);
    batch.onReleased();
    for (const part of rest) this.submit(part);
  }

  /** A worker that got room because batches that may wait longer were taken back from it. */
  #relieve(): WorkerHandle | null {
    if (!this.ready.mixed) return null;
    for (const { priority, target } of this.ready.blocked()) {
      const low = (target as WorkerHandle).withdrawBelow(priority);
      if (low === null) continue;
      this.ready.unshift(low);
      return target as WorkerHandle;
    }
    const priority = this.ready.next;
    for (const worker of this.workers) {
      while (!worker.hasRoom) {
        const low = worker.withdrawBelow(priority);
        if (low === null) break;
        this.ready.unshift(low);
      }
      if (worker.hasRoom) return worker;
    }
    return null;
  }

  /** The worker that a batch can be sent to now. */
  #takerOf({ queue }: Batch): WorkerHandle | null {
    if (queue.target === null) return this.#choose();
    return queue.target.hasRoom ? (queue.target as WorkerHandle) : null;
  }

  #choose(): WorkerHandle | null {
    let best: WorkerHandle | null = null;
    for (const worker of this.workers) {
      if (!worker.hasRoom) continue;
      if (best === null || worker.items < best.items || (worker.items === best.items && better(worker, best)))
        best = worker;
    }
    return best;
  }

  /**
   * Gives idle workers what waits elsewhere: behind a long item, or at a worker that does not begin
   * it.
   */
  #balance(): void {
    let doubtful = false;
    let hindered = false;
    for (const idle of this.workers) {
      if (idle.free === 0 || !idle.hasRoom || idle.state !== 'ready') continue;
      // It does not use what it has free: it would take, and keep, what others are to be given.
      if (idle.backlogged) {
        hindered = true;
        continue;
      }
      if (idle.doubtful) {
        doubtful = true;
        continue;
      }
      const busy = this.workers.filter((worker) => worker !== idle && worker.batches > 0);
      if (busy.length === 0) return;
      busy.sort((a, b) => b.items - a.items);
      // It may be as still as the one before.
      if (busy.some((worker) => this.#relieveOf(worker, idle))) this.#checkAgain();
      else break;
    }
    // One that was only slow does not say that it reads on.
    const again = doubtful ? this.workers.some(({ still }) => still) : hindered && this.workers.length > 1;
    if (again) this.#checkAgain(LATER);
  }

  /** Moves half of what `worker` has not begun to `idle`: whether there was any. */
  #relieveOf(worker: WorkerHandle, idle: WorkerHandle): boolean {
    const patience = idle.items > 0 && idle.items >= worker.items ? LATER : RECHECK;
    if (worker.stillFor < patience) {
      this.#checkAgain(patience);
      return false;
    }
    let moved = 0;
    for (
      let take = Math.min(Math.ceil(worker.batches / 2), idle.concurrency > 1 ? idle.free : worker.batches);
      take > 0;
      take--
    ) {
      const batch = worker.withdrawLast(true);
      if (batch === null) break;
      moved++;
      // It had nothing else to do.
      if (worker.batches === 0) worker.doubt();
      this.#send(idle, batch);
    }
    return moved > 0;
  }

  #checkAgain(after = RECHECK): void {
    this.#recheck ??= setTimeout(() => {
      this.#recheck = null;
      this.dispatch();
    }, after);
  }

  /** Takes an ended worker out. */
  remove(worker: WorkerHandle): void {
    const at = this.workers.indexOf(worker);
    if (at >= 0) this.workers.splice(at, 1);
  }
}
