/** Where the peers of a listener come in. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import {
  acceptSocket,
  closeDescriptor,
  Family,
  listenSocket,
  Readiness,
  Ready,
  type SocketName,
  socketName,
} from '../../native/index.js';
import { queueMicrotask } from '../../util/timers.js';
import { WAITABLE, type WaitableObject } from '../../util/waitable.js';
import type { Carrier } from './carrier.js';
import { streamError, usesStreams } from './streams.js';

/** A peer that came in. */
export interface Arrival {
  readonly carrier: Carrier;
  /** What it has in common with others of the same origin: their host. */
  readonly origin: string;
}

/** The seam between a listener and the socket that listens. */
export interface Entrance {
  /** Where it is. */
  readonly name: SocketName;
  /** What {@link wait} waits for, and `fileno` returns if it is a number. */
  readonly target: number | WaitableObject;
  /**
   * Returns who waits, if anybody does.
   * @throws MultiprocessError `MP_SYSTEM`.
   */
  take(): Arrival | null;
  /** Whether it tells of arrivals, and holds the event loop. At first it does neither. */
  want(on: boolean): void;
  close(): void;
}

/**
 * Opens one.
 * @param onArrival told while somebody waits.
 * @throws (as rejection) MultiprocessError `MP_SYSTEM`.
 */
export async function openEntrance(name: SocketName, backlog: number, onArrival: () => void): Promise<Entrance> {
  if (usesStreams(name)) return StreamEntrance.open(name, backlog, onArrival);
  return new DescriptorEntrance(listenSocket(name, backlog), onArrival);
}

class DescriptorEntrance implements Entrance {
  readonly target: number;
  readonly #readiness: Readiness;

  constructor(descriptor: number, onArrival: () => void) {
    this.target = descriptor;
    this.#readiness = new Readiness(descriptor, onArrival);
  }

  get name(): SocketName {
    return socketName(this.target, 'own');
  }

  take(): Arrival | null {
    const carrier = acceptSocket(this.target);
    return carrier === null ? null : { carrier, origin: originOf(carrier) };
  }

  want(on: boolean): void {
    this.#readiness.want(on ? Ready.readable : 0);
  }

  close(): void {
    this.#readiness.close();
    closeDescriptor(this.target);
  }
}

function originOf(descriptor: number): string {
  try {
    const { family, host } = socketName(descriptor, 'peer');
    return family === Family.AF_UNIX ? '' : host;
  } catch {
    return ''; // It has hung up.
  }
}

/**
 * A server of Node. It accepts on its own: up to `backlog` wait here, and who comes then is hung up
 * on.
 */
class StreamEntrance implements Entrance {
  readonly name: SocketName;
  readonly target: WaitableObject;
  readonly #server: Server;
  readonly #waiting: Socket[] = [];
  readonly #hearers = new Set<() => void>();
  readonly #onArrival: () => void;
  #failure: Error | null = null;
  #wanted = false;

  private constructor(server: Server, name: SocketName, backlog: number, onArrival: () => void) {
    this.#server = server;
    this.#onArrival = onArrival;
    this.name = name;
    this.target = {
      [WAITABLE]: (onReady) => {
        if (this.#waiting.length > 0) return true;
        this.#hearers.add(onReady);
        return () => void this.#hearers.delete(onReady);
      },
    };
    server.on('connection', (socket) => {
      // Nobody else hears of what happens to it before it has a connection.
      socket.on('error', () => {});
      if (this.#waiting.length >= Math.max(1, backlog)) {
        socket.destroy();
        return;
      }
      socket.unref();
      this.#waiting.push(socket);
      this.#arrived();
    });
    server.on('error', (error) => {
      this.#failure = streamError(`Accepting on ${name.host}:${name.port}`, 'accept4', error);
      this.#arrived();
    });
    server.unref();
  }

  static async open({ family, host, port }: SocketName, backlog: number, onArrival: () => void): Promise<Entrance> {
    const server = createServer({ pauseOnConnect: true, noDelay: true });
    try {
      const listening = once(server, 'listening');
      server.listen({ host, port, backlog, exclusive: true });
      await listening;
    } catch (error) {
      throw streamError(`Listening on ${host}:${port}`, 'bind', error);
    }
    const own = server.address() as { readonly address: string; readonly port: number };
    return new StreamEntrance(server, { family, host: own.address, port: own.port }, backlog, onArrival);
  }

  take(): Arrival | null {
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) throw failure;
    const carrier = this.#waiting.shift();
    return carrier === undefined ? null : { carrier, origin: carrier.remoteAddress ?? '' };
  }

  want(on: boolean): void {
    if (on === this.#wanted) return;
    this.#wanted = on;
    if (on) this.#server.ref();
    else this.#server.unref();
    // Level-triggered, and never within the call.
    if (on && (this.#waiting.length > 0 || this.#failure !== null)) queueMicrotask(() => this.#arrived());
  }

  close(): void {
    this.#wanted = false;
    this.#server.close();
    for (const socket of this.#waiting.splice(0)) socket.destroy();
  }

  #arrived(): void {
    for (const hear of [...this.#hearers]) hear();
    if (this.#wanted) this.#onArrival();
  }
}
