/**
 * Removes what is in the stream and wanted by nobody. A broker that was killed may have a message
 * again that was acknowledged, and never give it to an agent; and a driver may have died while no
 * agent was there.
 */
import { debug } from '../../util/logger.js';
import { clearTimeout, setTimeout } from '../../util/timers.js';
import { type Broker, removeTasksOf, taskCounts } from '../broker/index.js';
import type { PoolNames } from '../wire/index.js';
import type { Drivers } from './drivers.js';

export class StreamSweeper {
  readonly #broker: Broker;
  readonly #names: PoolNames;
  readonly #drivers: Drivers;
  #sweeping = false;
  #closed = false;
  /** Ends the wait of a sweep. */
  #wake: () => void = () => {};

  constructor(broker: Broker, names: PoolNames, drivers: Drivers) {
    this.#broker = broker;
    this.#names = names;
    this.#drivers = drivers;
  }

  /** Looks over the whole stream once, a lease from now. */
  async sweep(lease: number): Promise<void> {
    if (this.#sweeping) return;
    this.#sweeping = true;
    try {
      // Acknowledgements that are under way come first.
      await this.#pause(lease);
      if (this.#closed) return;
      const counts = await this.#broker.persist(
        () => taskCounts(this.#broker, this.#names),
        () => this.#closed,
      );
      const runs = new Map<string, Set<string>>();
      for (const subject of Object.keys(counts ?? {})) {
        const { driver, run } = this.#names.ownerOf(subject);
        runs.set(driver, (runs.get(driver) ?? new Set()).add(run));
      }
      await Promise.all([...runs].map(([driver, names]) => this.#sweepDriver(driver, [...names], lease)));
    } catch (error) {
      debug('agent: the stream could not be swept: %s', error);
    } finally {
      this.#sweeping = false;
    }
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      // A timer would keep the process of an agent that has ended.
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #sweepDriver(driver: string, runs: readonly string[], lease: number): Promise<void> {
    for (const run of (await this.#drivers.insist(driver, runs, lease)) ?? []) {
      const filter = this.#names.tasksOfRun(driver, run);
      await this.#broker.persist(
        () => removeTasksOf(this.#broker, this.#names, filter),
        () => this.#closed,
      );
    }
  }
}
