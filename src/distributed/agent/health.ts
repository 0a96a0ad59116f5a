/** `GET /` of an agent, for orchestrators: 200 while it takes tasks, 503 while it does not. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ProcessError } from '../../errors/index.js';

/** What is said: whether it takes tasks, and what it is doing. */
export interface Health {
  readonly healthy: boolean;
  readonly [name: string]: unknown;
}

export class HealthServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws (rejects) ProcessError `MP_HTTP_PORT`. */
  static listen(port: number, health: () => Health): Promise<HealthServer> {
    const server = createServer((_request, response) => {
      const said = health();
      response.writeHead(said.healthy ? 200 : 503, { 'content-type': 'application/json' });
      response.end(`${JSON.stringify(said)}\n`);
    });
    return new Promise((resolve, reject) => {
      server.once('error', (cause) =>
        reject(
          new ProcessError(
            `Agent: \`http\`: port ${port} cannot be used: ${cause.message}; choose another, or 0 for any free one.`,
            {
              code: 'MP_HTTP_PORT',
              cause,
            },
          ),
        ),
      );
      server.listen(port, () => resolve(new HealthServer(server)));
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}
