/**
 * Whose a durable run is, as the driver knows that reads it: results are delivered only while it is sure
 * to be the reader.
 *
 *   sure <-> in doubt -> lost        in doubt: the broker is asked for the record of the run
 *
 * Another driver becomes the reader once the broker has no connection of this one any more, or this one
 * does not answer. So it is in doubt
 * - while the broker is away, and after that;
 * - after a stall of the event loop, within which a loss of the connection would have been seen;
 * - when another driver has written the record.
 *
 * A connection of which the broker alone has heard the end is noticed by pings: without an answer to a
 * recent one nothing is delivered. They are sent while results are taken, and only then.
 */
import { debug } from '../../util/logger.js';
import { clearInterval, performance, setInterval } from '../../util/timers.js';
import { type Broker, messageOf, type Unlisten } from '../broker/index.js';

/** Milliseconds between two looks at the clock. */
const TICK_MS = 50;
/** Milliseconds without a turn of the event loop after which another driver may read the run. */
const STALL_MS = 200;
/** Milliseconds after a ping for which its answer counts, unless two round trips take longer. */
const PROOF_MS = 500;

/** Who is told. */
export interface ReadershipOwner {
  /** Name of the run, for messages. */
  readonly run: string;
  /** Whether the broker has this driver as the reader; `undefined`: it matters no longer. */
  isReader(): Promise<boolean | undefined>;
  /** It is sure again. */
  sure(): void;
  /** Another driver is the reader. */
  lost(): void;
}

export class Readership {
  readonly #broker: Broker;
  readonly #owner: ReadershipOwner;
  readonly #unlisten: Unlisten[];
  readonly #ticks: NodeJS.Timeout;
  /** When the event loop turned last. */
  #turned = performance.now();
  #sure: boolean;
  #looking = false;
  /** What is being asked may have changed since. */
  #again = false;
  /** When the last ping was sent that was answered. */
  #proven = performance.now();
  /** Milliseconds that its answer took. */
  #roundTrip = 0;
  #pinging = false;
  #closed = false;

  /** Begins when the broker has just said that this driver is the reader. */
  constructor(broker: Broker, owner: ReadershipOwner) {
    this.#broker = broker;
    this.#owner = owner;
    this.#sure = broker.up;
    this.#unlisten = [broker.onUp(() => this.doubt()), broker.onDown(() => (this.#sure = false))];
    this.#ticks = setInterval(() => this.#turn(), TICK_MS);
  }

  /** Whether results may be delivered now. */
  get holds(): boolean {
    this.#turn();
    if (!this.#sure) return false;
    const age = performance.now() - this.#proven;
    if (age > PROOF_MS / 2) void this.#ping();
    return age < Math.max(PROOF_MS, 2 * this.#roundTrip);
  }

  /** Delivers nothing before it has looked whose the run is. */
  doubt(): void {
    this.#sure = false;
    this.#again = true;
    void this.#look();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#ticks);
    for (const unlisten of this.#unlisten.splice(0)) unlisten();
  }

  #turn(): void {
    const now = performance.now();
    const stalled = now - this.#turned >= STALL_MS;
    this.#turned = now;
    if (stalled) this.doubt();
  }

  async #look(): Promise<void> {
    if (this.#looking || this.#closed) return;
    this.#looking = true;
    try {
      let began: number;
      do {
        this.#again = false;
        began = performance.now();
        const isReader = await this.#owner.isReader();
        if (this.#closed || isReader === undefined) return;
        if (!isReader) {
          this.#owner.lost();
          return;
        }
        // An answer that this process was stopped before it read says what was.
        this.#turn();
      } while (this.#again);
      this.#proven = began;
      this.#roundTrip = performance.now() - began;
      this.#sure = this.#broker.up;
      if (this.#sure) this.#owner.sure();
    } catch (error) {
      debug('durable run %s: %s', this.#owner.run, messageOf(error));
    } finally {
      this.#looking = false;
    }
  }

  async #ping(): Promise<void> {
    if (this.#pinging) return;
    this.#pinging = true;
    const began = performance.now();
    const answered = await this.#broker.ping();
    this.#pinging = false;
    if (!answered || !this.#sure || this.#closed) return;
    this.#proven = began;
    this.#roundTrip = performance.now() - began;
    this.#owner.sure();
  }
}
