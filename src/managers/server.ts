import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { type Address, type Connection, Listener } from '../connection/index.js';
import { AuthenticationError } from '../errors/index.js';
import { subDebug } from '../util/logger.js';
import { setImmediate, setTimeout } from '../util/timers.js';
import { freshAddress } from './address.js';
import { localServers } from './local-servers.js';
import { badFrame, noType } from './messages.js';
import { type ProxyHandle, whileSendingTo } from './proxies.js';
import type { ManagedType } from './registry.js';
import { LocalChannel } from './server/local-channel.js';
import { type Referent, ReferentTable } from './server/referents.js';
import { Session } from './server/session.js';
import type { ServerOptions } from './server-options.js';
import { Kind, readFrame, serializerNumber, VERSION, Wire } from './wire/frames.js';

/** The state of an object, for `debugInfo`. */
export interface ObjectInfo {
  /** Its number in the server. */
  readonly id: number;
  /** The name of its type. */
  readonly typeid: string;
  /** References of clients, and those on their way to one. */
  readonly references: number;
  /** What it looks like. */
  readonly text: string;
}

/** Milliseconds that what is released has at the server's end. */
const RELEASE_GRACE_MS = 1_000;

/**
 * The server of a manager: keeps its objects, and serves clients over the address.
 *
 * Semantics: with {@link serveForever} it runs in this program, beside everything else; `start()`
 * of a manager runs one in a process of its own. Clients prove that they know the key before
 * anything is decoded. Objects live as long as a client has a proxy of them, one is on its way, or
 * another object of the server holds one.
 *
 * Python: `multiprocessing.managers.Server`.
 * @example
 * import { BaseManager } from 'multiprocess/managers';
 *
 * const visits = new Map<string, number>();
 * class Visits extends BaseManager.with({ visits: () => visits }) {}
 *
 * const server = new Visits({ authkey: 'secret' }).getServer();
 * const serving = server.serveForever();
 * const client = new Visits({ address: await server.listen(), authkey: 'secret' });
 * await client.connect();
 * await (await client.visits()).set('ada', 1);
 * console.log(visits.get('ada')); // 1
 * await client.shutdown();
 * server.stop();
 * await serving;
 */
export class Server implements AsyncDisposable {
  /** @internal Tells it from all other servers. */
  readonly name: string = randomBytes(8).toString('hex');
  /** @internal */
  readonly referents: ReferentTable = new ReferentTable((referent) => this.#released(referent));
  readonly #registry: ReadonlyMap<string, ManagedType>;
  readonly #options: ServerOptions;
  readonly #sessions = new Set<Session>();
  readonly #local: LocalChannel;
  #address: Address;
  #listener: Listener | undefined;
  #listening: Promise<Address> | undefined;
  #clients = 0;
  #stopped = false;
  #end!: () => void;
  readonly #ended: Promise<void> = new Promise((resolve) => {
    this.#end = resolve;
  });
  readonly #releasing = new Set<Promise<unknown>>();
  /** @internal Managers make servers: `getServer()`. */
  constructor(registry: ReadonlyMap<string, ManagedType>, options: ServerOptions) {
    this.#registry = registry;
    this.#options = options;
    this.#address = options.address ?? freshAddress();
    this.#local = new LocalChannel(this, options);
  }

  /** Where clients find it. Port 0 becomes the real one when it listens. */
  get address(): Address {
    return this.#address;
  }

  /**
   * Listens, without serving yet.
   *
   * @returns the address.
   * @throws (as rejection) what `Listener.listen` throws.
   */
  listen(): Promise<Address> {
    this.#listening ??= this.#listen();
    return this.#listening;
  }

  async #listen(): Promise<Address> {
    const { authkey, tls } = this.#options;
    this.#listener = await Listener.listen({ address: this.#address, authkey, ...(tls === undefined ? {} : { tls }) });
    this.#address = this.#listener.address;
    localServers.set(this.name, this);
    return this.#address;
  }

  /**
   * Serves clients until {@link stop}, or until a client asks it to shut down.
   *
   * @throws (as rejection) what `Listener.listen` throws.
   */
  async serveForever(): Promise<void> {
    await this.listen();
    const listener = this.#listener!;
    void this.#accept(listener);
    await this.#ended;
    listener.close();
    localServers.delete(this.name);
    for (const session of this.#sessions) session.end();
    for (const referent of this.referents.all()) this.#released(referent);
    const late = new Promise((resolve) => setTimeout(resolve, RELEASE_GRACE_MS).unref());
    await Promise.race([Promise.allSettled(this.#releasing), late]);
  }

  /** Ends {@link serveForever}: clients are told, objects are released. */
  stop(): void {
    this.#stopped = true;
    // What was answered before goes out first.
    setImmediate(() => this.#end());
  }

  /** As {@link stop}. */
  [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    this.#listener?.close();
    return Promise.resolve();
  }

  /** `<Server at "/tmp/…">`. */
  toString(): string {
    return `<Server at ${JSON.stringify(this.#address)}${this.#stopped ? ', stopped' : ''}>`;
  }

  /** Returns how many objects are referred to. Python: `number_of_objects`. */
  async numberOfObjects(): Promise<number> {
    return (await this.referents.reachable()).length;
  }

  /** Returns what objects there are. Python: `debug_info`. */
  async debugInfo(): Promise<ObjectInfo[]> {
    return (await this.referents.reachable()).map(({ id, shape, holders, object }) => ({
      id,
      typeid: shape.typeid,
      references: holders,
      text: inspect(object, { depth: 1, breakLength: Number.POSITIVE_INFINITY }).slice(0, 75),
    }));
  }

  // ---- for sessions

  /** @internal */
  typeOf(typeid: unknown): ManagedType | undefined {
    return typeof typeid === 'string' ? this.#registry.get(typeid) : undefined;
  }

  /** @internal */
  typeids(): string[] {
    return [...this.#registry].filter(([, { callable }]) => callable !== undefined).map(([typeid]) => typeid);
  }

  /**
   * @internal Keeps an object that was made, or a method returned. A proxy of one that is kept
   * already is that one.
   * @throws RemoteError `MP_NO_TYPE`.
   */
  register(typeid: string, value: unknown): Referent {
    const known = typeof value === 'object' && value !== null ? this.referentOf(value) : undefined;
    if (known !== undefined) return known;
    const type = this.#registry.get(typeid);
    if (type === undefined) throw noType(typeid, [...this.#registry.keys()]);
    const referent = this.referents.add(typeid, type, value);
    if (type.lasting === true && referent.holders === 0) this.referents.retain(referent);
    return referent;
  }

  /** @internal Returns the object that a proxy inside the server stands for. */
  referentOf(value: object): Referent | undefined {
    return this.#local.referentOf(value);
  }

  /** @internal Runs what encodes for a client. */
  encodingFor(session: Session, send: () => void): void {
    whileSendingTo(session, send);
  }

  /** @internal Returns the proxy that a handle stands for. */
  arrived(handle: unknown): object {
    const { server, object } = (handle ?? {}) as Partial<ProxyHandle>;
    if (server !== this.name || typeof object !== 'number') throw badFrame('a proxy of another manager');
    return this.proxyHere(object);
  }

  /**
   * @internal A proxy that was on its way has arrived.
   * @param granter the session that sent it; 0: this program.
   */
  claimed(granter: number, grant: number): void {
    if (granter === 0) this.#local.arrived(grant);
    else for (const session of this.#sessions) if (session.id === granter) session.arrived(grant);
  }

  /** @internal Whether there is one client. */
  get sole(): boolean {
    return this.#sessions.size === 1;
  }

  /** @internal */
  left(session: Session): void {
    this.#sessions.delete(session);
  }

  // ---- for proxies inside the server

  /** @internal Returns the proxy, in the server, of one of its objects. */
  proxyHere(id: number): object {
    return this.#local.proxyOf(id);
  }

  /** @internal */
  grantTo(to: object | null, referent: Referent): number {
    return to instanceof Session && this.#sessions.has(to) ? to.grant(referent) : 0;
  }

  // ---- clients

  /**
   * @internal A client whose connection was there before the server listened. It is not served yet.
   */
  adopt(connection: Connection, pid: number, name: string): Session {
    const session = new Session(this, new Wire(connection, this.#options.serializer), ++this.#clients, pid, name);
    this.#sessions.add(session);
    return session;
  }

  async #accept(listener: Listener): Promise<void> {
    while (!this.#stopped) {
      try {
        const connection = await listener.accept();
        void this.#greet(connection);
      } catch (error) {
        if (error instanceof AuthenticationError) continue;
        if (this.#stopped) return;
        subDebug('a manager cannot accept: %s', String(error));
        if (listener.closed) return;
      }
    }
  }

  async #greet(connection: Connection): Promise<void> {
    const wire = new Wire(connection, this.#options.serializer);
    try {
      const frame = readFrame(await wire.receive());
      const own = serializerNumber(this.#options.serializer);
      if (frame?.kind !== Kind.hello || frame.extra !== VERSION || frame.member !== own || this.#stopped) {
        wire.post(Kind.refusal, 0, 0, VERSION, own);
        connection.close();
        return;
      }
      const name = await wire.payload(frame);
      const session = new Session(
        this,
        wire,
        ++this.#clients,
        frame.object,
        typeof name === 'string' ? name.slice(0, 200) : '',
      );
      this.#sessions.add(session);
      wire.send([this.name, this.typeids()], Kind.welcome, frame.id, session.id);
      await session.serve();
    } catch {
      connection.close();
    }
  }

  #released(referent: Referent): void {
    const release = referent.type.release as ((object: unknown) => unknown) | undefined;
    if (release === undefined) return;
    try {
      const releasing = Promise.resolve(release(referent.object)).catch((error: unknown) =>
        subDebug('release failed: %s', String(error)),
      );
      this.#releasing.add(releasing);
      void releasing.finally(() => this.#releasing.delete(releasing));
    } catch (error) {
      subDebug('release failed: %s', String(error));
    }
  }
}
