/**
 * What all managers and proxies of this thread share of one server: calls, proxies, functions and
 * streams, over one connection (server-connection.ts).
 *
 *   call -> frame, at once or as soon as the connection is there
 *   frames -> answers, by the numbers of their calls
 *
 * Life: it is opened by the first manager or proxy that needs it, and closed when the last has
 * gone. A connection that ends takes all calls that are under way with it: whether they were made
 * is not known. The next call connects once more; a server of the same name still has the objects
 * that others refer to.
 */
import type { Connection } from '../../connection/index.js';
import { encodingForWorker } from '../../reduction/index.js';
import { queueMicrotask, setImmediate } from '../../util/timers.js';
import type { Address } from '../address.js';
import { functionNotCarried, otherServer } from '../messages.js';
import {
  type CallOptions,
  type Channel,
  type Grant,
  type Link,
  type ProxyHandle,
  sendingTo,
  serializerPart,
  whileSendingTo,
} from '../proxies.js';
import { linkOf } from '../proxy.js';
import type { ProxyType } from '../registry.js';
import type { Shape } from '../shape.js';
import { Ask, Flag, type Frame, Kind, type Wire } from '../wire/frames.js';
import { inTransit } from '../wire/in-transit.js';
import { isPlainObject, markArguments, staysHere } from '../wire/marks.js';
import type { Greeting } from '../wire/server-work.js';
import { Answers } from './answers.js';
import { incomingStream, type Reading, type StreamPeer } from './incoming-stream.js';
import { notedKey } from './keys.js';
import { OpenReadings } from './open-readings.js';
import { PendingCalls } from './pending-calls.js';
import { ProxyTable, type RemoteLink } from './proxy-table.js';
import { refused } from './remote-call.js';
import { SentFunctions } from './sent-functions.js';
import { type ConnectionOwner, type ServerAccess, ServerConnection } from './server-connection.js';

/** Where the channels of this thread are found: see channels.ts. */
export interface ChannelDirectory {
  /** The channel is connected to the server of that name. */
  reached(channel: RemoteChannel, server: string): void;
  /** It is so no more. */
  left(channel: RemoteChannel, server: string): void;
  /** Nobody is to get the channel any more. */
  forget(channel: RemoteChannel): void;
}

export class RemoteChannel implements Channel, StreamPeer, ConnectionOwner {
  readonly #directory: ChannelDirectory;
  readonly #connection: ServerConnection;
  readonly #pending = new PendingCalls(() => this.#connection.hold());
  readonly #answers = new Answers(this.#pending, (object, shape, type) =>
    this.proxyOf(object, shape, this.#connection.server, null, type),
  );
  readonly #proxies = new ProxyTable();
  readonly #readings = new OpenReadings(() => this.#connection.hold());
  readonly #functions = new SentFunctions();
  #lastGrant = 0;
  /** Managers that use it. */
  #users = 0;

  constructor(access: ServerAccess, directory: ChannelDirectory) {
    this.#directory = directory;
    this.#connection = new ServerConnection(access, this);
  }

  /** How the server is reached. */
  get access(): ServerAccess {
    return this.#connection.access;
  }

  get address(): Address {
    return this.access.address;
  }

  /** The names of the types that the server can make. */
  get typeids(): readonly string[] {
    return this.#connection.typeids;
  }

  /** A manager uses it from here on. */
  use(): void {
    this.#users++;
  }

  /** A manager uses it no more. */
  unuse(): void {
    this.#users--;
    this.#closeIfUnused();
  }

  /** The server was shut down, or has ended: what waits is rejected, and what comes. */
  abandon(why: Error): void {
    this.#directory.forget(this);
    this.#connection.abandon(why);
  }

  /** Connects, unless it is connected. @throws what Client throws. */
  connect(timeout?: number): Promise<void> {
    return this.#connection.connect(timeout);
  }

  /** Takes a connection that the server has greeted already. */
  adopt(connection: Connection, greeting: Greeting): void {
    this.#connection.adopt(connection, greeting);
  }

  /** Makes an object in the server. */
  create(typeid: string, args: readonly unknown[], proxyType: ProxyType | undefined): Promise<unknown> {
    return this.#request(
      (wire, id) => this.#sendArguments(wire, Kind.create, id, 0, 0, [typeid, ...args], false),
      proxyType,
    );
  }

  /** Asks the server about itself. */
  question(what: number): Promise<unknown> {
    return this.#request((wire, id) => wire.post(Kind.ask, id, 0, 0, what), undefined);
  }

  // ---- for proxies

  call(
    link: Link,
    member: number | string,
    args: readonly unknown[],
    options: CallOptions | undefined,
  ): Promise<unknown> {
    const named = typeof member === 'string';
    let { signal } = options ?? {};
    let flags = 0;
    let sent = args;
    const last = args.length > 0 ? args[args.length - 1] : undefined;
    if (typeof last === 'object' && isPlainObject(last) && last['signal'] instanceof AbortSignal) {
      const { signal: own, ...rest } = last;
      signal = signal === undefined ? (own as AbortSignal) : AbortSignal.any([signal, own as AbortSignal]);
      sent = [...args.slice(0, -1), rest];
      flags = Flag.signal;
    }
    const send = (wire: Wire, id: number) => {
      this.#check(link);
      const { object, shape } = link;
      if (named) this.#sendArguments(wire, Kind.named, id, object, 0, [member, sent], shape.byValue, flags);
      else this.#sendArguments(wire, Kind.call, id, object, member, sent, shape.byValue, flags);
    };
    return this.#request(
      send,
      undefined,
      options?.timeout,
      signal,
      () => `${link.shape.typeid}.${named ? member : link.shape.members[member]!.name}`,
    );
  }

  read(link: Link, member: number): Promise<unknown> {
    return this.#request((wire, id) => {
      this.#check(link);
      wire.post(Kind.ask, id, link.object, member, Ask.property);
    }, undefined);
  }

  ask(link: Link, what: number): Promise<unknown> {
    return this.#request((wire, id) => {
      this.#check(link);
      wire.post(Kind.ask, id, link.object, 0, what);
    }, undefined);
  }

  release(link: Link): void {
    this.#proxies.remove(link);
    if (!this.#isConnectedTo(link)) return;
    if (link.received > 0) this.#connection.wire?.post(Kind.release, 0, link.object, link.received);
    this.#closeIfUnused();
  }

  handleOf(link: Link): ProxyHandle {
    const { typeid, module, members, byValue } = link.shape;
    const home = sendingTo() === this;
    const grant = home ? 0 : this.#grant(link.object);
    return {
      server: (link as RemoteLink).server,
      address: this.access.address,
      object: link.object,
      shape: { typeid, module, members: [...members], byValue },
      session: home ? -1 : 0,
      grant: [this.#connection.session, grant],
      ...(encodingForWorker() ? keyPart(this.access.address) : {}),
      tls: this.access.tls !== undefined,
      ...serializerPart(this.access.serializer),
    };
  }

  /**
   * A proxy of the object is on its way elsewhere: the server holds it until it is claimed, or not
   * on its way any more.
   */
  #grant(object: number): number {
    const { wire } = this.#connection;
    if (wire === null) return 0;
    this.#lastGrant = (this.#lastGrant + 1) >>> 0;
    const grant = this.#lastGrant;
    wire.post(Kind.hold, grant, object);
    inTransit(() => {
      if (this.#connection.wire === wire) wire.post(Kind.unhold, grant);
    });
    return grant;
  }

  /**
   * Returns the proxy of an object that the server told us of; or that came from elsewhere, by a
   * grant that is claimed.
   */
  proxyOf(object: number, shape: Shape, server: string, grant: Grant | null, type: ProxyType | undefined): object {
    const proxy = this.#proxies.receive(this, server, object, shape, type);
    if (grant !== null) {
      const link = linkOf(proxy)!;
      this.#connection.send(() => {
        if (this.#isConnectedTo(link) && !link.closed)
          this.#connection.wire!.post(Kind.claim, grant[1], object, grant[0]);
      });
    }
    return proxy;
  }

  /** Returns the proxy of a handle that came from elsewhere. */
  attachHandle({ server, object, shape, session, grant }: ProxyHandle, type: ProxyType | undefined): object {
    const counted = server === this.#connection.server && session > 0 && session === this.#connection.session;
    return this.proxyOf(object, shape, server, counted ? null : grant, type);
  }

  // ---- for streams

  open(source: number, reading: Reading, credits: number): number {
    const number = this.#readings.nextNumber();
    const { wire } = this.#connection;
    if (wire === null) {
      queueMicrotask(() => reading.fail(this.#connection.failure));
      return number;
    }
    this.#readings.enter(number, reading);
    wire.post(Kind.pull, number, source, credits);
    this.#connection.hold();
    return number;
  }

  more(source: number, reading: number, credits: number): void {
    this.#connection.wire?.post(Kind.pull, reading, source, credits);
  }

  leave(reading: number): void {
    if (!this.#readings.leave(reading)) return;
    this.#connection.wire?.post(Kind.stop, reading);
    this.#connection.hold();
  }

  drop(source: number): void {
    this.#connection.wire?.post(Kind.drop, 0, source);
  }

  // ---- requests

  #request(
    send: (wire: Wire, id: number) => void,
    proxyType: ProxyType | undefined,
    timeout?: number,
    signal?: AbortSignal,
    what?: () => string,
  ): Promise<unknown> {
    if (signal?.aborted === true) return refused(signal.reason);
    const { id, call, pending } = this.#pending.open(proxyType);
    if (timeout !== undefined || signal !== undefined) {
      this.#pending.bound(id, pending, timeout, signal, what, () => {
        const { wire } = this.#connection;
        wire?.post(Kind.cancel, id);
        return wire === null ? undefined : true;
      });
    }
    if (this.#connection.wire !== null) this.#send(id, send);
    else {
      // Nobody may have the proxy but the call. Collected now, it would not be claimed before the call goes.
      const kept = this.#proxies.kept();
      this.#connection.send(
        () => {
          // It may have been given up while there was no connection.
          if (this.#pending.has(id)) this.#send(id, send);
          kept.length = 0;
        },
        (error) => this.#pending.take(id)?.reject(error),
      );
    }
    return call;
  }

  #send(id: number, send: (wire: Wire, id: number) => void): void {
    try {
      send(this.#connection.wire!, id);
    } catch (error) {
      this.#pending.take(id)?.reject(error);
    }
  }

  #sendArguments(
    wire: Wire,
    kind: number,
    id: number,
    object: number,
    member: number,
    payload: readonly unknown[],
    byValue: boolean,
    flags = 0,
  ): void {
    whileSendingTo(this, () => {
      const args = kind === Kind.named ? (payload[1] as readonly unknown[]) : payload;
      const marked =
        byValue && !wire.plain ? null : markArguments(args, (value) => this.#replace(value, wire.plain, byValue));
      if (marked === null) wire.send(payload, kind, id, object, 0, member, flags);
      else
        wire.send(kind === Kind.named ? [payload[0], marked] : marked, kind, id, object, 0, member, flags | Flag.marks);
    });
  }

  #replace(value: object, plain: boolean, byValue: boolean): readonly ['function' | 'proxy', unknown] | undefined {
    if (byValue && typeof value === 'function') throw functionNotCarried(value.name);
    if (staysHere(value)) return ['function', this.#functions.numberOf(value)];
    const link = plain ? linkOf(value) : undefined;
    return link === undefined ? undefined : ['proxy', link.channel.handleOf(link)];
  }

  #check(link: Link): void {
    if (!this.#isConnectedTo(link)) throw otherServer(this.access.address);
  }

  #isConnectedTo(link: Link): boolean {
    return (link as RemoteLink).server === this.#connection.server;
  }

  // ---- for the connection

  get isAwaitingAnswer(): boolean {
    return this.#pending.size > 0;
  }

  get isBusy(): boolean {
    return this.#pending.size > 0 || this.#readings.size > 0;
  }

  opened(before: string): void {
    const { server } = this.#connection;
    this.#answers.restart();
    if (before !== '') this.#directory.left(this, before);
    this.#directory.reached(this, server);
    if (before === server) this.#proxies.reclaim((object) => this.#connection.wire!.post(Kind.claim, 0, object, 0));
  }

  lost(error: Error): void {
    this.#functions.clear();
    this.#pending.rejectAll(error);
    this.#readings.failAll(error);
  }

  received(wire: Wire, frame: Frame): Promise<void> | undefined {
    switch (frame.kind) {
      case Kind.result:
        return this.#answers.receiveResult(wire, frame);
      case Kind.failure:
        return this.#answers.receiveFailure(wire, frame);
      case Kind.proxy:
        return this.#answers.receiveProxy(wire, frame);
      case Kind.stream:
        this.#pending.take(frame.id)?.resolve(incomingStream(this, frame.object));
        return undefined;
      case Kind.items:
        return this.#readings.receiveItems(wire, frame, (number) => this.leave(number));
      case Kind.end:
        return this.#readings.receiveEnd(wire, frame);
      case Kind.callback:
        this.#functions.callBack(this, wire, frame, () => this.#connection.wire === wire);
        return undefined;
      case Kind.forget:
        this.#functions.forget(frame.object, frame.extra);
        return undefined;
      default:
        return undefined;
    }
  }

  /** Closes the connection when nobody needs it any more. */
  #closeIfUnused(): void {
    if (this.#users > 0 || this.#proxies.size > 0 || this.isBusy || !this.#connection.close()) return;
    this.#directory.forget(this);
    this.#directory.left(this, this.#connection.server);
  }

  /** In a fork: the connection is the parent's. The proxies are this process's too. */
  forked(): void {
    this.#connection.forked();
    this.#pending.clear();
    this.#readings.clear();
    this.#functions.clear();
    if (this.#proxies.size > 0) setImmediate(() => void this.connect().catch(() => {}));
  }
}

function keyPart(address: Address): { key?: string } {
  const key = notedKey(address);
  return key === undefined ? {} : { key };
}
