/**
 * How items ended, as hosts say it, until each has its value or its error: an outcome counts once,
 * whoever sends it and however often; an item that failed may be run again.
 */
import { WorkerCrashError } from '../../errors/index.js';
import { afterFailure } from '../../pool/index.js';
import { debug } from '../../util/logger.js';
import { setTimeout } from '../../util/timers.js';
import { messageOf } from '../broker/index.js';
import type { DriverInboxOwner, Notice } from './driver-inbox.js';
import type { OutcomeDecoder, ResultRecord } from './outcome-decoder.js';
import { chunkKey, type RemoteChunk, type RemoteRun } from './run.js';
import type { TaskPublisher } from './task-publisher.js';

export class Outcomes implements DriverInboxOwner {
  /** Items that have settled, and of them those that failed. */
  done = 0;
  failed = 0;
  readonly #runs: ReadonlyMap<string, RemoteRun>;
  readonly #publisher: TaskPublisher;
  readonly #decoder: OutcomeDecoder;
  readonly #launch: (chunk: RemoteChunk) => void;

  /**
   * @param runs What is under way, by id.
   * @param launch Publishes a task that runs an item again.
   */
  constructor(
    runs: ReadonlyMap<string, RemoteRun>,
    publisher: TaskPublisher,
    decoder: OutcomeDecoder,
    launch: (chunk: RemoteChunk) => void,
  ) {
    this.#runs = runs;
    this.#publisher = publisher;
    this.#decoder = decoder;
    this.#launch = launch;
  }

  heard(record: Notice): void {
    if (record.type === 'report') {
      void this.#report(record.run, record.payload);
      return;
    }
    const chunk = this.#runs.get(record.run)?.chunks.get(chunkKey(record.chunk, record.offset, record.failures));
    if (chunk !== undefined) this.#publisher.republish(chunk);
  }

  isWanted(name: string): boolean {
    const [id = '', first, offset, count, failures] = name.split('#');
    const run = this.#runs.get(id);
    if (run === undefined || first === undefined) return run !== undefined;
    const chunk = run.chunks.get(chunkKey(Number(first), Number(offset), Number(failures)));
    if (chunk === undefined || !chunk.awaits(Number(offset), Number(count))) return false;
    chunk.begun = true;
    return true;
  }

  result(record: ResultRecord, payload: Uint8Array | undefined): void {
    const run = this.#runs.get(record.run);
    const chunk = run?.chunks.get(chunkKey(record.chunk, record.offset, record.failures));
    if (run === undefined || chunk === undefined) return;
    if (payload === undefined) {
      this.#publisher.republish(chunk);
      return;
    }
    const fresh = this.#settle(chunk, record.offset, record.count);
    run.measure(record.count, record.micros);
    void this.#deliver(run, chunk, record, fresh, payload);
  }

  /** A task is over without an outcome of a host: its items fail. Returns whether it was under way. */
  expire(chunk: RemoteChunk, error: (index: number) => unknown): boolean {
    const { run, first, from, count } = chunk;
    if (chunk.dead) return false;
    const fresh = this.#settle(chunk, from, count);
    this.done += fresh.length;
    this.failed += fresh.length;
    for (const i of fresh) run.error(first + i, error(first + i));
    run.flush();
    return true;
  }

  #settle(chunk: RemoteChunk, offset: number, count: number): readonly number[] {
    const fresh = chunk.settle(offset, count);
    if (chunk.remaining === 0) {
      chunk.end();
      chunk.run.chunks.delete(chunk.key);
      this.#publisher.forget(chunk);
    }
    return fresh;
  }

  async #deliver(
    run: RemoteRun,
    chunk: RemoteChunk,
    record: ResultRecord,
    fresh: readonly number[],
    payload: Uint8Array,
  ): Promise<void> {
    const { first } = chunk;
    const items = await this.#decoder.items(record, fresh, payload, (offset) => run.siteOf(first + offset));
    if (this.#runs.get(run.id) !== run) return;
    for (const { offset, ok, result } of items) {
      if (ok) {
        this.done++;
        run.value(first + offset, result);
      } else this.#itemFailed(chunk, offset, result);
    }
    run.flush();
  }

  /** An item failed: it is run again, or it fails. */
  #itemFailed(chunk: RemoteChunk, offset: number, error: unknown): void {
    const { run, first, failures } = chunk;
    let failure = error;
    // Its host has run it again as often as it may after its worker died.
    if (run.retries.repeatsErrors && !isDeath(error)) {
      const next = afterFailure(run.retries, error, false, { attempt: failures, failures });
      // `when` may have cancelled the run.
      if (this.#runs.get(run.id) !== run) return;
      if (!('fatal' in next)) {
        this.#runAgain(chunk.again(offset, next.failures), next.delay);
        return;
      }
      failure = next.fatal;
    }
    this.done++;
    this.failed++;
    run.error(first + offset, failure);
  }

  #runAgain(chunk: RemoteChunk, delay: number): void {
    chunk.run.chunks.set(chunk.key, chunk);
    if (delay === 0) this.#launch(chunk);
    else chunk.timer = setTimeout(() => this.#launch(chunk), delay);
  }

  async #report(id: string, payload: Uint8Array): Promise<void> {
    try {
      const progress = await this.#decoder.value(payload);
      this.#runs.get(id)?.report(progress);
    } catch (error) {
      debug('distributed pool: a report cannot be read: %s', messageOf(error));
    }
  }
}

/** Whether an item failed by the deaths of those that ran it. */
function isDeath(error: unknown): boolean {
  return error instanceof WorkerCrashError || (error as { code?: unknown } | null)?.code === 'MP_HOSTS_LOST';
}
