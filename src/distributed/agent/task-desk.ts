/**
 * What an agent has in hand: takes tasks as there is room, renews their leases, runs them, tells
 * their drivers, and acknowledges them.
 *
 *   came -> running -> told -> acknowledged
 *    |        |          driver gone: acknowledged, and its other tasks withdrawn
 *    |        cancelled: told to stop, acknowledged
 *    |        the agent stops: given back
 *    too many attempts: dead letter, told, terminated
 *
 * Outcomes of a durable run are stored at the broker instead of told: its driver need not be there.
 *
 * Invariants
 * - A message is acknowledged when its driver has all of its outcomes, or wants it no more.
 * - The lease of all that is held is renewed by this loop, where no user code runs.
 * - A message that comes again while it is held is the same task: it is not run twice.
 * - The last attempt of an item that hosts died under is made alone: nothing else is held then, so
 * that what dies with it is the one to blame.
 */
import { clearInterval, performance, setInterval, timeOfDay } from '../../util/timers.js';
import { type Broker, consumersOf, type Msg, Puller } from '../broker/index.js';
import { isDurable, type PoolNames, type PriorityClass, readTask, type TaskMessage } from '../wire/index.js';
import { Drivers } from './drivers.js';
import { HeldTask } from './held-task.js';
import { expired, hostsLost } from './messages.js';
import { ResultStore } from './result-store.js';
import { StreamSweeper } from './stream-sweeper.js';
import { TaskReturns } from './task-returns.js';
import { encodeReport, MissingBlob, outcomeOf, type TaskOutcome, type TaskRunner } from './task-runner.js';

/** Milliseconds of work that is taken ahead of free workers, and how many tasks at most. */
const PREFETCH_MS = 10;
const MAX_PREFETCH = 128;
/** Tasks that have ended and wait for their drivers, beyond which no more are taken. */
const MAX_UNTOLD = 512;
/** Weight of the latest task in the mean. */
const RECENT = 0.1;

export interface DeskSettings {
  readonly host: string;
  readonly slots: number;
  readonly lease: number;
  /** The broker has lost the pool's streams. */
  poolLost(): void;
  /** The local pool runs nothing any more. */
  failed(error: unknown): void;
}

export class TaskDesk {
  /** Items that were settled, and of them those that failed. */
  done = 0;
  failed = 0;
  readonly #broker: Broker;
  readonly #runner: TaskRunner;
  readonly #settings: DeskSettings;
  readonly #puller: Puller<PriorityClass>;
  readonly #returns: TaskReturns;
  readonly #results: ResultStore;
  readonly #drivers: Drivers;
  readonly #sweeper: StreamSweeper;
  /** By number in the stream and what it is: a broker may give a number twice. */
  readonly #held = new Map<string, HeldTask>();
  /** Tasks that have ended and are not acknowledged. */
  #untold = 0;
  /** Milliseconds between the ends of two tasks while there is work, as a moving mean. */
  #pace = PREFETCH_MS;
  #lastEnd = 0;
  #lease: number;
  #renewal: NodeJS.Timeout | undefined;
  #draining = false;
  readonly #givingBack = new Set<Promise<void>>();
  readonly #whenEmpty = new Set<() => void>();
  /** The item whose last attempt is due: it waits for all else to end, or runs. */
  #suspect: HeldTask | null = null;
  /** The one that came last was one: more may follow. */
  #careful = false;

  constructor(broker: Broker, names: PoolNames, runner: TaskRunner, settings: DeskSettings) {
    this.#broker = broker;
    this.#runner = runner;
    this.#settings = settings;
    this.#lease = settings.lease;
    this.#returns = new TaskReturns(broker, names, settings.host);
    this.#results = new ResultStore(broker, names);
    this.#drivers = new Drivers(broker, names, (driver) => this.#driverGone(driver));
    this.#sweeper = new StreamSweeper(broker, names, this.#drivers);
    this.#puller = new Puller(
      broker,
      consumersOf(names),
      (message, name) => this.#came(message, name),
      settings.poolLost,
    );
    this.lease = settings.lease;
  }

  /** Begins to take tasks; again, when the consumers were made anew. */
  start(): void {
    this.#puller.renew();
    this.#pull();
  }

  get held(): number {
    return this.#held.size;
  }

  get lease(): number {
    return this.#lease;
  }

  /** Leases are renewed at once, and three times as often as they end. */
  set lease(milliseconds: number) {
    this.#lease = milliseconds;
    clearInterval(this.#renewal);
    this.#renew();
    this.#renewal = setInterval(() => this.#renew(), milliseconds / 3);
  }

  /** Takes no more. Resolves when nothing is held. */
  async drain(): Promise<void> {
    this.#draining = true;
    await this.#puller.stop();
    await Promise.all(this.#givingBack);
    if (this.#held.size > 0) await new Promise<void>((resolve) => this.#whenEmpty.add(resolve));
  }

  /** Tells what runs to stop, and gives all back. Resolves when the broker has it. */
  async stop(): Promise<void> {
    this.#draining = true;
    const stopped = this.#puller.stop();
    for (const held of [...this.#held.values()]) {
      held.abort.abort(new DOMException('The agent was stopped.', 'AbortError'));
      if (!held.unwanted) this.#giveBack(held);
    }
    await stopped;
    await Promise.all(this.#givingBack);
  }

  /** Nothing comes or goes any more. */
  close(): void {
    this.#draining = true;
    void this.#puller.stop();
    clearInterval(this.#renewal);
    this.#sweeper.close();
    this.#returns.close();
    this.#results.close();
    this.#drivers.close();
  }

  /** Stops what belongs to a run. Resolves when nothing of it is held. */
  async cancel(driver: string, run: string, reason: Error): Promise<void> {
    const mine = [...this.#held.values()].filter(({ task }) => task.driver === driver && task.run === run);
    await Promise.all(mine.map((held) => this.#cancel(held, reason)));
  }

  #cancel(held: HeldTask, reason: Error): Promise<void> {
    held.unwanted = true;
    held.abort.abort(reason);
    if (this.#suspect === held && !held.begun) {
      held.over = true;
      held.acknowledge();
      this.#forget(held);
    }
    return held.over ? Promise.resolve() : new Promise((resolve) => held.whenOver.push(resolve));
  }

  // ---- taking

  #pull(): void {
    if (this.#draining) return;
    const { slots } = this.#settings;
    const prefetch = Math.max(1, Math.min(MAX_PREFETCH, Math.ceil(PREFETCH_MS / this.#pace)));
    const inHand = this.#held.size - this.#untold;
    if (this.#suspect !== null || this.#untold >= MAX_UNTOLD) this.#puller.demand(0);
    else this.#puller.demand(this.#careful ? 1 - inHand : slots + prefetch - inHand);
  }

  #came(message: Msg, priority: PriorityClass): void {
    const bytes = new Uint8Array(message.data);
    let task: TaskMessage;
    try {
      task = readTask(bytes);
    } catch (error) {
      this.#returns.buryUnreadable(message, bytes, error);
      return;
    }
    const held = new HeldTask(this.#broker, message, priority, task, bytes);
    const known = this.#held.get(held.key);
    if (known !== undefined) {
      known.delivered(message);
      return;
    }
    this.#held.set(held.key, held);
    this.#drivers.enter(task);
    if (this.#draining || this.#suspect !== null) {
      this.#giveBack(held);
      return;
    }
    const { before } = held;
    const { maxAttempts } = task.options;
    const isLast = before > 0 && before === maxAttempts - 1;
    this.#careful = isLast;
    if (before >= maxAttempts) void this.#giveUp(held);
    else if (isLast && task.count > 1) void this.#split(held);
    else if (isLast) this.#suspect = held;
    else void this.#run(held);
    this.#tryAlone();
    this.#pull();
  }

  // ---- running

  /** Runs the suspect, once nothing else is held. */
  #tryAlone(): void {
    const suspect = this.#suspect;
    if (suspect === null || suspect.begun || this.#held.size > 1) return;
    suspect.begun = true;
    void this.#run(suspect);
  }

  async #run(held: HeldTask): Promise<void> {
    const { task } = held;
    const link = this.#drivers.linkOf(task);
    const began = performance.now();
    let missing = false;
    try {
      if (await this.#drivers.isWanted(held)) {
        const report = (progress: unknown): void => {
          const payload = encodeReport(task, progress);
          if (payload === undefined || payload.length > this.#broker.maxPayload) return;
          const record = { type: 'report', run: task.run, payload } as const;
          if (isDurable(task.driver)) link.mention(record);
          else link.tell(record);
        };
        const options = {
          signal: held.abort.signal,
          before: held.before,
          priority: held.priority === 'high' ? 1 : held.priority === 'low' ? -1 : 0,
          report: task.options.report ? report : undefined,
        };
        for await (const outcome of this.#runner.run(task, options)) {
          if (held.unwanted || held.leaving) break;
          if (outcome.poison !== undefined) await this.#returns.bury(held, outcome);
          void this.#tell(held, outcome);
        }
      } else held.unwanted = true;
    } catch (error) {
      if (error instanceof MissingBlob) missing = true;
      else {
        // The local pool is at its end: others can do it.
        this.#settings.failed(error);
        this.#giveBack(held);
      }
    }
    this.#paced(began);
    if (missing) this.#tellMissing(held);
    this.#ended(held);
    this.#settleIfTold(held);
    this.#pull();
  }

  /** It runs no more, and makes room for another, though its driver may have to be told yet. */
  #ended(held: HeldTask): void {
    held.over = true;
    for (const resolve of held.whenOver.splice(0)) resolve();
    if (held.leaving) return;
    held.counted = true;
    this.#untold++;
  }

  #paced(began: number): void {
    const now = performance.now();
    const interval = Math.max(0.02, now - Math.max(this.#lastEnd, began));
    this.#lastEnd = now;
    this.#pace += (interval - this.#pace) * RECENT;
  }

  async #tell(held: HeldTask, outcome: TaskOutcome): Promise<void> {
    held.untold++;
    const { task } = held;
    const link = this.#drivers.linkOf(task);
    this.done += outcome.count;
    this.failed += outcome.failed;
    const told = (): void => {
      held.untold--;
      this.#settleIfTold(held);
    };
    const { offset, count, micros, payload } = outcome;
    const record = {
      type: 'result',
      run: task.run,
      chunk: task.chunk,
      offset,
      count,
      failures: task.options.failures,
      outcome: outcome.outcome,
      payload,
      micros,
    } as const;
    if (!isDurable(task.driver)) {
      link.tell({ ...record, payload: await link.payload(this.#settings.host, payload) }, told);
      return;
    }
    // What is not stored runs again, after the lease.
    if (!(await this.#results.store(held, record))) held.leave();
    told();
  }

  #tellMissing(held: HeldTask): void {
    if (isDurable(held.task.driver)) {
      void this.#tell(held, outcomeOf(held.task, expired(this.#settings.host)));
      return;
    }
    held.untold++;
    const { run, chunk, offset, options } = held.task;
    const record = { type: 'missing', run, chunk, offset, failures: options.failures } as const;
    this.#drivers.linkOf(held.task).tell(record, () => {
      held.untold--;
      this.#settleIfTold(held);
    });
  }

  /** Acknowledges what is over and told. */
  #settleIfTold(held: HeldTask): void {
    if (!held.over || held.leaving || (held.untold > 0 && !held.unwanted)) return;
    held.acknowledge();
    this.#forget(held);
    this.#pull();
  }

  #forget(held: HeldTask): void {
    if (!this.#held.delete(held.key)) return;
    if (held.counted) this.#untold--;
    this.#drivers.leave(held.task);
    if (this.#suspect === held) this.#suspect = null;
    this.#tryAlone();
    if (this.#held.size > 0) return;
    for (const resolve of this.#whenEmpty) resolve();
    this.#whenEmpty.clear();
  }

  /** Others may have it, as if it had not been here. */
  #giveBack(held: HeldTask): void {
    const giving = this.#returns.giveBack(held).then(() => {
      this.#givingBack.delete(giving);
      this.#forget(held);
    });
    this.#givingBack.add(giving);
  }

  // ---- what nobody can run

  /** Too many hosts that had it have ended. */
  async #giveUp(held: HeldTask): Promise<void> {
    const { task, before: attempts } = held;
    const what =
      task.count === 1 ? `Item ${task.chunk + task.offset}` : `Items ${task.chunk + task.offset} and following`;
    const error = hostsLost(attempts, what);
    const outcome = { ...outcomeOf(task, error), poison: { error, attempts } };
    // Its outcome may have come before its host died.
    if (await this.#drivers.isWanted(held)) {
      await this.#returns.bury(held, outcome);
      void this.#tell(held, outcome);
    } else held.unwanted = true;
    this.#ended(held);
    this.#settleIfTold(held);
  }

  /** Hosts end under a chunk: each item by itself, so that only the one to blame is lost. */
  async #split(held: HeldTask): Promise<void> {
    try {
      await this.#returns.split(held);
      held.unwanted = true;
    } catch {
      // The broker took some of them: the chunk stays, and comes again.
      held.leave();
    }
    this.#ended(held);
    this.#settleIfTold(held);
  }

  // ---- leases and drivers

  #renew(): void {
    for (const held of this.#held.values()) held.renew();
    for (const driver of this.#drivers.busy()) void this.#ask(driver);
  }

  /** Stops what a driver wants no more: the word of that may have been lost. */
  async #ask(driver: string): Promise<void> {
    const runs = new Set<string>();
    for (const { task, published } of this.#held.values()) {
      if (task.driver === driver && timeOfDay() - published > task.options.lease) runs.add(task.run);
    }
    if (runs.size === 0) return;
    const reason = new DOMException('The driver wants it no more.', 'AbortError');
    for (const run of await this.#drivers.unwanted(driver, [...runs])) void this.cancel(driver, run, reason);
  }

  /** Removes what is in the stream and wanted by nobody. */
  sweep(): Promise<void> {
    return this.#sweeper.sweep(this.#lease);
  }

  #driverGone(driver: string): void {
    const reason = new DOMException('The driver has ended.', 'AbortError');
    for (const held of [...this.#held.values()]) {
      if (held.task.driver !== driver) continue;
      void this.#cancel(held, reason);
      this.#settleIfTold(held);
    }
  }
}
