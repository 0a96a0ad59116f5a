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
import { fromWorker } from '../../pool/index.js';
import { Decoder, MULTIPROCESS, PendingValue, type Serializer, serializerOf } from '../../reduction/index.js';
import { crypto } from '../../util/crypto.js';
import { deferred } from '../../util/deferred.js';
import { debug } from '../../util/logger.js';
import { clearInterval, clearTimeout, nextTick, performance, setInterval, setTimeout } from '../../util/timers.js';
import { Broker, leaseOf, type Msg, messageOf, poolExists, setLease, type Unlisten } from '../broker/index.js';
import { type DescribedCallable, describeCallable } from '../callables/index.js';
import {
  classOf,
  codeBlob,
  type DriverRecord,
  decodeError,
  driverSubject,
  type Form,
  isCode,
  Outcome,
  PoolNames,
  partSubject,
  readMixed,
  readRecords,
  writeControl,
  writeTask,
  writeTexts,
} from '../wire/index.js';
import { CancelRequest } from './cancel-request.js';
import type { DistributedPoolStats } from './events.js';
import { HostTable } from './host-table.js';
import { brokerAway, noValue, poolClosed, poolRunning, poolTerminated, tooLarge, waitedTooLong } from './messages.js';
import type { DistributedPoolSettings } from './options.js';
import type { RemoteRun } from './run.js';
import { type Need, RemoteChunk } from './run.js';
import { TaskPublisher } from './task-publisher.js';
import { Transfers } from './transfers.js';

/** Most bytes of one payload: all of it is held in memory in several places. */
const MAX_PAYLOAD_BYTES = 256 * 1024 * 1024;
/** Room for the other fields of a task beside its payload. */
const TASK_ROOM_BYTES = 2_048;
const DEFAULT_LEASE_MS = 5_000;
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

type ResultRecord = Extract<DriverRecord, { type: 'result' }>;

export class DistributedEngine {
  readonly serializer: Serializer;
  readonly hosts: HostTable;
  readonly settings: DistributedPoolSettings;
  readonly broker: Broker;
  readonly names: PoolNames;
  readonly #id = crypto().randomUUID().replaceAll('-', '');
  readonly #publisher: TaskPublisher;
  readonly #decoder = new Decoder();
  readonly #transfers = new Transfers(MAX_PAYLOAD_BYTES);
  readonly #runs = new Map<string, RemoteRun>();
  readonly #unlisten: Unlisten[] = [];
  readonly #look: NodeJS.Timeout;
  /** What is being withdrawn from hosts. */
  readonly #withdrawing = new Set<Promise<void>>();
  readonly #over = deferred<void>();
  #next = 1;
  #lease: number;
  #leaseAdopted = false;
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
  #done = 0;
  #failed = 0;

  private constructor(settings: DistributedPoolSettings, broker: Broker) {
    this.settings = settings;
    this.broker = broker;
    this.names = new PoolNames(settings.name);
    this.serializer = serializerOf('DistributedPool', settings.serializer);
    this.#lease = settings.lease ?? DEFAULT_LEASE_MS;
    this.hosts = new HostTable(broker, this.names, () => {
      void this.#adoptLease();
      this.#demand();
    });
    this.#publisher = new TaskPublisher(broker, this.names, this.#id, settings.poolTimeout, {
      refused: (chunk, error) => this.#expire(chunk, () => error),
      demand: () => this.#demand(),
      found: () => void this.#adoptLease(),
    });
    this.#unlisten.push(
      broker.subscribe(driverSubject(this.#id), (message) => this.#heard(message)),
      broker.subscribe(partSubject(this.#id, '*', '*', '*'), (message) => this.#part(message)),
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
      if (await poolExists(broker, engine.names)) await engine.#adoptLease();
      await engine.hosts.ask();
      return engine;
    } catch (error) {
      await engine.terminate(error);
      throw error;
    }
  }

  /** The lease is the pool's, unless this driver asks for another: then that is the pool's. */
  async #adoptLease(): Promise<void> {
    if (this.#leaseAdopted) return;
    this.#leaseAdopted = true;
    try {
      const known = await leaseOf(this.broker, this.names);
      const { lease } = this.settings;
      // A pool that is not there yet has none.
      this.#leaseAdopted = known !== undefined;
      this.#lease = lease ?? known ?? DEFAULT_LEASE_MS;
      if (known === undefined || known === this.#lease) return;
      // Agents renew by the new one before the broker counts by it.
      this.broker.publish(this.names.control, writeControl({ type: 'lease', lease: this.#lease }));
      await setLease(this.broker, this.names, this.#lease);
    } catch (error) {
      this.#leaseAdopted = false;
      debug('distributed pool: the lease is not known: %s', messageOf(error));
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

  /** Names of a run to come. */
  nameRun(priority: number | undefined): { readonly id: string; readonly subjectName: string } {
    const id = String(this.#next++);
    return { id, subjectName: this.names.task(classOf(priority), this.#id, id) };
  }

  /** A run begins. */
  open(run: RemoteRun): void {
    this.#runs.set(run.id, run);
    this.#lossesBefore.set(run, this.#losses);
  }

  /** Publishes a task. @throws SerializationError `MP_TOO_LARGE`. */
  submit(actor: string, run: RemoteRun, form: TaskForm, { first, count, packed, payload }: TaskItems): void {
    if (payload.length > MAX_PAYLOAD_BYTES) throw tooLarge(actor, payload.length, MAX_PAYLOAD_BYTES);
    const { ref, code } = form.callable;
    const blob = payload.length > this.broker.maxPayload - TASK_ROOM_BYTES ? `${this.#id}.${run.id}-${first}` : undefined;
    const needs: Need[] = [];
    if (isCode(ref)) needs.push({ blob: codeBlob(ref.hash), bytes: code!, shared: true });
    if (blob !== undefined) needs.push({ blob, bytes: payload, shared: false });
    const message = writeTask({
      driver: this.#id,
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
        announce: run.queueTimeout > 0,
        report: form.report,
        lease: this.#lease,
      },
      payload: blob ?? payload,
    });
    const chunk = new RemoteChunk(run, first, count, message, needs);
    run.chunks.set(first, chunk);
    if (run.queueTimeout > 0) {
      const tooLate = (index: number): MultiprocessError => waitedTooLong(run.subject(index), run.queueTimeout);
      chunk.queueTimer = setTimeout(() => chunk.begun || this.#expire(chunk, tooLate), run.queueTimeout);
    }
    this.#publisher.publish(chunk);
  }

  /**
   * Ends a run: what of it no host has begun is withdrawn, what runs is told to stop.
   *
   * @returns resolves when no host has anything of it, as far as hosts can be reached.
   */
  cancel(run: RemoteRun, reason: unknown): Promise<void> {
    if (!this.#runs.delete(run.id)) return Promise.resolve();
    const chunks = [...run.chunks.values()];
    for (const chunk of chunks) chunk.end();
    run.chunks.clear();
    const withdrawing = this.#withdraw(run, chunks, reason);
    this.#track(withdrawing);
    return withdrawing.catch(() => {});
  }

  async #withdraw(run: RemoteRun, chunks: readonly RemoteChunk[], reason: unknown): Promise<void> {
    if (chunks.length === 0) return;
    await this.#publisher.withdraw(run, chunks);
    if (chunks.some(({ published }) => published))
      await new CancelRequest(this.broker, this.names, this.hosts).send(this.#id, run.id, reason);
  }

  /** A run has all of its outcomes. */
  finish(run: RemoteRun): void {
    if (!this.#runs.delete(run.id)) return;
    // A broker that was killed may have messages again that were acknowledged.
    if (this.#lossesBefore.get(run) !== this.#losses) this.#track(this.#publisher.sweep(run));
    this.#checkOver();
  }

  /** Something that the end of the pool waits for. */
  #track(work: Promise<void>): void {
    const settled = work.catch((error: unknown) => debug('distributed pool: tasks could not be withdrawn: %s', messageOf(error)));
    this.#withdrawing.add(settled);
    void settled.then(() => {
      this.#withdrawing.delete(settled);
      this.#checkOver();
    });
  }

  // ---- outcomes

  #heard(message: Msg): void {
    let records: DriverRecord[];
    try {
      records = readRecords(message.data);
    } catch (error) {
      debug('distributed pool: %s', messageOf(error));
      return;
    }
    let unwanted: string[] | undefined;
    for (const record of records) {
      if (record.type === 'result') this.#result(record);
      else if (record.type === 'wanted') unwanted = record.runs.filter((name) => !this.#isWanted(name));
      else if (record.type === 'report') void this.#report(record.run, record.payload);
      else {
        const chunk = this.#runs.get(record.run)?.chunks.get(record.chunk);
        if (chunk !== undefined) this.#publisher.republish(chunk);
      }
    }
    if (message.reply !== '') this.broker.publish(message.reply ?? '', unwanted === undefined ? '' : writeTexts(unwanted));
  }

  #part(message: Msg): void {
    const [transfer = '', at, bytes] = message.subject.split('.').slice(-3);
    this.#transfers.add(transfer, Number(at), Number(bytes), message.data);
    this.broker.publish(message.reply ?? '', '');
  }

  #isWanted(name: string): boolean {
    const [id = '', first, offset, count] = name.split('#');
    const run = this.#runs.get(id);
    if (run === undefined || first === undefined) return run !== undefined;
    const chunk = run.chunks.get(Number(first));
    if (chunk === undefined || !chunk.awaits(Number(offset), Number(count))) return false;
    chunk.begun = true;
    return true;
  }

  #result(record: ResultRecord): void {
    const run = this.#runs.get(record.run);
    const chunk = run?.chunks.get(record.chunk);
    const payload = typeof record.payload === 'string' ? this.#transfers.take(record.payload) : record.payload;
    if (run === undefined || chunk === undefined) return;
    if (payload === undefined) {
      this.#publisher.republish(chunk);
      return;
    }
    const fresh = chunk.settle(record.offset, record.count);
    this.#settled(chunk);
    run.measure(record.count, record.micros);
    void this.#deliver(run, chunk.first, record, fresh, payload);
  }

  #settled(chunk: RemoteChunk): void {
    if (chunk.remaining > 0) return;
    chunk.end();
    chunk.run.chunks.delete(chunk.first);
    this.#publisher.forget(chunk);
  }

  async #deliver(run: RemoteRun, first: number, record: ResultRecord, fresh: readonly number[], payload: Uint8Array): Promise<void> {
    const { offset, outcome } = record;
    const settle: (() => void)[] = [];
    const failed = (index: number, error: unknown): void => {
      this.#failed++;
      settle.push(() => run.error(index, error));
    };
    try {
      if (outcome === Outcome.values) {
        const decoded = this.#decode(payload);
        const values = (decoded instanceof PendingValue ? await decoded.ready : decoded) as unknown[];
        if (!Array.isArray(values) || values.length !== record.count) throw noValue();
        for (const i of fresh) settle.push(() => run.value(first + i, values[i - offset]));
      } else if (outcome === Outcome.error) {
        const error = await this.#error(payload);
        fromWorker(error, run.siteOf(first + (fresh[0] ?? 0)));
        for (const i of fresh) failed(first + i, error);
      } else {
        const items = readMixed(payload);
        for (const i of fresh) {
          const [ok, bytes] = items[i - offset] ?? [false, undefined];
          if (bytes === undefined) failed(first + i, noValue());
          else if (ok) {
            const decoded = this.#decode(bytes);
            const value = decoded instanceof PendingValue ? await decoded.ready : decoded;
            settle.push(() => run.value(first + i, value));
          } else failed(first + i, fromWorker(await this.#error(bytes), run.siteOf(first + i)));
        }
      }
    } catch (error) {
      settle.length = 0;
      for (const i of fresh) failed(first + i, error);
    }
    if (this.#runs.get(run.id) !== run) return;
    this.#done += fresh.length;
    for (const each of settle) each();
    run.flush();
  }

  #decode(bytes: Uint8Array): unknown {
    // The bytes are nobody else's: large typed arrays may view them.
    return this.serializer === MULTIPROCESS ? this.#decoder.decode(bytes, 0, bytes.length, true) : this.serializer.decode(bytes);
  }

  async #error(bytes: Uint8Array): Promise<unknown> {
    if (this.serializer !== MULTIPROCESS) return decodeError(this.serializer, bytes);
    const decoded = this.#decode(bytes);
    return decoded instanceof PendingValue ? await decoded.ready : decoded;
  }

  async #report(id: string, payload: Uint8Array): Promise<void> {
    try {
      const decoded = this.#decode(payload);
      const progress = decoded instanceof PendingValue ? await decoded.ready : decoded;
      this.#runs.get(id)?.report(progress);
    } catch (error) {
      debug('distributed pool: a report cannot be read: %s', messageOf(error));
    }
  }

  /** A task is over without an outcome of a host: its items fail. */
  #expire(chunk: RemoteChunk, error: (index: number) => unknown): void {
    const { run, first, count } = chunk;
    if (chunk.dead) return;
    const fresh = chunk.settle(0, count);
    this.#settled(chunk);
    this.#done += fresh.length;
    this.#failed += fresh.length;
    for (const i of fresh) run.error(first + i, error(first + i));
    run.flush();
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
      done: this.#done,
      failed: this.#failed,
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
    // What cannot be withdrawn in time is, once the agents miss this driver.
    if (!this.broker.up) this.#startLeaving();
    else {
      this.#deadline = setTimeout(() => this.#startLeaving(), WITHDRAW_MS);
      this.#checkOver();
    }
  }

  #checkOver(): void {
    if (this.#state === 'open' || this.#runs.size > 0 || this.#withdrawing.size > 0) return;
    this.#startLeaving();
  }

  #startLeaving(): void {
    this.#ending ??= this.#leave();
  }

  async #leave(): Promise<void> {
    this.#state = 'ended';
    this.#reason ??= poolClosed('DistributedPool');
    clearInterval(this.#look);
    clearTimeout(this.#deadline);
    await this.broker.flush();
    for (const unlisten of this.#unlisten) unlisten();
    this.#publisher.close();
    this.hosts.close();
    await this.broker.close();
    this.#over.resolve();
  }

  #demand(): void {
    for (const run of [...this.#runs.values()]) run.demand();
  }

  #looked(): void {
    if (this.broker.up) {
      if (performance.now() - this.#reconciledAt > 2 * this.#lease && !this.#reconciling) void this.#reconcile();
      return;
    }
    const down = performance.now() - this.#downSince;
    for (const run of [...this.#runs.values()]) {
      if (run.timeout === 0 || down < run.timeout) continue;
      const away = (index: number): MultiprocessError => brokerAway(run.subject(index), this.broker.address, run.timeout);
      for (const chunk of [...run.chunks.values()]) this.#expire(chunk, away);
    }
  }

  async #reconcile(): Promise<void> {
    this.#reconciling = true;
    try {
      const due = performance.now() - 2 * this.#lease;
      await this.#publisher.reconcile(this.#runs.values(), due);
    } catch (error) {
      debug('distributed pool: what the broker has is not known: %s', messageOf(error));
    } finally {
      this.#reconciling = false;
      this.#reconciledAt = performance.now();
    }
  }
}
