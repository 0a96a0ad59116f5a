/** The servers of this thread: proxies of their objects arrive as objects that call straight. */

/** What an arriving proxy needs of a server that runs in its thread. */
export interface LocalServer {
  /**
   * A proxy that was on its way has arrived.
   * @param granter the session that sent it; 0: this program.
   */
  claimed(granter: number, grant: number): void;
  /** Returns the proxy, in the server, of one of its objects. */
  proxyHere(id: number): object;
}

/** By the name of the server. */
export const localServers = new Map<string, LocalServer>();
