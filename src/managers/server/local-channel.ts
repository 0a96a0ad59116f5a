/**
 * Proxies inside a server, of its own objects: their calls go straight to the object, which they
 * keep.
 *
 * A proxy that is sent to a client of this server is a reference of that client's. One that goes
 * elsewhere holds its object by a grant, until it has arrived or is not on its way any more.
 */
import type { Address } from '../address.js';
import { noObject, notExposed } from '../messages.js';
import { type Channel, type Link, type ProxyHandle, sendingTo, serializerPart } from '../proxies.js';
import { linkOf, localProxy } from '../proxy.js';
import type { ServerOptions } from '../server-options.js';
import { Ask } from '../wire/frames.js';
import { inTransit } from '../wire/in-transit.js';
import { type ClientAgent, runCall } from './current-call.js';
import { inquire } from './dispatch.js';
import type { Referent, ReferentTable } from './referents.js';

/** What the proxies need of their server. */
export interface LocalHost {
  readonly name: string;
  readonly address: Address;
  readonly referents: ReferentTable;
  /** Keeps an object that a method returned. */
  register(typeid: string, value: unknown): Referent;
  /**
   * Counts a reference of the client's that is being encoded for. Returns its session; 0 where `to`
   * is no client of this server.
   */
  grantTo(to: object | null, referent: Referent): number;
}

/** The link of a proxy inside the server, which keeps its object. */
interface LocalLink extends Link {
  readonly referent: Referent;
}

export class LocalChannel implements Channel {
  readonly #host: LocalHost;
  readonly #options: ServerOptions;
  /** What proxies stand for that are on their way elsewhere, by their grants. */
  readonly #holds = new Map<number, Referent>();
  #lastGrant = 0;
  /** The server itself, as a caller. */
  readonly #self: ClientAgent = { id: 0, pid: process.pid, name: 'server', ended: false, onEnd: () => () => {} };

  constructor(host: LocalHost, options: ServerOptions) {
    this.#host = host;
    this.#options = options;
  }

  get address(): Address {
    return this.#host.address;
  }

  /** Returns the proxy of an object. @throws RemoteError `MP_NO_OBJECT` where there is none. */
  proxyOf(id: number): object {
    const referent = this.#host.referents.find(id);
    if (referent === undefined) throw noObject(id);
    const known = referent.proxy?.deref();
    if (known !== undefined && linkOf(known)?.closed === false) return known;
    referent.local = true;
    const link: LocalLink = { channel: this, object: id, shape: referent.shape, received: 0, closed: false, referent };
    const proxy = localProxy(link);
    referent.proxy = new WeakRef(proxy);
    return proxy;
  }

  /**
   * Returns the object that a proxy of this channel stands for; `undefined` for any other value.
   */
  referentOf(value: object): Referent | undefined {
    const link = linkOf(value);
    return link?.channel === this ? (link as LocalLink).referent : undefined;
  }

  call(link: Link, member: number | string, args: readonly unknown[]): Promise<unknown> {
    const { referent } = link as LocalLink;
    const { members, typeid } = link.shape;
    const found =
      typeof member === 'number'
        ? members[member]
        : members.find(({ name, kind }) => name === member && kind === 'method');
    const method = found?.kind === 'method' ? (referent.object as Record<string, unknown>)[found.name] : undefined;
    if (typeof method !== 'function') {
      return Promise.reject(
        notExposed(
          typeid,
          found?.name ?? member,
          members.map(({ name }) => name),
        ),
      );
    }
    return this.#run(method as (...given: readonly unknown[]) => unknown, referent.object, args).then((value) => {
      const of = referent.type.methodToTypeid?.[found!.name];
      return of === undefined ? value : this.proxyOf(this.#host.register(of, value).id);
    });
  }

  read(link: Link, member: number): Promise<unknown> {
    return this.#run(inquire, undefined, [(link as LocalLink).referent, Ask.property, member]);
  }

  ask(link: Link, what: number): Promise<unknown> {
    return this.#run(inquire, undefined, [(link as LocalLink).referent, what, 0]);
  }

  /** The garbage collector does it. */
  release(): void {}

  handleOf(link: Link): ProxyHandle {
    const { referent } = link as LocalLink;
    const { typeid, module, members, byValue } = referent.shape;
    const session = this.#host.grantTo(sendingTo(), referent);
    return {
      server: this.#host.name,
      address: this.#host.address,
      object: referent.id,
      shape: { typeid, module, members, byValue },
      session,
      grant: [0, session === 0 ? this.#hold(referent) : 0],
      tls: this.#options.tls !== undefined,
      ...serializerPart(this.#options.serializer),
    };
  }

  /** A proxy that this program sent has arrived, or is not on its way any more. */
  arrived(grant: number): void {
    const referent = this.#holds.get(grant);
    if (referent === undefined) return;
    this.#holds.delete(grant);
    this.#host.referents.drop(referent, 1);
  }

  #hold(referent: Referent): number {
    const grant = ++this.#lastGrant;
    this.#host.referents.retain(referent);
    this.#holds.set(grant, referent);
    inTransit(() => this.arrived(grant));
    return grant;
  }

  async #run<A extends readonly unknown[]>(method: (...args: A) => unknown, self: unknown, args: A): Promise<unknown> {
    const { signal } = new AbortController();
    return await runCall({ client: this.#self, signal }, method, self, args);
  }
}
