/**
 * What is behind a distributed pool: it publishes tasks, takes their outcomes, and sees to it that
 * each settles.
 *
 *   call, job -> RemoteChunk -> TaskPublisher -> stream … agent -> outcomes -> RemoteRun
 *
 * Invariants
 * - A task is kept here until it has all of its outcomes. What the broker or an agent loses is
 * published again.
 * - An outcome counts once, whoever sends it and however often.
 * - A run that is over here is wanted nowhere: agents are told, and told again when they ask.
 */
import type { MultiprocessError } from '../../errors/index.js';
import { type Serializer, serializerOf } from '../../reduction/index.js';
import { crypto } from '../../util/crypto.js';
import { deferred } from '../../util/deferred.js';
import { debug } from '../../util/logger.js';
import { clearInterval, clearTimeout, nextTick, performance, setInterval, setTimeout } from '../../util/timers.js';
import { Broker, messageOf, poolExists, type Unlisten } from '../broker/index.js';
import { type DescribedCallable, describeCallable } from '../callables/index.js';
import { type RunKeeper, runExists, runTaken } from '../durable/index.js';
import {
  classOf,
  codeBlob,
  durableId,
  type Form,
  isCode,
  MAX_PAYLOAD_BYTES,
  nameOfRun,
  PoolNames,
  writeTask,
} from '../wire/index.js';
import { CancelRequest } from './cancel-request.js';
import { DriverInbox } from './driver-inbox.js';
import type { DistributedPoolStats } from './events.js';
import { HostTable } from './host-table.js';
import { KeptRuns } from './kept-runs.js';
import { brokerAway, poolClosed, poolRunning, poolTerminated, tooLarge, waitedTooLong } from './messages.js';
import type { DistributedPoolSettings } from './options.js';
import { OutcomeDecoder } from './outcome-decoder.js';
import { Outcomes } from './outcomes.js';
import { PoolLease } from './pool-lease.js';
import { type Need, RemoteChunk, type RemoteRun, type RunName } from './run.js';
import { TaskPublisher } from './task-publisher.js';

/** Room for the other fields of a task beside its payload. */
const TASK_ROOM_BYTES = 2_048;
const LOOK_MS = 200;
/** Milliseconds that the end of a pool waits for hosts to stop what they run. */
const WITHDRAW_MS = 5_000;

/** How the tasks of a run are made. */
export interface TaskForm {
  readonly callable: DescribedCallable;
  readonly form: Form;
  readonly maxAttempts: number;
  readonly report: boolean;
}

/** The items of a task, encoded. */
export interface TaskItems {
  readonly first: number;
  readonly count: number;
  readonly packed: boolean;
  readonly payload: Uint8Array;
}

export class DistributedEngine {
  readonly serializer: Serializer;
  readonly hosts: HostTable;
  readonly settings: DistributedPoolSettings;
  readonly broker: Broker;
  readonly names: PoolNames;
  readonly #id = crypto().randomUUID().replaceAll('-', '');
  readonly #publisher: TaskPublisher;
  readonly decoder: OutcomeDecoder;
  /** Of durable runs. */
  readonly kept: KeptRuns;
  readonly #outcomes: Outcomes;
  readonly #inbox: DriverInbox;
  readonly #lease: PoolLease;
  readonly #runs = new Map<string, RemoteRun>();
  readonly #unlisten: Unlisten[] = [];
  readonly #look: NodeJS.Timeout;
  /** What is being withdrawn from hosts. */
  readonly #withdrawing = new Set<Promise<void>>();
  readonly #over = deferred<void>();
  #next = 1;
  #downSince = -1;
  /** How often the broker was lost, and how often before a run began. */
  #losses = 0;
  readonly #lossesBefore = new WeakMap<RemoteRun, number>();
  #reconciledAt = performance.now();
  #reconciling = false;
  #state: 'open' | 'closed' | 'ended' = 'open';
  #reason: unknown;
  #ending: Promise<void> | undefined;
  #deadline: NodeJS.Timeout | undefined;

  private constructor(settings: DistributedPoolSettings, broker: Broker) {
    this.settings = settings;
    this.broker = broker;
    this.names = new PoolNames(settings.name);
    this.serializer = serializerOf('DistributedPool', settings.serializer);
    this.decoder = new OutcomeDecoder(this.serializer);
    this.#lease = new PoolLease(broker, this.names, settings.lease);
    this.hosts = new HostTable(broker, this.names, () => {
      void this.#lease.adopt();
      this.#demand();
    });
    this.#publisher = new TaskPublisher(broker, this.names, settings.poolTimeout, {
      refused: (chunk, error) => this.#expire(chunk, () => error),
      demand: () => this.#demand(),
      found: () => void this.#lease.adopt(),
    });
    this.#outcomes = new Outcomes(this.#runs, this.#publisher, this.decoder, (chunk) => this.#launch(chunk));
    this.#inbox = new DriverInbox(broker, this.#id, this.#outcomes);
    this.kept = new KeptRuns(broker, this.names, this.#id, {
      outcomes: this.#outcomes,
      taken: (id) => this.#taken(id),
      released: () => this.#checkOver(),
      isOver: () => this.over,
    });
    this.#unlisten.push(
      broker.onDown(() => {
        this.#losses++;
        this.#downSince = performance.now();
      }),
      broker.onUp(() => {
        this.#downSince = -1;
        this.#reconciledAt = performance.now();
        this.#demand();
      }),
      broker.onClosed((reason) => this.#end(reason)),
    );
    this.#look = setInterval(() => this.#looked(), LOOK_MS);
  }

  static async connect(actor: string, settings: DistributedPoolSettings): Promise<DistributedEngine> {
    const broker = await Broker.connect(actor, settings.broker, `multiprocess driver ${settings.name}`);
    const engine = new DistributedEngine(settings, broker);
    try {
      // An agent must find us before it has a result.
      await broker.flush();
      if (await poolExists(broker, engine.names)) await engine.#lease.adopt();
      await engine.hosts.ask();
      return engine;
    } catch (error) {
      await engine.terminate(error);
      throw error;
    }
  }

  // ---- what runs ask for

  /** Workers of the hosts that take tasks; at least 1, so that a pool without hosts has a window. */
  get parallelism(): number {
    return Math.max(1, this.hosts.processes);
  }

  /** Tasks that sources may hand over now. */
  get room(): number {
    return this.#publisher.room;
  }

  /** Whether a worker stands idle, as far as one can tell from here. */
  get hungry(): boolean {
    return this.#active < this.parallelism;
  }

  get #active(): number {
    let active = 0;
    for (const { chunks } of this.#runs.values()) active += chunks.size;
    return active;
  }

  /**
   * @param accepted Whether it was accepted before the pool was closed.
   * @throws ClosedError `MP_POOL_CLOSED`; why it ended.
   */
  checkOpen(actor: string, accepted = false): void {
    if (this.#state === 'ended') throw this.#reason;
    if (this.#state === 'closed' && !accepted) throw poolClosed(actor);
  }

  /** @throws ArgumentError, SerializationError. */
  callable(actor: string, fn: unknown): DescribedCallable {
    return describeCallable(actor, fn);
  }

  /** Whether nothing is done here any more. */
  get over(): boolean {
    return this.#state === 'ended';
  }

  get lease(): number {
    return this.#lease.milliseconds;
  }

  /** Names of a run to come; of a durable one by the name that it was given. */
  nameRun(priority: number | undefined, name?: string): RunName {
    const id = name === undefined ? String(this.#next++) : durableId(name);
    const driver = name === undefined ? this.#id : id;
    return { id, driver, subjectName: this.names.task(classOf(priority), driver, id) };
  }

  /** Removes whatever a run has in the queue. Resolves when it is done, or cannot be. */
  sweep(run: RemoteRun): Promise<void> {
    return this.#publisher
      .sweep(run)
      .catch((error: unknown) => debug('distributed pool: run %s could not be swept: %s', run.id, messageOf(error)));
  }

  /** Whether a run of that name is under way here. */
  has({ id }: RemoteRun): boolean {
    return this.#runs.has(id);
  }

  /** A run begins. @throws ArgumentError `MP_RUN_EXISTS`. */
  open(run: RemoteRun): void {
    if (this.#runs.has(run.id)) throw runExists(nameOfRun(run.id));
    this.#runs.set(run.id, run);
    this.#lossesBefore.set(run, this.#losses);
  }

  /** Publishes a task. @throws SerializationError `MP_TOO_LARGE`. */
  submit(actor: string, run: RemoteRun, form: TaskForm, { first, count, packed, payload }: TaskItems): void {
    if (payload.length > MAX_PAYLOAD_BYTES) throw tooLarge(actor, payload.length, MAX_PAYLOAD_BYTES);
    const { ref, code } = form.callable;
    const blob =
      payload.length > this.broker.maxPayload - TASK_ROOM_BYTES ? `${run.driver}.${run.id}-${first}` : undefined;
    const needs: Need[] = [];
    if (isCode(ref)) needs.push({ blob: codeBlob(ref.hash), bytes: code!, shared: true });
    if (blob !== undefined) needs.push({ blob, bytes: payload, shared: false });
    const message = writeTask({
      driver: run.driver,
      run: run.id,
      chunk: first,
      offset: 0,
      count,
      form: form.form,
      packed,
      serializer: this.settings.serializer,
      callable: ref,
      options: {
        timeout: run.timeout,
        maxAttempts: form.maxAttempts,
        before: 0,
        failures: 0,
        announce: run.queueTimeout > 0,
        report: form.report,
        lease: this.#lease.milliseconds,
      },
      payload: blob ?? payload,
    });
    const chunk = new RemoteChunk(run, first, count, message, needs);
    run.chunks.set(chunk.key, chunk);
    this.#launch(chunk);
  }

  #launch(chunk: RemoteChunk): void {
    const { run } = chunk;
    if (run.queueTimeout > 0) {
      const tooLate = (index: number): MultiprocessError => waitedTooLong(run.subject(index), run.queueTimeout);
      chunk.timer = setTimeout(() => chunk.begun || this.#expire(chunk, tooLate), run.queueTimeout);
    }
    this.#publisher.publish(chunk);
  }

  /**
   * Ends a run: what of it no host has begun is withdrawn, what runs is told to stop.
   *
   * @returns resolves when no host has anything of it, as far as hosts can be reached.
   */
  cancel(run: RemoteRun, reason: unknown): Promise<void> {
    if (!this.#leave(run)) return Promise.resolve();
    const chunks = [...run.chunks.values()];
    for (const chunk of chunks) chunk.end();
    run.chunks.clear();
    const { keeper } = run;
    let withdrawing: Promise<void>;
    if (keeper === null) withdrawing = this.#withdraw(run, chunks, reason);
    // A durable run goes on without its driver.
    else withdrawing = this.#state === 'ended' ? keeper.release(reason) : this.#abandon(run, keeper, chunks, reason);
    this.#track(withdrawing);
    return withdrawing.catch(() => {});
  }

  async #withdraw(run: RemoteRun, chunks: readonly RemoteChunk[], reason: unknown): Promise<void> {
    if (chunks.length === 0) return;
    await this.#publisher.withdraw(run, chunks);
    if (chunks.some(({ published }) => published))
      await new CancelRequest(this.broker, this.names, this.hosts).send(run.driver, run.id, reason);
  }

  async #abandon(run: RemoteRun, keeper: RunKeeper, chunks: readonly RemoteChunk[], reason: unknown): Promise<void> {
    // What another driver has taken over goes on.
    if (!(await keeper.isReader())) return keeper.forget();
    await this.#publisher.withdraw(run, chunks);
    await this.#publisher.sweep(run);
    await new CancelRequest(this.broker, this.names, this.hosts).send(run.driver, run.id, reason);
    await keeper.forget();
  }

  /** Another driver reads a durable run from here on. */
  #taken(id: string): void {
    const run = this.#runs.get(id);
    if (run === undefined) return;
    this.drop(run);
    run.fail(runTaken(nameOfRun(id)));
  }

  /** A run is no more this driver's; nothing of it is withdrawn. */
  drop(run: RemoteRun): void {
    if (!this.#leave(run)) return;
    for (const chunk of run.chunks.values()) chunk.end();
    run.chunks.clear();
    this.#checkOver();
  }

  /** A run has all of its outcomes. */
  finish(run: RemoteRun): void {
    if (!this.#leave(run)) return;
    // A broker that was killed may have messages again that were acknowledged.
    if (this.#lossesBefore.get(run) !== this.#losses) this.#track(this.#publisher.sweep(run));
    this.#checkOver();
  }

  /** Whether the run was under way: another may have its name. */
  #leave(run: RemoteRun): boolean {
    return this.#runs.get(run.id) === run && this.#runs.delete(run.id);
  }

  /** Something that the end of the pool waits for. */
  #track(work: Promise<void>): void {
    const settled = work.catch((error: unknown) =>
      debug('distributed pool: tasks could not be withdrawn: %s', messageOf(error)),
    );
    this.#withdrawing.add(settled);
    void settled.then(() => {
      this.#withdrawing.delete(settled);
      this.#checkOver();
    });
  }

  /** A task is over without an outcome of a host: its items fail. */
  #expire(chunk: RemoteChunk, error: (index: number) => unknown): void {
    if (!this.#outcomes.expire(chunk, error)) return;
    const { run } = chunk;
    // A host must not run what nobody waits for.
    if (run.chunks.size > 0) return;
    this.#track(this.#withdraw(run, [chunk], new DOMException('It waited too long.', 'AbortError')));
  }

  // ---- life

  /** Takes no more work. */
  close(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    // Calls of this turn are published at its end.
    nextTick(() => this.#checkOver());
  }

  /** Waits until the work of a closed pool is done. */
  async join(): Promise<void> {
    if (this.#state === 'open') throw poolRunning();
    await this.#over.promise;
  }

  /** Ends everything now. */
  async terminate(reason: unknown = poolTerminated()): Promise<void> {
    this.#end(reason);
    await this.#over.promise;
  }

  stats(): DistributedPoolStats {
    return {
      connected: this.broker.up,
      hosts: this.hosts.all,
      processes: this.hosts.processes,
      runs: this.#runs.size,
      active: this.#active,
      unsent: this.#publisher.unsent,
      done: this.#outcomes.done,
      failed: this.#outcomes.failed,
    };
  }

  describe(): string {
    return `<DistributedPool ${this.names.pool} ${this.#state}, ${this.hosts.all.length} hosts>`;
  }

  #end(reason: unknown): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#reason = reason;
    for (const run of [...this.#runs.values()]) {
      run.fail(reason);
      void this.cancel(run, reason);
    }
    for (const release of this.kept.release(reason)) this.#track(release);
    // What cannot be withdrawn in time is, once the agents miss this driver.
    if (!this.broker.up) this.#startLeaving();
    else {
      this.#deadline = setTimeout(() => this.#startLeaving(), WITHDRAW_MS);
      this.#checkOver();
    }
  }

  #checkOver(): void {
    if (this.#state === 'open' || this.#runs.size > 0 || this.#withdrawing.size > 0 || this.kept.size > 0) return;
    this.#startLeaving();
  }

  #startLeaving(): void {
    this.#ending ??= this.#disconnect();
  }

  async #disconnect(): Promise<void> {
    this.#state = 'ended';
    this.#reason ??= poolClosed('DistributedPool');
    clearInterval(this.#look);
    clearTimeout(this.#deadline);
    await this.broker.flush();
    for (const unlisten of this.#unlisten) unlisten();
    this.#inbox.close();
    this.#publisher.close();
    this.kept.close();
    this.hosts.close();
    await this.broker.close();
    this.#over.resolve();
  }

  #demand(): void {
    for (const run of [...this.#runs.values()]) run.demand();
  }

  #looked(): void {
    if (this.broker.up) {
      if (performance.now() - this.#reconciledAt > 2 * this.#lease.milliseconds && !this.#reconciling)
        void this.#reconcile();
      return;
    }
    const down = performance.now() - this.#downSince;
    for (const run of [...this.#runs.values()]) {
      if (run.timeout === 0 || down < run.timeout) continue;
      const away = (index: number): MultiprocessError =>
        brokerAway(run.subject(index), this.broker.address, run.timeout);
      for (const chunk of [...run.chunks.values()]) this.#expire(chunk, away);
    }
  }

  async #reconcile(): Promise<void> {
    this.#reconciling = true;
    try {
      const due = performance.now() - 2 * this.#lease.milliseconds;
      // What a durable run seems to lack may be stored, and not heard.
      const waiting = [...this.#runs.values()].filter(({ chunks }) => chunks.size > 0);
      await Promise.all(waiting.map(async ({ keeper }) => keeper?.catchUp()));
      await this.#publisher.reconcile(this.#runs.values(), due);
    } catch (error) {
      debug('distributed pool: what the broker has is not known: %s', messageOf(error));
    } finally {
      this.#reconciling = false;
      this.#reconciledAt = performance.now();
    }
  }
}
