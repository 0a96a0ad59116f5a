/**
 * The proxies of a server's objects in this thread: one for each object, for as long as somebody
 * has it.
 */
import type { Channel, Link } from '../proxies.js';
import { linkOf, remoteProxy } from '../proxy.js';
import type { ProxyType } from '../registry.js';
import type { Shape } from '../shape.js';

/** The link of a proxy whose object is in a server of that name. */
export interface RemoteLink extends Link {
  readonly server: string;
}

export class ProxyTable {
  readonly #proxies = new Map<number, WeakRef<object>>();

  /** Proxies that were not given back. */
  get size(): number {
    return this.#proxies.size;
  }

  /** Returns the proxies that somebody has: while these are kept, none is given back to the server. */
  kept(): object[] {
    return [...this.#proxies.values()].map((weak) => weak.deref()).filter((proxy) => proxy !== undefined);
  }

  /** Returns the proxy of an object, which counts one reference more. */
  receive(channel: Channel, server: string, object: number, shape: Shape, type: ProxyType | undefined): object {
    let proxy = this.#proxies.get(object)?.deref();
    let link = proxy === undefined ? undefined : (linkOf(proxy) as RemoteLink);
    if (proxy === undefined || link === undefined || link.closed || link.server !== server) {
      link = { channel, object, shape, received: 0, closed: false, server } as RemoteLink;
      proxy = remoteProxy(link, type);
      this.#proxies.set(object, new WeakRef(proxy));
    }
    link.received++;
    return proxy;
  }

  /** The proxy of a link is no more. Another one of its object stays. */
  remove(link: Link): void {
    const proxy = this.#proxies.get(link.object)?.deref();
    if (proxy === undefined || linkOf(proxy) === link) this.#proxies.delete(link.object);
    link.closed = true;
  }

  /**
   * Counts one reference for each proxy, on a connection that is new: the server may have their
   * objects still.
   * @param claim told of each object.
   */
  reclaim(claim: (object: number) => void): void {
    for (const [object, weak] of this.#proxies) {
      const proxy = weak.deref();
      const link = proxy === undefined ? undefined : linkOf(proxy);
      if (link === undefined || link.closed) continue;
      link.received = 1;
      claim(object);
    }
  }
}
