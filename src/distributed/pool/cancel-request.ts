/** Asks all hosts of a pool to stop a run, and waits until each has. */
import { clearInterval, clearTimeout, setInterval, setTimeout } from '../../util/timers.js';
import type { Broker } from '../broker/index.js';
import { type PoolNames, writeControl } from '../wire/index.js';
import type { HostTable } from './host-table.js';

/** Milliseconds for hosts to stop it, beyond which nobody waits. */
const WAIT_MS = 10_000;
/** Milliseconds after which those that have not answered are asked again. */
const REPEAT_MS = 1_000;
/** Characters of the reason that go with it. */
const MAX_REASON_CHARACTERS = 300;

export class CancelRequest {
  readonly #broker: Broker;
  readonly #names: PoolNames;
  readonly #hosts: HostTable;

  constructor(broker: Broker, names: PoolNames, hosts: HostTable) {
    this.#broker = broker;
    this.#names = names;
    this.#hosts = hosts;
  }

  /** Resolves when every host that is known has answered, or is gone; at the latest after 10 s. */
  send(driver: string, run: string, reason: unknown): Promise<void> {
    const broker = this.#broker;
    const { name, message } = (typeof reason === 'object' && reason !== null ? reason : {}) as {
      name?: unknown;
      message?: unknown;
    };
    const control = writeControl({
      type: 'cancel',
      driver,
      run,
      name: typeof name === 'string' ? name.slice(0, MAX_REASON_CHARACTERS) : 'AbortError',
      message:
        typeof message === 'string'
          ? message.slice(0, MAX_REASON_CHARACTERS)
          : String(reason).slice(0, MAX_REASON_CHARACTERS),
    });
    const awaited = new Set(this.#hosts.all.map(({ id }) => id));
    const inbox = broker.inbox();
    return new Promise((resolve) => {
      const check = (): void => {
        for (const id of awaited) if (!this.#hosts.has(id)) awaited.delete(id);
        if (awaited.size > 0 && !broker.closed) return;
        clearInterval(repeat);
        clearTimeout(limit);
        unlisten();
        resolve();
      };
      const unlisten = broker.subscribe(inbox, (answer) => {
        if (answer.data.length > 0) awaited.delete(answer.string());
        check();
      });
      const ask = (): void => broker.publish(this.#names.control, control, inbox);
      const repeat = setInterval(() => {
        ask();
        check();
      }, REPEAT_MS);
      const limit = setTimeout(() => {
        awaited.clear();
        check();
      }, WAIT_MS);
      ask();
      check();
    });
  }
}
