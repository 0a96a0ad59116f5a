/** The lease of a pool as a driver has it: the pool's, unless this driver asks for another. */
import { debug } from '../../util/logger.js';
import { type Broker, leaseOf, messageOf, setLease } from '../broker/index.js';
import { type PoolNames, writeControl } from '../wire/index.js';

const DEFAULT_LEASE_MS = 5_000;

export class PoolLease {
  readonly #broker: Broker;
  readonly #names: PoolNames;
  readonly #asked: number | undefined;
  #milliseconds: number;
  #adopted = false;

  /** @param asked What this driver asks for. */
  constructor(broker: Broker, names: PoolNames, asked: number | undefined) {
    this.#broker = broker;
    this.#names = names;
    this.#asked = asked;
    this.#milliseconds = asked ?? DEFAULT_LEASE_MS;
  }

  get milliseconds(): number {
    return this.#milliseconds;
  }

  /** Takes over the pool's lease, or gives the pool this driver's, once the pool is there. */
  async adopt(): Promise<void> {
    if (this.#adopted) return;
    this.#adopted = true;
    try {
      const known = await leaseOf(this.#broker, this.#names);
      // A pool that is not there yet has none.
      this.#adopted = known !== undefined;
      this.#milliseconds = this.#asked ?? known ?? DEFAULT_LEASE_MS;
      if (known === undefined || known === this.#milliseconds) return;
      // Agents renew by the new one before the broker counts by it.
      this.#broker.publish(this.#names.control, writeControl({ type: 'lease', lease: this.#milliseconds }));
      await setLease(this.#broker, this.#names, this.#milliseconds);
    } catch (error) {
      this.#adopted = false;
      debug('distributed pool: the lease is not known: %s', messageOf(error));
    }
  }
}
