/**
 * Brings tasks to the stream of their pool, with what they refer to.
 *
 *   publish -> functions and large payloads stored -> message stored
 *                 no such stream: wait for an agent that makes it, for as long as `poolTimeout`
 *
 * A task that the broker or an agent lost is found by counting: a run has fewer messages in the
 * stream than tasks without outcome (`reconcile`).
 */
import { MultiprocessError, UnsupportedError } from '../../errors/index.js';
import { debug } from '../../util/logger.js';
import { performance, setTimeout } from '../../util/timers.js';
import {
  type Broker,
  type BrokerRefusal,
  Publisher,
  poolExists,
  poolsOf,
  purgeBlobs,
  removeTasks,
  removeTasksOf,
  taskCounts,
} from '../broker/index.js';
import { type PoolNames, storeBlob } from '../wire/index.js';
import { largerThanQueue, refused, unknownPool } from './messages.js';
import type { Need, RemoteChunk, RemoteRun } from './run.js';

/** Tasks that are published and not stored yet, beyond which sources wait. */
const MAX_UNSTORED = 256;
/** Milliseconds between two looks for a pool that is not there. */
const POOL_LOOK_MS = 200;

/** Who is told. */
export interface TaskPublisherOwner {
  /** A task cannot be published. */
  refused(chunk: RemoteChunk, error: MultiprocessError): void;
  /** There is room for more. */
  demand(): void;
  /** The pool is there, for the first time or again. */
  found(): void;
}

/** The pool's streams are not there. */
class NoPool extends MultiprocessError {}

export class TaskPublisher {
  readonly #broker: Broker;
  readonly #names: PoolNames;
  readonly #poolTimeout: number;
  readonly #owner: TaskPublisherOwner;
  readonly #publisher: Publisher;
  /** Functions that are stored, or on their way. */
  readonly #stored = new Map<string, Promise<void> | true>();
  /** Tasks that wait for the pool. */
  #homeless: RemoteChunk[] = [];
  #searching = false;
  #hadRoom = true;
  #closed = false;

  constructor(broker: Broker, names: PoolNames, poolTimeout: number, owner: TaskPublisherOwner) {
    this.#broker = broker;
    this.#names = names;
    this.#poolTimeout = poolTimeout;
    this.#owner = owner;
    this.#publisher = new Publisher(broker);
  }

  /** Tasks that may be handed over now. */
  get room(): number {
    const room =
      this.#publisher.full || this.#homeless.length > 0 ? 0 : Math.max(0, MAX_UNSTORED - this.#publisher.pending);
    this.#hadRoom = room > 0;
    return room;
  }

  /** Tasks that the broker does not have. */
  get unsent(): number {
    return this.#publisher.pending + this.#homeless.length;
  }

  publish(chunk: RemoteChunk): void {
    chunk.version++;
    chunk.storedAt = -1;
    const pending = chunk.needs.filter(({ blob, shared }) => !shared || this.#stored.get(blob) !== true);
    if (pending.length === 0) this.#send(chunk);
    else void this.#sendAfter(chunk, pending);
  }

  /** The broker does not have what a task refers to: it is stored and published again. */
  republish(chunk: RemoteChunk): void {
    for (const { blob } of chunk.needs) this.#stored.delete(blob);
    this.publish(chunk);
  }

  /**
   * Removes the tasks of a run from the stream. Resolves when they are, or the broker is closed. What
   * an agent gave back meanwhile is another message: whoever gets it asks whether it is wanted.
   */
  async withdraw(run: RemoteRun, chunks: readonly RemoteChunk[]): Promise<void> {
    await Promise.all(chunks.map((chunk) => this.#landed(chunk)));
    if (!chunks.some((chunk) => chunk.published)) return;
    const sequences = chunks.map(({ sequence }) => sequence).filter((sequence) => sequence > 0);
    await this.#broker.persist(
      () => removeTasks(this.#broker, this.#names.streamOfTask(run.subjectName), sequences),
      () => this.#closed,
    );
    for (const chunk of chunks) this.forget(chunk);
    debug('distributed pool: run %s was withdrawn', run.id);
  }

  /** Removes whatever a run has in the stream. Resolves when it is done, or the broker is closed. */
  async sweep(run: RemoteRun): Promise<void> {
    await this.#broker.persist(
      () => removeTasksOf(this.#broker, this.#names, this.#names.tasksOfRun(run.driver, run.id)),
      () => this.#closed,
    );
  }

  /** A task is over: what only it referred to is removed. */
  forget(chunk: RemoteChunk): void {
    for (const { blob, shared } of chunk.needs) {
      if (shared) continue;
      const filter = this.#names.blobPart(blob, '*');
      void this.#broker
        .persist(
          () => purgeBlobs(this.#broker, this.#names, filter),
          () => this.#closed,
        )
        .catch((error: unknown) => debug('distributed pool: a payload could not be removed: %s', error));
    }
  }

  /**
   * Publishes again what was stored before `due` and is not in the stream any more, though it has no
   * outcome.
   */
  async reconcile(runs: Iterable<RemoteRun>, due: number): Promise<void> {
    const isOld = (chunk: RemoteChunk): boolean => !chunk.dead && chunk.storedAt >= 0 && chunk.storedAt < due;
    const suspects = new Map<RemoteRun, RemoteChunk[]>();
    for (const run of runs) {
      const old = [...run.chunks.values()].filter(isOld);
      if (old.length > 0) suspects.set(run, old);
    }
    if (suspects.size === 0) return;
    const counts = await taskCounts(this.#broker, this.#names);
    for (const [run, chunks] of suspects) {
      // What has its outcome meanwhile has left the stream, or is about to.
      const still = chunks.filter(isOld);
      const found = counts[run.subjectName] ?? 0;
      if (found >= still.length) continue;
      debug('distributed pool: tasks of run %s are lost, and published again', run.id);
      for (const chunk of still) this.publish(chunk);
    }
  }

  close(): void {
    this.#closed = true;
    this.#publisher.close();
  }

  #send(chunk: RemoteChunk): void {
    if (chunk.dead || this.#closed) {
      chunk.landed();
      return;
    }
    const { run, key, version, message } = chunk;
    const publication = {
      subject: run.subjectName,
      id: `${run.keeper?.nonce ?? run.driver}/${run.id}/${key}/${version}`,
      payload: message,
      stored: (sequence: number) => {
        chunk.sequence = sequence;
        chunk.published = true;
        chunk.storedAt = performance.now();
        run.keeper?.published(chunk.first + chunk.from, chunk.count);
        chunk.landed();
        this.#offerRoom();
      },
      refused: (reason: BrokerRefusal) => {
        chunk.landed();
        if (reason.limit === undefined) this.#refused(chunk, reason.noStream ? noPool() : refused(reason.description));
        // What is larger than the queue does not lie in it.
        else if (chunk.outsource()) this.publish(chunk);
        else this.#refused(chunk, largerThanQueue(this.#names.pool, reason.limit, reason.description));
      },
    };
    chunk.publication = publication;
    this.#publisher.publish(publication);
  }

  async #sendAfter(chunk: RemoteChunk, needs: readonly Need[]): Promise<void> {
    try {
      for (const need of needs) await this.#store(need);
    } catch (error) {
      this.#refused(chunk, error as MultiprocessError);
      return;
    }
    this.#send(chunk);
  }

  #store({ blob, bytes, shared }: Need): Promise<void> | true {
    const known = shared ? this.#stored.get(blob) : undefined;
    if (known !== undefined) return known;
    const storing = storeBlob(this.#broker, this.#publisher, this.#names, blob, bytes, (reason) =>
      reason.noStream ? noPool() : refused(reason.description),
    );
    if (!shared) return storing;
    this.#stored.set(blob, storing);
    storing.then(
      () => this.#stored.set(blob, true),
      () => this.#stored.delete(blob),
    );
    return storing;
  }

  #landed(chunk: RemoteChunk): Promise<void> {
    if (chunk.publication === null || this.#publisher.withdraw(chunk.publication)) return Promise.resolve();
    return new Promise((resolve) => chunk.whenSettled.push(resolve));
  }

  #refused(chunk: RemoteChunk, error: MultiprocessError): void {
    if (!(error instanceof NoPool)) {
      this.#owner.refused(chunk, error);
      return;
    }
    if (chunk.dead) return;
    this.#homeless.push(chunk);
    if (!this.#searching) void this.#search();
  }

  /** Waits for the pool; time in which the broker is away does not count. */
  async #search(): Promise<void> {
    this.#searching = true;
    let waited = 0;
    while (!this.#closed && this.#homeless.length > 0) {
      const found = this.#broker.up ? await poolExists(this.#broker, this.#names).catch(ifSkewed) : undefined;
      if (found === true) {
        this.#owner.found();
        for (const chunk of this.#homeless.splice(0)) this.publish(chunk);
        this.#offerRoom();
        break;
      }
      if (found instanceof UnsupportedError) {
        for (const chunk of this.#homeless.splice(0)) this.#owner.refused(chunk, found);
        break;
      }
      if (found === false && waited >= this.#poolTimeout) {
        const known = await poolsOf(this.#broker).catch(() => []);
        const error = unknownPool(this.#names.pool, this.#broker.address, known, this.#poolTimeout);
        for (const chunk of this.#homeless.splice(0)) this.#owner.refused(chunk, error);
        break;
      }
      await new Promise<void>((resolve) => setTimeout(resolve, POOL_LOOK_MS));
      if (this.#broker.up) waited += POOL_LOOK_MS;
    }
    this.#searching = false;
  }

  #offerRoom(): void {
    if (!this.#hadRoom && this.room > 0) this.#owner.demand();
  }
}

/** That another version has made the pool is said; what cannot be asked now is asked again. */
function ifSkewed(error: unknown): UnsupportedError | undefined {
  return error instanceof UnsupportedError ? error : undefined;
}

function noPool(): NoPool {
  return new NoPool('The pool is not there.');
}
