import { Deque } from '../util/deque.js';
import { limitWait } from '../util/limit-wait.js';
import type { WaitOptions } from '../util/wait-options.js';
import type { Connection } from './connection.js';
import { timedOut } from './messages.js';

/** A call of accept that waits. */
interface Accepter {
  resolve(connection: Connection): void;
  reject(error: unknown): void;
}

/**
 * Calls of accept that wait for a connection, or connections that wait for a call: they proved
 * themselves when the calls had been given up. Each is served in its order.
 */
export class AcceptQueue {
  readonly #accepters = new Deque<Accepter>();
  readonly #connections = new Deque<Connection>();

  /** Calls that wait. */
  get wanted(): number {
    return this.#accepters.length;
  }

  /**
   * Resolves with the next connection.
   * @throws (as rejection) TimeoutError; `signal.reason`; what {@link fail} is given.
   */
  async take(bounds: WaitOptions): Promise<Connection> {
    const waiting = this.#connections.shift();
    if (waiting !== undefined) return waiting;
    let unlimit = () => {};
    try {
      return await new Promise<Connection>((resolve, reject) => {
        const accepter: Accepter = { resolve, reject };
        const giveUp = (why: unknown) => this.#accepters.remove(accepter) && reject(why);
        unlimit = limitWait(bounds, () => giveUp(timedOut('Listener.accept', bounds.timeout)), giveUp);
        this.#accepters.push(accepter);
      });
    } finally {
      unlimit();
    }
  }

  /** Gives a connection to the call that waits longest, or keeps it for the next one. */
  pass(connection: Connection): void {
    const accepter = this.#accepters.shift();
    if (accepter === undefined) this.#connections.push(connection);
    else accepter.resolve(connection);
  }

  /** Rejects the call that waits longest. */
  fail(error: unknown): void {
    this.#accepters.shift()?.reject(error);
  }

  /** Closes the connections, and rejects the calls. */
  close(error: () => Error): void {
    for (let one = this.#connections.shift(); one !== undefined; one = this.#connections.shift()) one.close();
    for (let one = this.#accepters.shift(); one !== undefined; one = this.#accepters.shift()) one.reject(error());
  }
}
