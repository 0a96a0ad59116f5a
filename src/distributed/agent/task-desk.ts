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
 * Invariants
 * - A message is acknowledged when its driver has all of its outcomes, or wants it no more.
 * - The lease of all that is held is renewed by this loop, where no user code runs.
 * - A message that comes again while it is held is the same task: it is not run twice.
 * - The last attempt of an item that hosts died under is made alone: nothing else is held then, so
 * that what dies with it is the one to blame.
 */
import { ConnectionError } from '../../errors/index.js';
import { debug } from '../../util/logger.js';
import { clearInterval, clearTimeout, performance, setInterval, setTimeout, timeOfDay } from '../../util/timers.js';
import {
  type Broker,
  type BrokerRefusal,
  type Msg,
  Publisher,
  Puller,
  publishOnce,
  purgeBlobs,
  removeTasksOf,
  taskCounts,
} from '../broker/index.js';
import { type PoolNames, type PriorityClass, readTask, type TaskMessage, writeDeadLetter, writeTask } from '../wire/index.js';
import { DriverLink } from './driver-link.js';
import { deliveryOf, HeldTask } from './held-task.js';
import { hostsLost, unreadable } from './messages.js';
import { encodeReport, MissingBlob, outcomeOf, type TaskOutcome, type TaskRunner } from './task-runner.js';

/** Milliseconds of work that is taken ahead of free workers, and how many tasks at most. */
const PREFETCH_MS = 10;
const MAX_PREFETCH = 128;
/** Tasks that have ended and wait for their drivers, beyond which no more are taken. */
const MAX_UNTOLD = 512;
/** Milliseconds for which a driver that answered counts as there. */
const PRESENCE_MS = 1_000;
const ABSENT_WAIT_MS = 200;
/** Milliseconds for the broker to take back a task of an agent that ends. */
const RETURN_MS = 1_000;
/** Weight of the latest task in the mean. */
const RECENT = 0.1;

interface DriverState {
  readonly link: DriverLink;
  /** When it answered last. */
  heard: number;
  /** Tasks of it that are held. */
  tasks: number;
  gone: boolean;
}

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
  readonly #names: PoolNames;
  readonly #runner: TaskRunner;
  readonly #settings: DeskSettings;
  readonly #puller: Puller;
  readonly #publisher: Publisher;
  /** By number in the stream and what it is: a broker may give a number twice. */
  readonly #held = new Map<string, HeldTask>();
  readonly #drivers = new Map<string, DriverState>();
  /** Tasks that have ended and are not acknowledged. */
  #untold = 0;
  /** Milliseconds between the ends of two tasks while there is work, as a moving mean. */
  #pace = PREFETCH_MS;
  #lastEnd = 0;
  #lease: number;
  #renewal: NodeJS.Timeout | undefined;
  #draining = false;
  #closed = false;
  readonly #givingBack = new Set<Promise<void>>();
  readonly #whenEmpty = new Set<() => void>();
  /** The item whose last attempt is due: it waits for all else to end, or runs. */
  #suspect: HeldTask | null = null;
  /** The one that came last was one: more may follow. */
  #careful = false;
  #sweeping = false;
  /** Ends the wait of a sweep. */
  #wakeSweep: () => void = () => {};

  constructor(broker: Broker, names: PoolNames, runner: TaskRunner, settings: DeskSettings) {
    this.#broker = broker;
    this.#names = names;
    this.#runner = runner;
    this.#settings = settings;
    this.#lease = settings.lease;
    this.#publisher = new Publisher(broker);
    this.#puller = new Puller(broker, names, (message, name) => this.#came(message, name), settings.poolLost);
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
    this.#closed = true;
    void this.#puller.stop();
    clearInterval(this.#renewal);
    this.#wakeSweep();
    this.#publisher.close();
    for (const { link } of this.#drivers.values()) link.end();
    this.#drivers.clear();
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
      this.#unreadable(message, bytes, error);
      return;
    }
    const held = new HeldTask(this.#broker, message, priority, task, bytes);
    const known = this.#held.get(held.key);
    if (known !== undefined) {
      known.delivered(message);
      return;
    }
    this.#held.set(held.key, held);
    this.#driverOf(task).tasks++;
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
    const { link } = this.#driverOf(task);
    const began = performance.now();
    let missing = false;
    try {
      if (await this.#isWanted(held)) {
        const report = (progress: unknown): void => {
          const payload = encodeReport(task, progress);
          if (payload !== undefined && payload.length <= this.#broker.maxPayload) link.tell({ type: 'report', run: task.run, payload });
        };
        const options = {
          signal: held.abort.signal,
          before: held.before,
          priority: held.priority === 'high' ? 1 : held.priority === 'low' ? -1 : 0,
          report: task.options.report ? report : undefined,
        };
        for await (const outcome of this.#runner.run(task, options)) {
          if (held.unwanted || held.leaving) break;
          if (outcome.poison !== undefined) await this.#bury(held, outcome);
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
    const { link } = this.#driverOf(task);
    this.done += outcome.count;
    this.failed += outcome.failed;
    const payload = await link.payload(this.#settings.host, outcome.payload);
    const { offset, count, micros } = outcome;
    link.tell({ type: 'result', run: task.run, chunk: task.chunk, offset, count, outcome: outcome.outcome, payload, micros }, () => {
      held.untold--;
      this.#settleIfTold(held);
    });
  }

  #tellMissing(held: HeldTask): void {
    held.untold++;
    this.#driverOf(held.task).link.tell({ type: 'missing', run: held.task.run, chunk: held.task.chunk }, () => {
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
    const state = this.#drivers.get(held.task.driver);
    if (state !== undefined && --state.tasks === 0 && state.gone) this.#drivers.delete(held.task.driver);
    if (this.#suspect === held) this.#suspect = null;
    this.#tryAlone();
    if (this.#held.size > 0) return;
    for (const resolve of this.#whenEmpty) resolve();
    this.#whenEmpty.clear();
  }

  /** Others may have it, as if it had not been here. */
  #giveBack(held: HeldTask): void {
    const giving = this.#returned(held).then(() => {
      this.#givingBack.delete(giving);
      this.#forget(held);
    });
    this.#givingBack.add(giving);
  }

  async #returned(held: HeldTask): Promise<void> {
    const { task, before, sequence } = held;
    const subject = this.#names.task(held.priority, task.driver, task.run);
    // A message of its own: what the broker counts is deaths. Its driver does not know the message, and
    // cannot withdraw it: who gets it asks.
    const payload = writeTask({ ...task, options: { ...task.options, before, announce: true } });
    held.leaving = true;
    if (!this.#broker.up) return held.leave();
    const id = `${task.driver}/${task.run}/${task.chunk}/${task.offset}/back/${sequence}`;
    const stored = this.#store(subject, id, payload).then(
      () => true,
      () => false,
    );
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), RETURN_MS);
    });
    if (await Promise.race([stored, late])) held.acknowledge();
    // The stream is full, or the broker away.
    else held.decline();
    clearTimeout(timer);
  }

  // ---- what nobody can run

  /** Too many hosts that had it have ended. */
  async #giveUp(held: HeldTask): Promise<void> {
    const { task, before: attempts } = held;
    const what = task.count === 1 ? `Item ${task.chunk + task.offset}` : `Items ${task.chunk + task.offset} and following`;
    const error = hostsLost(attempts, what);
    const outcome = { ...outcomeOf(task, error), poison: { error, attempts } };
    // Its outcome may have come before its host died.
    if (await this.#isWanted(held)) {
      await this.#bury(held, outcome);
      void this.#tell(held, outcome);
    } else held.unwanted = true;
    this.#ended(held);
    this.#settleIfTold(held);
  }

  /** Hosts end under a chunk: each item by itself, so that only the one to blame is lost. */
  async #split(held: HeldTask): Promise<void> {
    const { task, before } = held;
    const subject = this.#names.task(held.priority, task.driver, task.run);
    const single = (offset: number): Promise<void> => {
      const payload = writeTask({ ...task, offset, count: 1, options: { ...task.options, before } });
      return this.#store(subject, `${task.driver}/${task.run}/${task.chunk}/${offset}/${before}`, payload);
    };
    try {
      await Promise.all(Array.from({ length: task.count }, (_, i) => single(task.offset + i)));
      held.unwanted = true;
    } catch {
      // The broker took some of them: the chunk stays, and comes again.
      held.leave();
    }
    this.#ended(held);
    this.#settleIfTold(held);
  }

  /** Writes a dead letter. */
  async #bury(held: HeldTask, { offset, count, poison }: TaskOutcome): Promise<void> {
    const { task, bytes } = held;
    const { name, message, code } = (poison?.error ?? {}) as { name?: string; message?: string; code?: string };
    const letter = writeDeadLetter({
      driver: task.driver,
      run: task.run,
      index: task.chunk + offset,
      count,
      attempts: poison?.attempts ?? 0,
      host: this.#settings.host,
      name: name ?? 'Error',
      message: message ?? String(poison?.error),
      code: code ?? '',
      time: timeOfDay(),
      task: bytes,
    });
    await this.#store(this.#names.deadLetter, `${task.driver}/${task.run}/${task.chunk + offset}`, letter).catch((error: unknown) =>
      debug('agent: a dead letter could not be stored: %s', error),
    );
  }

  #unreadable(message: Msg, bytes: Uint8Array, cause: unknown): void {
    const error = unreadable(this.#settings.host, cause);
    const { sequence, deliveries } = deliveryOf(message);
    const letter = {
      ...{ driver: '', run: '', index: 0, count: 1, attempts: deliveries, host: this.#settings.host, time: timeOfDay(), task: bytes },
      ...{ name: error.name, message: error.message, code: error.code },
    };
    const reply = message.reply ?? '';
    void this.#store(this.#names.deadLetter, `unreadable/${sequence}`, writeDeadLetter(letter)).then(
      () => this.#broker.publish(reply, '+TERM'),
      (failure: unknown) => debug('agent: a dead letter could not be stored: %s', failure),
    );
  }

  #store(subject: string, id: string, payload: Uint8Array): Promise<void> {
    const refuse = ({ description }: BrokerRefusal) =>
      new ConnectionError(`The broker did not take a message for ${subject}: ${description}.`);
    return publishOnce(this.#publisher, subject, id, payload, refuse);
  }

  // ---- leases and drivers

  #renew(): void {
    for (const held of this.#held.values()) held.renew();
    for (const [driver, state] of this.#drivers) if (state.tasks > 0) void this.#ask(driver, state);
  }

  /** Stops what a driver wants no more: the word of that may have been lost. */
  async #ask(driver: string, state: DriverState): Promise<void> {
    const runs = new Set<string>();
    for (const { task, published } of this.#held.values()) {
      if (task.driver === driver && timeOfDay() - published > task.options.lease) runs.add(task.run);
    }
    if (runs.size === 0) return;
    const unwanted = await state.link.unwanted([...runs]);
    if (unwanted === undefined) return;
    state.heard = performance.now();
    const reason = new DOMException('The driver wants it no more.', 'AbortError');
    for (const run of unwanted) void this.cancel(driver, run, reason);
  }

  /** Whether a task that has waited for long, or came from another host, is still wanted. */
  async #isWanted(held: HeldTask): Promise<boolean> {
    const { task } = held;
    const { announce, lease } = task.options;
    const again = held.before > 0;
    if (!announce && !again && timeOfDay() - held.published < lease) return true;
    const question = announce || again ? `${task.run}#${task.chunk}#${task.offset}#${task.count}` : task.run;
    const state = this.#driverOf(task);
    for (;;) {
      if (question === task.run && performance.now() - state.heard < PRESENCE_MS) return true;
      if (state.gone || held.leaving || held.unwanted) return false;
      const unwanted = await state.link.unwanted([question]);
      if (unwanted !== undefined) {
        state.heard = performance.now();
        return !unwanted.includes(question);
      }
      await new Promise<void>((resolve) => setTimeout(resolve, ABSENT_WAIT_MS));
    }
  }

  /**
   * Removes what is in the stream and wanted by nobody. A broker that was killed may have a message
   * again that was acknowledged, and never give it to an agent; and a driver may have died while no
   * agent was there.
   */
  async sweep(): Promise<void> {
    if (this.#sweeping) return;
    this.#sweeping = true;
    try {
      // Acknowledgements that are under way come first.
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#lease);
        // A timer would keep the process of an agent that has ended.
        this.#wakeSweep = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      if (this.#closed) return;
      const over = (): boolean => this.#closed;
      const counts = await this.#broker.persist(() => taskCounts(this.#broker, this.#names), over);
      const runs = new Map<string, Set<string>>();
      for (const subject of Object.keys(counts ?? {})) {
        const { driver, run } = this.#names.ownerOf(subject);
        runs.set(driver, (runs.get(driver) ?? new Set()).add(run));
      }
      await Promise.all([...runs].map(([driver, names]) => this.#sweepDriver(driver, [...names])));
    } catch (error) {
      debug('agent: the stream could not be swept: %s', error);
    } finally {
      this.#sweeping = false;
    }
  }

  async #sweepDriver(driver: string, runs: readonly string[]): Promise<void> {
    const state = this.#driver(driver, this.#lease);
    while (!this.#closed && !state.gone) {
      const unwanted = await state.link.unwanted(runs);
      if (unwanted === undefined) {
        await new Promise<void>((resolve) => setTimeout(resolve, ABSENT_WAIT_MS));
        continue;
      }
      for (const run of unwanted) {
        const filter = this.#names.tasksOfRun(driver, run);
        await this.#broker.persist(
          () => removeTasksOf(this.#broker, this.#names, filter),
          () => this.#closed,
        );
      }
      break;
    }
  }

  #driver(driver: string, lease: number): DriverState {
    let state = this.#drivers.get(driver);
    if (state === undefined || (state.gone && state.tasks === 0)) {
      const link = new DriverLink(this.#broker, driver, lease, () => this.#driverGone(driver));
      state = { link, heard: Number.NEGATIVE_INFINITY, tasks: 0, gone: false };
      this.#drivers.set(driver, state);
    }
    return state;
  }

  #driverOf({ driver, options }: TaskMessage): DriverState {
    return this.#driver(driver, options.lease);
  }

  /** Its tasks are withdrawn, here and in the stream. */
  #driverGone(driver: string): void {
    const state = this.#drivers.get(driver);
    if (state === undefined) return;
    state.gone = true;
    const reason = new DOMException('The driver has ended.', 'AbortError');
    for (const held of [...this.#held.values()]) {
      if (held.task.driver !== driver) continue;
      void this.#cancel(held, reason);
      this.#settleIfTold(held);
    }
    if (state.tasks === 0) this.#drivers.delete(driver);
    const over = (): boolean => this.#closed;
    const withdrawn = this.#broker.persist(async () => {
      await removeTasksOf(this.#broker, this.#names, this.#names.tasksOfDriver(driver));
      await purgeBlobs(this.#broker, this.#names, this.#names.blobsOfDriver(driver));
    }, over);
    withdrawn.catch((error: unknown) => debug('agent: the tasks of a lost driver could not be withdrawn: %s', error));
  }
}
