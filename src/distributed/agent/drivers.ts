/**
 * The drivers whose tasks an agent has: whether each is there, and what it still wants. One that has
 * not answered for the lease is gone, and its tasks in the stream with it.
 */
import { debug } from '../../util/logger.js';
import { performance, setTimeout, timeOfDay } from '../../util/timers.js';
import { type Broker, purgeBlobs, removeTasksOf, runRecordOf } from '../broker/index.js';
import { isDurable, type PoolNames, type TaskMessage } from '../wire/index.js';
import { DriverLink } from './driver-link.js';
import type { HeldTask } from './held-task.js';

/** Milliseconds for which a driver that answered counts as there. */
const PRESENCE_MS = 1_000;
/** Milliseconds until one that did not answer is asked again. */
const ABSENT_WAIT_MS = 200;

interface DriverState {
  readonly link: DriverLink;
  /** When it answered last. */
  heard: number;
  /** Tasks of it that are held. */
  tasks: number;
  gone: boolean;
}

export class Drivers {
  readonly #broker: Broker;
  readonly #names: PoolNames;
  readonly #onGone: (driver: string) => void;
  readonly #states = new Map<string, DriverState>();
  #closed = false;

  /** @param onGone Called when a driver counts as gone, before its tasks leave the stream. */
  constructor(broker: Broker, names: PoolNames, onGone: (driver: string) => void) {
    this.#broker = broker;
    this.#names = names;
    this.#onGone = onGone;
  }

  /** The way to the driver of a task. */
  linkOf({ driver, options }: TaskMessage): DriverLink {
    return this.#stateOf(driver, options.lease).link;
  }

  /** A task of it is held. */
  enter({ driver, options }: TaskMessage): void {
    this.#stateOf(driver, options.lease).tasks++;
  }

  /** A task of it is held no more. */
  leave({ driver }: TaskMessage): void {
    const state = this.#states.get(driver);
    if (state !== undefined && --state.tasks === 0 && state.gone) this.#states.delete(driver);
  }

  /** Those of which tasks are held. */
  *busy(): IterableIterator<string> {
    for (const [driver, { tasks }] of this.#states) if (tasks > 0) yield driver;
  }

  /** Which of these runs a driver wants no more; none when it does not answer. */
  async unwanted(driver: string, runs: readonly string[]): Promise<readonly string[]> {
    const state = this.#states.get(driver);
    const unwanted = await state?.link.unwanted(runs);
    if (state === undefined || unwanted === undefined) return [];
    state.heard = performance.now();
    return unwanted;
  }

  /**
   * Which of these runs a driver wants no more, asked until it answers.
   *
   * @returns `undefined` when the driver is gone.
   */
  async insist(driver: string, runs: readonly string[], lease: number): Promise<readonly string[] | undefined> {
    const state = this.#stateOf(driver, lease);
    while (!this.#closed && !state.gone) {
      const unwanted = await state.link.unwanted(runs);
      if (unwanted !== undefined) return unwanted;
      if (isDurable(driver)) return (await this.#isKept(runs[0]!)) ? [] : runs;
      await new Promise<void>((resolve) => setTimeout(resolve, ABSENT_WAIT_MS));
    }
    return undefined;
  }

  /** Whether a task that has waited for long, or came from another host, is still wanted. */
  async isWanted(held: HeldTask): Promise<boolean> {
    const { task } = held;
    const { announce, failures, lease } = task.options;
    const again = held.before > 0;
    if (!announce && !again && timeOfDay() - held.published < lease) return true;
    const question =
      announce || again ? `${task.run}#${task.chunk}#${task.offset}#${task.count}#${failures}` : task.run;
    const state = this.#stateOf(task.driver, lease);
    for (;;) {
      if (question === task.run && performance.now() - state.heard < PRESENCE_MS) return true;
      if (state.gone || held.leaving || held.unwanted) return false;
      const unwanted = await state.link.unwanted([question]);
      if (unwanted !== undefined) {
        state.heard = performance.now();
        return !unwanted.includes(question);
      }
      if (isDurable(task.driver)) return this.#isKept(task.run);
      await new Promise<void>((resolve) => setTimeout(resolve, ABSENT_WAIT_MS));
    }
  }

  /** Nothing is told or asked any more. */
  close(): void {
    this.#closed = true;
    for (const { link } of this.#states.values()) link.end();
    this.#states.clear();
  }

  /** Whether the broker has the record of a durable run. */
  async #isKept(run: string): Promise<boolean> {
    const record = await this.#broker.persist(
      async () => (await runRecordOf(this.#broker, this.#names, run)) !== undefined,
      () => this.#closed,
    );
    return record !== false;
  }

  #stateOf(driver: string, lease: number): DriverState {
    let state = this.#states.get(driver);
    if (state === undefined || (state.gone && state.tasks === 0)) {
      const patience = isDurable(driver) ? Number.POSITIVE_INFINITY : lease;
      const link = new DriverLink(this.#broker, driver, patience, () => this.#gone(driver));
      state = { link, heard: Number.NEGATIVE_INFINITY, tasks: 0, gone: false };
      this.#states.set(driver, state);
    }
    return state;
  }

  #gone(driver: string): void {
    const state = this.#states.get(driver);
    if (state === undefined) return;
    state.gone = true;
    this.#onGone(driver);
    if (state.tasks === 0) this.#states.delete(driver);
    const withdrawn = this.#broker.persist(
      async () => {
        await removeTasksOf(this.#broker, this.#names, this.#names.tasksOfDriver(driver));
        await purgeBlobs(this.#broker, this.#names, this.#names.blobsOfDriver(driver));
      },
      () => this.#closed,
    );
    withdrawn.catch((error: unknown) => debug('agent: the tasks of a lost driver could not be withdrawn: %s', error));
  }
}
