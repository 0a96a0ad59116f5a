/** A TCP proxy that can delay, cut, half-close and hold its connections. */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Whether the client does not hear of the end. */
  unheard: boolean;
}

export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  /** Milliseconds that each piece of data is held. */
  delay = 0;
  /** Whether nothing passes, though connections stay. */
  #held = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(port: number): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server);
    server.on('connection', (client) => proxy.#join(client, connect(port, '127.0.0.1')));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Cuts all connections. */
  cut(): void {
    for (const { client, server } of [...this.#pairs]) {
      client.destroy();
      server.destroy();
    }
  }

  /** Closes one direction of all connections: the broker hears the end, its clients do not. */
  halfClose(): void {
    for (const { server } of this.#pairs) server.end();
  }

  /** Ends all connections at the broker; those of its clients stay, and nothing answers there. */
  cutUnheard(): void {
    for (const pair of this.#pairs) {
      pair.unheard = true;
      pair.server.destroy();
    }
  }

  /** Lets nothing pass until {@link release}: the peers take each other for slow, then for dead. */
  hold(): void {
    this.#held = true;
    for (const { client, server } of this.#pairs) {
      client.pause();
      server.pause();
    }
  }

  release(): void {
    this.#held = false;
    for (const { client, server } of this.#pairs) {
      client.resume();
      server.resume();
    }
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #join(client: Socket, server: Socket): void {
    const pair: Pair = { client, server, unheard: false };
    this.#pairs.add(pair);
    if (this.#held) {
      client.pause();
      server.pause();
    }
    const pass = (from: Socket, to: Socket): void => {
      // In its order, also when the delay has changed; `null` is the end.
      const waiting: (Buffer | null)[] = [];
      const write = (data: Buffer | null | undefined): void => {
        if (data === null) to.end();
        else if (data !== undefined && !to.destroyed) to.write(data);
      };
      const send = (data: Buffer | null): void => {
        if (this.delay === 0 && waiting.length === 0) write(data);
        else {
          waiting.push(data);
          setTimeout(() => write(waiting.shift()), this.delay);
        }
      };
      from.on('data', send);
      from.on('end', () => send(null));
      from.on('error', () => {});
      from.on('close', () => {
        if (pair.unheard && from === server) return;
        this.#pairs.delete(pair);
        to.destroy();
      });
    };
    pass(client, server);
    pass(server, client);
  }
}
