import { inspect } from 'node:util';
import { type Address, type ClientTls, keyOf, type ListenerTls } from '../connection/index.js';
import { ArgumentError, TimeoutError } from '../errors/index.js';
import { currentProcess, type JoinOptions, type Process, startMethodOf } from '../process/index.js';
import {
  encodingForWorker,
  optionOf,
  type Serializer,
  type SerializerOption,
  serializerOf,
} from '../reduction/index.js';
import { onAbort } from '../util/abort.js';
import { atExit } from '../util/at-exit.js';
import { checkFunction, checkOptions, describe } from '../util/options.js';
import { printedAsShown } from '../util/printed.js';
import { channelTo } from './client/channels.js';
import { forgetServer, keyTo, notedKey, noteServer, processKey, tlsFor } from './client/keys.js';
import type { RemoteChannel } from './client/remote-channel.js';
import { clientTls, type ManagerOptions } from './manager-options.js';
import { alreadyStarted, noAddress, notStarted, serverLost, shutDown } from './messages.js';
import { checkType, definedType, type Maker, mayBeExposed, type TypeOptions } from './registry.js';
import type { Creations, RemoteMaker, TypeEntry } from './remote.js';
import { type ObjectInfo, Server } from './server.js';
import { prepareTemplate, ServerLaunch } from './server-launch.js';
import { ownTypesOf, sentType, typesOf } from './types-of-class.js';
import { Ask } from './wire/frames.js';
import type { ServerWork } from './wire/server-work.js';

/** What types may be given as: by name, what makes their objects, or that with options. */
export type TypesOf = Readonly<Record<string, RemoteMaker | TypeEntry>>;

/** A class of managers with types of its own. */
export type ManagerClass<M extends TypesOf, B extends typeof BaseManager> = Pick<B, keyof B> &
  (new (
    options?: ManagerOptions,
  ) => InstanceType<B> & Creations<M>);

const MANAGER_OPTIONS = ['address', 'authkey', 'context', 'serializer', 'tls'];

/**
 *   initial    start() -> started; connect() -> connected; shutdown() -> ended; getServer() stays
 *   started    its server runs, or is being started: shutdown(), a start that failed -> ended
 *   connected  to another's server, or about to be: shutdown() -> ended; a connect() that failed ->
 *              initial
 *   ended      every call is refused
 */
type State = 'initial' | 'started' | 'connected' | 'ended';

/**
 * Starts, or connects to, a server that keeps objects for many processes, here or on other hosts.
 *
 * Semantics: {@link start} runs the server in a process of its own (or a thread, by the start
 * method `thread`), {@link getServer} in this program; {@link connect} joins one that runs. Then
 * the creation methods, one for each registered type, make objects in the server and give proxies
 * of them. Calls of all proxies of a thread share one connection, on which any number may be under
 * way.
 *
 * Everything ends: when the server ends, in whatever way, calls that wait and later ones reject
 * with ConnectionError `MP_MANAGER_LOST`; the server ends with the process that started it.
 *
 * Sent to another process, a manager arrives connected to the same server.
 *
 * Security: who knows the key may call what is exposed. With the default serializer he can also run
 * code in the server, and the server in its clients, since functions are values: give the key only
 * to whom you would give a shell.
 *
 * Python: `multiprocessing.managers.BaseManager`.
 *
 * @example
 * import { BaseManager } from 'multiprocess/managers';
 *
 * class Counter {
 *   n = 0;
 *   add(by = 1) {
 *     this.n += by;
 *     return this.n;
 *   }
 * }
 *
 * class Jobs extends BaseManager.with({ Counter }) {}
 *
 * await using jobs = new Jobs();
 * await jobs.start();
 * const counter = await jobs.Counter();
 * console.log(await counter.add(2)); // 2
 */
export class BaseManager implements AsyncDisposable {
  readonly #options: ManagerOptions;
  readonly #serializer: Serializer;
  #address: Address | undefined;
  #state: State = 'initial';
  #launch: ServerLaunch | null = null;
  #channel: RemoteChannel | null = null;
  #server: Server | null = null;
  #stopping: Promise<void> | null = null;
  /** Aborted when it is shut down: a start that is under way is given up. */
  readonly #gone = new AbortController();
  /** Settles when a start is over, whatever came of it. */
  #starting: Promise<void> | null = null;
  #unhook: (() => void) | undefined;

  /** @throws ArgumentError; nothing is started yet. */
  constructor(options: ManagerOptions = {}) {
    const name = new.target.name || 'BaseManager';
    checkOptions(name, options, MANAGER_OPTIONS);
    if (options.authkey !== undefined) keyOf(name, options.authkey);
    if (options.context !== undefined) startMethodOf(name, options.context);
    this.#serializer = serializerOf(name, options.serializer);
    this.#options = options;
    this.#address = options.address;
  }

  /**
   * Registers a type for this class of managers and those made from it later.
   *
   * @param typeid its name; the managers get a creation method of that name.
   * @param callable makes an object in the server: a function, which is sent there with its
   * captures, or a class. Without one only methods
   *   of other types (`methodToTypeid`) give objects of the type.
   * @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`.
   */
  static register(typeid: string, callable?: RemoteMaker, options: TypeOptions = {}): void {
    const type = checkType(`${this.name}.register`, typeid, {
      ...options,
      ...(callable === undefined ? {} : { callable: callable as Maker }),
    });
    const own = ownTypesOf(this);
    const known = callable === undefined && Object.keys(options).length === 0 ? definedType(typeid) : undefined;
    own.set(typeid, known ?? type);
    if ((known ?? type).createMethod === false) return;
    if (!mayBeExposed(typeid) || RESERVED_NAMES.has(typeid)) {
      throw new ArgumentError(
        `${this.name}.register: \`${typeid}\` cannot be a creation method; choose another name, or pass createMethod: false.`,
      );
    }
    const { [typeid]: create } = {
      [typeid](this: BaseManager, ...args: unknown[]) {
        return BaseManager.create(this, typeid, args);
      },
    };
    Object.defineProperty(this.prototype, typeid, { value: create, writable: true, configurable: true });
  }

  /**
   * Returns a class of managers with types of yours, and typed creation methods.
   *
   * @param types by name: a class, a function that makes an object, or options with such a
   * `callable`.
   * @example
   * import { BaseManager } from 'multiprocess/managers';
   *
   * class Jobs extends BaseManager.with({ Started: () => new Date(0) }) {}
   *
   * await using jobs = new Jobs();
   * await jobs.start();
   * const started = await jobs.Started();
   * console.log(await started.getTime()); // 0
   */
  static with<const M extends TypesOf, B extends typeof BaseManager>(this: B, types: M): ManagerClass<M, B> {
    const Base = this as typeof BaseManager;
    const made = class extends Base {};
    Object.defineProperty(made, 'name', { value: Base.name });
    for (const [typeid, type] of Object.entries(types)) {
      if (typeof type === 'function') made.register(typeid, type);
      else {
        const { callable, ...options } = type as TypeOptions & { callable: RemoteMaker };
        made.register(typeid, callable, options);
      }
    }
    return made as unknown as ManagerClass<M, B>;
  }

  /** Where the server is; `null` before it is known. */
  get address(): Address | null {
    return this.#server?.address ?? this.#address ?? null;
  }

  /** The process of the server, where {@link start} made one. */
  get process(): Process | null {
    return this.#launch?.process ?? null;
  }

  /**
   * Starts the server in a process or thread of its own. Resolves when it serves.
   *
   * @param initializer called in the server before it serves; it is sent there with its captures.
   * @throws (as rejection) ProcessError `MP_ALREADY_STARTED`, `MP_SERVER_START` when the server
   * ended before it served; ClosedError when it was shut down meanwhile; what the initializer, the
   * start of a process, and listening throw; SerializationError for a type that cannot be sent;
   * ArgumentError.
   */
  async start<A extends unknown[]>(initializer?: ((...args: A) => unknown) | null, initArgs?: A): Promise<void> {
    const actor = `${this.#name}.start`;
    if (initializer !== undefined && initializer !== null) checkFunction(actor, 'initializer', initializer);
    if (initArgs !== undefined && !Array.isArray(initArgs)) {
      throw new ArgumentError(`${actor}: \`initArgs\` must be an array, not ${describe(initArgs)}.`);
    }
    this.#begin(actor, 'started');
    const started = this.#start(actor, initializer as ServerWork['initializer'] | undefined, initArgs);
    this.#starting = started.catch(() => {});
    await started;
  }

  async #start(
    actor: string,
    initializer: ServerWork['initializer'] | undefined,
    initArgs: unknown[] | undefined,
  ): Promise<void> {
    const { authkey, context, tls } = this.#options;
    const types = typesOf(this);
    if (startMethodOf(actor, context) === 'forkserver') {
      prepareTemplate([...types.values()].map(({ module }) => module).filter((module) => module !== undefined));
    }
    const launch = new ServerLaunch(actor);
    this.#launch = launch;
    try {
      const { address, connection, greeting } = await launch.start(
        nextName(this.#name),
        context,
        () => ({
          types: [...types].map(([typeid, type]) => sentType(typeid, type)),
          address: this.#address ?? null,
          authkey: Buffer.from(this.#key()).toString('hex'),
          tls: (tls as ListenerTls | undefined) ?? null,
          serializer: optionOf(this.#serializer),
          client: { pid: process.pid, name: currentProcess().name },
          initializer: initializer ?? null,
          initArgs: initArgs ?? [],
        }),
        this.#gone.signal,
      );
      this.#address = address;
      const secured = tls === undefined ? undefined : clientTls(tls);
      const { name } = launch.process!;
      const channel = channelTo({ address, name, authkey: this.#key(), tls: secured, serializer: this.#serializer });
      channel.use();
      this.#channel = channel;
      this.#unhook = atExit('first', (ending) => {
        if (ending === 'natural') return this.shutdown();
        if (launch.isAlive) launch.process!.terminate();
        return undefined;
      });
      if (greeting === null) {
        connection.close();
        await channel.connect();
      } else channel.adopt(connection, greeting);
      this.#gone.signal.throwIfAborted();
      noteServer(address, authkey, secured);
    } catch (cause) {
      this.#unhook?.();
      this.#channel?.unuse();
      this.#channel = null;
      this.#state = 'ended';
      throw await launch.failed(cause, this.#gone.signal);
    }
  }

  /**
   * Connects to a server that runs: that of another program, or host.
   *
   * @param options `timeout` in ms for all of it.
   * @throws (as rejection) ConnectionError `MP_MANAGER_LOST` when none is there;
   * AuthenticationError; TimeoutError; ClosedError when it was shut down meanwhile; ProcessError
   * `MP_ALREADY_STARTED`; ArgumentError without an address.
   */
  async connect(options: { readonly timeout?: number | undefined } = {}): Promise<void> {
    const actor = `${this.#name}.connect`;
    checkOptions(actor, options, ['timeout']);
    if (this.#address === undefined) throw noAddress(actor);
    this.#begin(actor, 'connected');
    const { authkey, tls } = this.#options;
    const secured = tls as ClientTls | undefined;
    const channel = channelTo({
      address: this.#address,
      name: 'of the manager',
      authkey: this.#key(),
      tls: secured,
      serializer: this.#serializer,
    });
    channel.use();
    const connecting = channel.connect(options.timeout);
    try {
      await unlessAborted(connecting, this.#gone.signal);
      noteServer(this.#address, authkey, secured);
      this.#channel = channel;
    } catch (error) {
      // One that connects after all is closed then.
      const unused = () => channel.unuse();
      connecting.then(unused, unused);
      if (this.#state === 'connected') this.#state = 'initial';
      throw error;
    }
  }

  /**
   * Returns a server that runs in this program, once its `serveForever()` is called.
   *
   * @throws ProcessError `MP_ALREADY_STARTED`.
   */
  getServer(): Server {
    this.#begin(`${this.#name}.getServer`, 'initial');
    this.#server ??= new Server(typesOf(this), {
      address: this.#address,
      authkey: this.#key(),
      serializer: this.#serializer,
      tls: this.#options.tls as ListenerTls | undefined,
    });
    return this.#server;
  }

  /**
   * Ends the server that {@link start} made, or is making: asks it, then SIGTERM after a second, then
   * SIGKILL. A manager that only connected leaves it. May be called again.
   */
  shutdown(): Promise<void> {
    this.#stopping ??= this.#shutdown();
    return this.#stopping;
  }

  /**
   * Waits until the server that {@link start} made has ended.
   * @throws (as rejection) ProcessError `MP_NOT_STARTED`; TimeoutError; `signal.reason`.
   */
  async join(options: JoinOptions = {}): Promise<void> {
    const { process } = this;
    if (process === null) throw notStarted(`${this.#name}.join`);
    if (!(await process.join(options))) {
      throw new TimeoutError(
        `${this.#name}.join: the server still runs after ${options.timeout} ms; shutdown() ends it.`,
      );
    }
  }

  /** Returns how many objects the server keeps. Python: `_number_of_objects`. */
  numberOfObjects(): Promise<number> {
    return this.#open('numberOfObjects').question(Ask.count) as Promise<number>;
  }

  /**
   * Returns what objects the server keeps, and how many references there are. Python:
   * `_debug_info`.
   */
  debugInfo(): Promise<ObjectInfo[]> {
    return this.#open('debugInfo').question(Ask.info) as Promise<ObjectInfo[]>;
  }

  /** As {@link shutdown}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /**
   * Arrives connected to the same server.
   * @throws ProcessError `MP_NOT_STARTED`; ClosedError.
   * @internal
   */
  [Symbol.for('multiprocess.reduce')](): readonly [typeof connected, readonly [unknown, ServerHandle]] {
    const { access } = this.#open('send');
    const key = encodingForWorker() ? notedKey(access.address) : undefined;
    const handle = {
      address: access.address,
      serializer: optionOf(access.serializer),
      secured: access.tls !== undefined,
    };
    return [connected, [this.constructor, key === undefined ? handle : { ...handle, key }]];
  }

  /** @internal A manager that arrived: it connects when it is used. */
  static arrive(manager: BaseManager, { address, key, secured }: ServerHandle): void {
    manager.#state = 'connected';
    manager.#channel = channelTo({
      address,
      name: 'of the manager',
      authkey: keyTo(address, key),
      tls: secured ? tlsFor(address) : undefined,
      serializer: manager.#serializer,
    });
    manager.#channel.use();
  }

  /** @internal Makes an object: what creation methods do. */
  static create(manager: BaseManager, typeid: string, args: readonly unknown[]): Promise<unknown> {
    try {
      const channel = manager.#open(typeid);
      return channel.create(typeid, args, typesOf(manager).get(typeid)?.proxyType);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #key(): Uint8Array {
    const { authkey } = this.#options;
    return authkey === undefined ? processKey() : keyOf(this.#name, authkey);
  }

  get #name(): string {
    return this.constructor.name || 'BaseManager';
  }

  #open(member: string): RemoteChannel {
    if (this.#state === 'ended') throw shutDown(`${this.#name}.${member}`);
    if (this.#channel === null) throw notStarted(`${this.#name}.${member}`);
    return this.#channel;
  }

  #begin(actor: string, state: State): void {
    if (this.#state === 'ended') throw shutDown(actor);
    if (this.#state !== 'initial') throw alreadyStarted(actor);
    this.#state = state;
  }

  async #shutdown(): Promise<void> {
    const before = this.#state;
    this.#state = 'ended';
    this.#gone.abort(shutDown(`${this.#name}.${before === 'connected' ? 'connect' : 'start'}`));
    await this.#starting;
    this.#unhook?.();
    const channel = this.#channel;
    this.#channel = null;
    const launch = this.#launch;
    if (before === 'connected') channel?.unuse();
    this.#server?.stop();
    if (before !== 'started' || launch === null || channel === null) return;
    const address = this.#address!;
    if (launch.isAlive) await launch.endAfter(channel.question(Ask.shutdown).catch(() => {}));
    channel.abandon(serverLost(launch.process!.name, address));
    channel.unuse();
    forgetServer(address);
  }

  /** @internal */
  [inspect.custom](): string {
    const { address } = this;
    return `<${this.constructor.name} ${this.#state}${address === null ? '' : ` at ${inspect(address)}`}>`;
  }
}
printedAsShown(BaseManager);

/** A server, as a manager of it travels. */
interface ServerHandle {
  readonly address: Address;
  readonly serializer: SerializerOption;
  readonly secured: boolean;
  /** As in a proxy's handle. */
  readonly key?: string;
}

/** Returns a manager that was sent, where it arrives. */
export function connected(type: new (options: ManagerOptions) => BaseManager, handle: ServerHandle): BaseManager {
  const manager = new type({ address: handle.address, serializer: handle.serializer });
  BaseManager.arrive(manager, handle);
  return manager;
}

/** Members of managers that no type may be named as. */
const RESERVED_NAMES = new Set<string>(Object.getOwnPropertyNames(BaseManager.prototype));

/** Settles as `promise`, or rejects with the signal's reason. */
function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const unlisten = onAbort(signal, () => reject(signal.reason as Error));
    promise.finally(unlisten).then(resolve, reject);
  });
}

let count = 0;

function nextName(type: string): string {
  return `${type}-${++count}`;
}
