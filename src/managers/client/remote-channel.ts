/**
 * The connection of this thread to a server, which all of its proxies share.
 *
 *   call -> frame, at once; or, until the connection is there, into a queue      frames -> results by the numbers of their calls
 *
 * Life: it is opened by the first manager or proxy that needs it, and closed when the last has
 * gone. A connection that ends takes all calls that are under way with it: whether they were made
 * is not known. The next call connects once more; a server of the same name still has the objects
 * that others refer to.
 */
import { Client, type ClientTls, type Connection } from '../../connection/index.js';
import { ConnectionError } from '../../errors/index.js';
import { fromWorker } from '../../pool/index.js';
import { currentProcess } from '../../process/index.js';
import { encodingForWorker, type Serializer } from '../../reduction/index.js';
import { importModule } from '../../util/import-module.js';
import { nextTick, queueMicrotask, setImmediate } from '../../util/timers.js';
import type { Address } from '../address.js';
import { badFrame, otherProtocol, otherServer, serverLost } from '../messages.js';
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
import { linkOf, remoteProxy } from '../proxy.js';
import { definedType, type ProxyType } from '../registry.js';
import { isShape, type Shape } from '../shape.js';
import { receivedError, sendError } from '../wire/errors.js';
import { Ask, Flag, type Frame, Kind, readFrame, serializerNumber, serializerTitle, VERSION, Wire } from '../wire/frames.js';
import { inTransit } from '../wire/in-transit.js';
import { isPlainObject, markArguments, staysHere } from '../wire/marks.js';
import type { Greeting } from '../wire/server-work.js';
import { incomingStream, type Reading, type StreamPeer } from './incoming-stream.js';
import { notedKey } from './keys.js';
import { OpenReadings } from './open-readings.js';
import { type PendingCall, PendingCalls } from './pending-calls.js';
import { refused } from './remote-call.js';
import { SentFunctions } from './sent-functions.js';

/** How a server is reached. */
export interface ServerAccess {
  readonly address: Address;
  /** For people. */
  readonly name: string;
  readonly authkey: Uint8Array;
  readonly tls?: ClientTls | undefined;
  readonly serializer: Serializer;
}

/** Where the channels of this thread are found: see channels.ts. */
export interface ChannelDirectory {
  /** The channel is connected to the server of that name. */
  reached(channel: RemoteChannel, server: string): void;
  /** It is so no more. */
  left(channel: RemoteChannel, server: string): void;
  /** Nobody is to get the channel any more. */
  forget(channel: RemoteChannel): void;
}

interface RemoteLink extends Link {
  /** The server that has the object. */
  readonly server: string;
}

export class RemoteChannel implements Channel, StreamPeer {
  /** How the server is reached. */
  readonly access: ServerAccess;
  readonly #directory: ChannelDirectory;
  #wire: Wire | null = null;
  #connecting: Promise<void> | null = null;
  /** What goes out as soon as the connection is there. */
  #queued: (() => void)[] = [];
  #server = '';
  #session = 0;
  /** Type names that the server can make. */
  #typeids: readonly string[] = [];
  readonly #pending = new PendingCalls(() => this.#hold());
  readonly #shapes = new Map<number, Shape>();
  readonly #proxies = new Map<number, WeakRef<object>>();
  readonly #readings = new OpenReadings(() => this.#hold());
  #lastGrant = 0;
  readonly #functions = new SentFunctions();
  /** Managers that use it. */
  #users = 0;
  #holding = true;
  #ended: Error | undefined;

  constructor(access: ServerAccess, directory: ChannelDirectory) {
    this.#directory = directory;
    this.access = access;
  }

  get address(): Address {
    return this.access.address;
  }

  /** The names of the types that the server can make. */
  get typeids(): readonly string[] {
    return this.#typeids;
  }

  /** A manager uses it from here on. */
  use(): void {
    this.#users++;
  }

  /** A manager uses it no more. */
  unuse(): void {
    this.#users--;
    this.#maybeClose();
  }

  /** The server was shut down, or has ended: what waits is rejected, and what comes. */
  abandon(why: Error): void {
    this.#ended = why;
    this.#directory.forget(this);
    this.#lost(why);
  }

  /** Connects, unless it is connected. @throws what Client throws. */
  connect(timeout?: number): Promise<void> {
    if (this.#wire !== null) return Promise.resolve();
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    this.#connecting ??= this.#connect(timeout).finally(() => {
      this.#connecting = null;
    });
    return this.#connecting;
  }

  /** Takes a connection that the server has greeted already. */
  adopt(connection: Connection, [server, session, typeids]: Greeting): void {
    if (this.#wire !== null) {
      connection.close();
      return;
    }
    const wire = new Wire(connection, this.access.serializer);
    this.#welcome(wire, server, session, typeids);
    void this.#receive(wire);
  }

  /** Makes an object in the server. */
  create(typeid: string, args: readonly unknown[], proxyType: ProxyType | undefined): Promise<unknown> {
    return this.#request((id) => this.#sendArguments(Kind.create, id, 0, 0, [typeid, ...args], false), proxyType);
  }

  /** Asks the server about itself. */
  question(what: number): Promise<unknown> {
    return this.#request((id) => this.#wire!.post(Kind.ask, id, 0, 0, what), undefined);
  }

  // ---- for proxies

  call(link: Link, member: number | string, args: readonly unknown[], options: CallOptions | undefined): Promise<unknown> {
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
    const send = (id: number) => {
      this.#check(link);
      const { object, shape } = link;
      if (named) this.#sendArguments(Kind.named, id, object, 0, [member, sent], shape.byValue, flags);
      else this.#sendArguments(Kind.call, id, object, member, sent, shape.byValue, flags);
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
    return this.#request((id) => {
      this.#check(link);
      this.#wire!.post(Kind.ask, id, link.object, member, Ask.property);
    }, undefined);
  }

  ask(link: Link, what: number): Promise<unknown> {
    return this.#request((id) => {
      this.#check(link);
      this.#wire!.post(Kind.ask, id, link.object, 0, what);
    }, undefined);
  }

  release(link: Link): void {
    const known = this.#proxies.get(link.object);
    const proxy = known?.deref();
    if (proxy === undefined || linkOf(proxy) === link) this.#proxies.delete(link.object);
    link.closed = true;
    if ((link as RemoteLink).server !== this.#server) return;
    if (link.received > 0) this.#now(() => this.#wire!.post(Kind.release, 0, link.object, link.received));
    this.#maybeClose();
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
      grant: [this.#session, grant],
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
    const wire = this.#wire;
    if (wire === null) return 0;
    this.#lastGrant = (this.#lastGrant + 1) >>> 0;
    const grant = this.#lastGrant;
    wire.post(Kind.hold, grant, object);
    inTransit(() => {
      if (this.#wire === wire) wire.post(Kind.unhold, grant);
    });
    return grant;
  }

  /**
   * The proxy of an object that the server told us of; or that came from elsewhere, by a grant that
   * is claimed.
   */
  proxyOf(object: number, shape: Shape, server: string, grant: Grant | null, type: ProxyType | undefined): object {
    const known = this.#proxies.get(object)?.deref();
    let link = known === undefined ? undefined : (linkOf(known) as RemoteLink);
    let proxy = known;
    if (proxy === undefined || link === undefined || link.closed || link.server !== server) {
      const made: RemoteLink = { channel: this, object, shape, received: 0, closed: false, server };
      link = made;
      proxy = remoteProxy(made, type);
      this.#proxies.set(object, new WeakRef(proxy));
    }
    link.received++;
    if (grant !== null) {
      this.#soon(() => {
        if (link.server === this.#server && !link.closed) this.#wire!.post(Kind.claim, grant[1], object, grant[0]);
      });
    }
    return proxy;
  }

  /** The proxy of a handle that came from elsewhere. */
  attachHandle({ server, object, shape, session, grant }: ProxyHandle, type: ProxyType | undefined): object {
    const counted = server === this.#server && session > 0 && session === this.#session;
    return this.proxyOf(object, shape, server, counted ? null : grant, type);
  }

  // ---- for streams

  open(source: number, reading: Reading, credits: number): number {
    const number = this.#readings.nextNumber();
    if (this.#wire === null) {
      queueMicrotask(() => reading.fail(this.#ended ?? serverLost(this.access.name, this.access.address)));
      return number;
    }
    this.#readings.enter(number, reading);
    this.#wire.post(Kind.pull, number, source, credits);
    this.#hold();
    return number;
  }

  more(source: number, reading: number, credits: number): void {
    this.#wire?.post(Kind.pull, reading, source, credits);
  }

  leave(reading: number): void {
    if (!this.#readings.leave(reading)) return;
    this.#wire?.post(Kind.stop, reading);
    this.#hold();
  }

  drop(source: number): void {
    this.#wire?.post(Kind.drop, 0, source);
  }

  // ---- requests

  #request(
    send: (id: number) => void,
    proxyType: ProxyType | undefined,
    timeout?: number,
    signal?: AbortSignal,
    what?: () => string,
  ): Promise<unknown> {
    if (signal?.aborted === true) return refused(signal.reason);
    const { id, call, pending } = this.#pending.open(proxyType);
    if (timeout !== undefined || signal !== undefined) {
      this.#pending.bound(id, pending, timeout, signal, what, () => {
        if (this.#wire === null) return undefined;
        this.#wire.post(Kind.cancel, id);
        return true;
      });
    }
    if (this.#wire !== null) this.#send(id, send);
    else this.#later(id, send);
    return call;
  }

  #later(id: number, send: (id: number) => void): void {
    this.#queued.push(() => {
      if (this.#pending.has(id)) this.#send(id, send);
    });
    this.connect().catch((error: unknown) => this.#pending.take(id)?.reject(error));
  }

  #send(id: number, send: (id: number) => void): void {
    try {
      send(id);
    } catch (error) {
      this.#pending.take(id)?.reject(error);
    }
  }

  #sendArguments(kind: number, id: number, object: number, member: number, payload: readonly unknown[], byValue: boolean, flags = 0): void {
    const wire = this.#wire!;
    whileSendingTo(this, () => {
      const args = kind === Kind.named ? (payload[1] as readonly unknown[]) : payload;
      const marked = byValue && !wire.plain ? null : markArguments(args, (value) => this.#replace(value, wire.plain));
      if (marked === null) wire.send(payload, kind, id, object, 0, member, flags);
      else wire.send(kind === Kind.named ? [payload[0], marked] : marked, kind, id, object, 0, member, flags | Flag.marks);
    });
  }

  #replace(value: object, plain: boolean): readonly ['function' | 'proxy', unknown] | undefined {
    if (staysHere(value)) return ['function', this.#functions.numberOf(value)];
    const link = plain ? linkOf(value) : undefined;
    return link === undefined ? undefined : ['proxy', link.channel.handleOf(link)];
  }

  #check(link: Link): void {
    if ((link as RemoteLink).server !== this.#server) throw otherServer(this.access.address);
  }

  /** Sends now, if there is a connection. */
  #now(send: () => void): void {
    if (this.#wire !== null) send();
  }

  /** Sends now, or as soon as there is a connection. */
  #soon(send: () => void): void {
    if (this.#wire !== null) {
      send();
      return;
    }
    this.#queued.push(send);
    this.connect().catch(() => {});
  }

  // ---- the connection

  async #connect(timeout: number | undefined): Promise<void> {
    const { address, authkey, tls, serializer } = this.access;
    let wire: Wire | undefined;
    try {
      const connection = await Client(address, {
        authkey,
        ...(tls === undefined ? {} : { tls }),
        ...(timeout === undefined ? {} : { timeout }),
      });
      wire = new Wire(connection, serializer);
      wire.send(currentProcess().name, Kind.hello, 0, process.pid, VERSION, serializerNumber(serializer));
      const frame = readFrame(await wire.receive());
      if (frame?.kind === Kind.refusal) throw otherProtocol(address, frame.extra, serializerTitle(frame.member));
      if (frame?.kind !== Kind.welcome) throw badFrame('no welcome');
      const [server, typeids] = (await wire.payload(frame)) as [string, string[]];
      this.#welcome(wire, server, frame.object, typeids);
    } catch (cause) {
      wire?.close();
      const known = cause instanceof ConnectionError && cause.code !== 'MP_PROTOCOL';
      const error = known ? serverLost(this.access.name, address, cause) : cause;
      this.#rejectAll(error as Error);
      throw error;
    }
    void this.#receive(wire);
  }

  #welcome(wire: Wire, server: string, session: number, typeids: readonly string[]): void {
    this.#wire = wire;
    this.#session = session;
    this.#typeids = typeids;
    this.#shapes.clear();
    const again = this.#server === server;
    if (this.#server !== '') this.#directory.left(this, this.#server);
    this.#server = server;
    this.#directory.reached(this, server);
    this.#holding = true;
    const queued = this.#queued;
    this.#queued = [];
    if (again) this.#reclaim();
    for (const send of queued) send();
    this.#hold();
  }

  /**
   * The proxies that there are, on a connection that is new: the server may have their objects
   * still.
   */
  #reclaim(): void {
    for (const [object, weak] of this.#proxies) {
      const proxy = weak.deref();
      const link = proxy === undefined ? undefined : linkOf(proxy);
      if (link === undefined || link.closed) continue;
      link.received = 1;
      this.#wire!.post(Kind.claim, 0, object, 0);
    }
  }

  async #receive(wire: Wire): Promise<void> {
    let cause: unknown;
    try {
      // What came together is handled in one stretch: the calls that follow upon the answers go
      // together, too.
      for (let bytes = await wire.receive(); ; bytes = wire.receiveSeen() ?? (await this.#next(wire))) {
        const frame = readFrame(bytes);
        if (frame === null || this.#wire !== wire) break;
        const later = this.#handle(wire, frame);
        if (later !== undefined) await later;
      }
    } catch (error) {
      cause = error;
    }
    if (this.#wire !== wire) return;
    this.#lost(this.#ended ?? serverLost(this.access.name, this.access.address, cause));
  }

  /**
   * The next frame, which is looked for once those who were answered have made their next calls.
   */
  async #next(wire: Wire): Promise<Uint8Array> {
    await new Promise<void>((resolve) => nextTick(resolve));
    return this.#pending.size > 0 ? wire.receive() : wire.receiveLater();
  }

  /** The connection has ended: what waits is rejected. */
  #lost(error: Error): void {
    const wire = this.#wire;
    this.#wire = null;
    wire?.close();
    this.#functions.clear();
    this.#rejectAll(error);
    this.#readings.failAll(error);
  }

  #rejectAll(error: Error): void {
    this.#queued = [];
    this.#pending.rejectAll(error);
  }

  /** Whether the event loop waits for the server. */
  #hold(): void {
    const on = this.#pending.size > 0 || this.#readings.size > 0;
    if (on === this.#holding || this.#wire === null) return;
    this.#holding = on;
    this.#wire.hold(on);
  }

  /** Nobody needs it any more. */
  #maybeClose(): void {
    if (this.#users > 0 || this.#proxies.size > 0 || this.#pending.size > 0 || this.#readings.size > 0 || this.#wire === null) return;
    const wire = this.#wire;
    this.#wire = null;
    wire.close();
    this.#directory.forget(this);
    this.#directory.left(this, this.#server);
  }

  /** In a fork: the connection is the parent's. The proxies are this process's too. */
  forked(): void {
    const wire = this.#wire;
    this.#wire = null;
    wire?.close();
    this.#connecting = null;
    this.#queued = [];
    this.#pending.clear();
    this.#readings.clear();
    this.#functions.clear();
    if (this.#proxies.size > 0) setImmediate(() => void this.connect().catch(() => {}));
  }

  // ---- what comes

  #handle(wire: Wire, frame: Frame): Promise<void> | undefined {
    switch (frame.kind) {
      case Kind.result: {
        const pending = this.#pending.take(frame.id);
        if (pending !== undefined) return this.#settle(wire, frame, pending);
        return undefined;
      }
      case Kind.failure:
        return this.#failed(wire, frame);
      case Kind.proxy:
        return this.#proxy(wire, frame);
      case Kind.stream:
        this.#pending.take(frame.id)?.resolve(incomingStream(this, frame.object));
        return undefined;
      case Kind.items:
        return this.#readings.receiveItems(wire, frame, (number) => this.leave(number));
      case Kind.end:
        return this.#readings.receiveEnd(wire, frame);
      case Kind.callback:
        return this.#callBack(wire, frame);
      case Kind.forget:
        this.#functions.forget(frame.object, frame.extra);
        return undefined;
      default:
        return undefined;
    }
  }

  #settle(wire: Wire, frame: Frame, pending: PendingCall): Promise<void> | undefined {
    try {
      const value = wire.payload(frame);
      if (value instanceof Promise) return value.then(pending.resolve, pending.reject);
      pending.resolve(value);
    } catch (error) {
      pending.reject(error);
    }
    return undefined;
  }

  async #failed(wire: Wire, frame: Frame): Promise<void> {
    const pending = this.#pending.take(frame.id);
    if (pending === undefined) return;
    if (pending.cancelled !== undefined) {
      pending.reject(pending.cancelled.reason);
      return;
    }
    try {
      pending.reject(fromWorker(receivedError(wire, await wire.payload(frame)), pending.site));
    } catch (error) {
      pending.reject(error);
    }
  }

  #proxy(wire: Wire, frame: Frame): Promise<void> | undefined {
    const shape = this.#shapes.get(frame.extra);
    if (shape !== undefined) {
      this.#made(frame, shape);
      return undefined;
    }
    return (async () => {
      const told = await wire.payload(frame);
      if (!isShape(told)) {
        this.#pending.take(frame.id)?.reject(badFrame('a proxy without a shape'));
        return;
      }
      this.#shapes.set(frame.extra, told);
      // The class of its proxies is in the module of its type. A server that must not run code here
      // names no module to load either.
      if (!wire.plain && told.module !== null && definedType(told.typeid) === undefined) await importModule(told.module).catch(() => {});
      this.#made(frame, told);
    })();
  }

  #made(frame: Frame, shape: Shape): void {
    const pending = this.#pending.take(frame.id);
    if (pending === undefined) {
      // Nobody waits for it any more.
      this.#wire?.post(Kind.release, 0, frame.object, 1);
      return;
    }
    try {
      pending.resolve(this.proxyOf(frame.object, shape, this.#server, null, pending.proxyType));
    } catch (error) {
      pending.reject(error);
    }
  }

  // ---- functions that the server calls back

  #callBack(wire: Wire, frame: Frame): undefined {
    const answer = async () => {
      const args = (await wire.payload(frame)) as unknown[];
      const fn = this.#functions.get(frame.object);
      if (fn === undefined) throw badFrame(`function ${frame.object} is not known`);
      return (await Reflect.apply(fn, undefined, args)) as unknown;
    };
    answer()
      .then((value) => {
        if (this.#wire === wire) whileSendingTo(this, () => wire.send(value, Kind.answer, frame.id));
      })
      .catch((error: unknown) => {
        if (this.#wire === wire) sendError(wire, error, Kind.answer, frame.id, 0, Flag.error);
      });
    return undefined;
  }
}

function keyPart(address: Address): { key?: string } {
  const key = notedKey(address);
  return key === undefined ? {} : { key };
}
