import { hostname } from 'node:os';
import { inspect } from 'node:util';
import { MultiprocessError } from '../../errors/index.js';
import { Pool } from '../../pool/index.js';
import { crypto } from '../../util/crypto.js';
import { deferred } from '../../util/deferred.js';
import { info, subWarning } from '../../util/logger.js';
import { entry } from '../../util/package.js';
import { clearInterval, setInterval, setTimeout, timeOfDay } from '../../util/timers.js';
import { Broker, ensurePool, leaseOf, messageOf, type Unlisten } from '../broker/index.js';
import { packageVersion } from '../version.js';
import { PoolNames } from '../wire/index.js';
import { type ControlMessage, type HostInfo, readControl, writeControl, writeHost } from '../wire/messages.js';
import { HealthServer } from './health.js';
import { type AgentOptions, type AgentSettings, agentSettings, DEFAULT_LEASE_MS } from './options.js';
import { preloadUrls } from './preload-urls.js';
import { TaskDesk } from './task-desk.js';
import { TaskRunner } from './task-runner.js';

const HEARTBEAT_MS = 1_000;
const ENSURE_WAIT_MS = 500;

/**
 * A host's part in a pool of many: a pool of workers that takes its tasks from a broker.
 *
 * Semantics: a task is this host's for the lease, which the agent renews for as long as it lives,
 * however long the task takes. A worker that dies is replaced at once and its item tried again here.
 * When the agent or its host dies, its tasks run elsewhere once the lease is over. What can be run
 * is the exports of modules that this host has; functions with their code only with
 * `allowFunctions`. The broker may go and come back.
 *
 * The event loop stays alive until it is stopped or drained.
 *
 * @example
 * import { Agent } from 'multiprocess/distributed';
 *
 * const agent = await Agent.start({ servers: 'nats://localhost:4222', name: 'images', processes: 2, http: 0 });
 * const health = await fetch(`http://localhost:${agent.httpPort}`);
 * console.log(health.status, agent.info().state); // 200 ready
 * process.once('SIGTERM', () => agent.drain());
 * process.kill(process.pid, 'SIGTERM');
 * await agent.closed;
 */
export class Agent implements AsyncDisposable {
  readonly #settings: AgentSettings;
  readonly #broker: Broker;
  readonly #names: PoolNames;
  readonly #pool: Pool;
  readonly #desk: TaskDesk;
  readonly #health: HealthServer | undefined;
  readonly #unlisten: Unlisten[] = [];
  readonly #closed = deferred<void>();
  readonly #since = timeOfDay();
  #heartbeat: NodeJS.Timeout | undefined;
  #state: HostInfo['state'] = 'ready';
  #ending: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #ended: Promise<void> | undefined;
  #repairing = false;

  /** What tells this host from others of its pool. */
  readonly id: string;

  private constructor(
    settings: AgentSettings,
    broker: Broker,
    pool: Pool,
    parts: { names: PoolNames; runner: TaskRunner; lease: number; id: string; health: HealthServer | undefined },
  ) {
    this.#settings = settings;
    this.#broker = broker;
    this.#names = parts.names;
    this.#pool = pool;
    this.#health = parts.health;
    this.id = parts.id;
    this.#closed.promise.catch(() => {});
    this.#desk = new TaskDesk(broker, parts.names, parts.runner, {
      host: this.id,
      slots: settings.processes,
      lease: parts.lease,
      poolLost: () => void this.#repair(),
      failed: (error) => this.#fail(error),
    });
  }

  /**
   * Connects to the broker, makes the pool's streams there if they are not, and takes tasks.
   *
   * @returns resolves when a worker is ready.
   * @throws (rejects) ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`; ConnectionError
   * `MP_BROKER_UNREACHABLE`, `MP_NO_JETSTREAM`, `MP_BROKER_STORAGE`; AuthenticationError `MP_BROKER_CREDENTIALS`;
   * UnsupportedError `MP_NO_NATS`, `MP_BROKER_TOO_OLD`, `MP_WIRE_VERSION`; ProcessError `MP_HTTP_PORT`; what a module
   * of `preload` throws.
   */
  static async start(options: AgentOptions): Promise<Agent> {
    const actor = 'Agent.start';
    const settings = agentSettings(actor, options);
    const folder = process.cwd();
    const preload = preloadUrls(settings.preload, folder);
    const names = new PoolNames(settings.name);
    const id = `${hostname()
      .replaceAll(/[^A-Za-z0-9_-]/g, '_')
      .slice(0, 40)}-${process.pid}-${crypto().randomUUID().slice(0, 8)}`;
    const broker = await Broker.connect(actor, settings.broker, `multiprocess agent ${settings.name} ${id}`);
    let pool: Pool | undefined;
    let health: HealthServer | undefined;
    let agent: Agent | undefined;
    try {
      pool = new Pool({
        processes: settings.processes,
        context: settings.context,
        gracePeriod: settings.gracePeriod,
        ...(preload.length === 0
          ? {}
          : { initializer: entry('distributed/worker/preload') as never, initArgs: preload as never }),
      });
      const runner = new TaskRunner(pool, broker, names, { host: id, folder, allowFunctions: settings.allowFunctions });
      const [lease] = await Promise.all([prepared(broker, names, settings), runner.ready()]);
      if (settings.http !== undefined) health = await HealthServer.listen(settings.http, () => agent!.#healthNow());
      agent = new Agent(settings, broker, pool, { names, runner, lease, id, health });
      await agent.#begin();
      return agent;
    } catch (error) {
      if (agent !== undefined) agent.#desk.close();
      await Promise.all([pool?.terminate(), health?.close(), broker.close()]);
      throw error;
    }
  }

  /** Port of `GET /`; `null` without the option `http`. */
  get httpPort(): number | null {
    return this.#health?.port ?? null;
  }

  /**
   * Resolves when it has ended by {@link drain} or {@link stop}. Rejects when its workers, or its
   * connection to the broker, ended by themselves: its tasks run elsewhere.
   */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** The agent as its pool sees it now. */
  info(): HostInfo {
    const { processes, allowFunctions } = this.#settings;
    return {
      id: this.id,
      hostname: hostname(),
      pid: process.pid,
      processes,
      state: this.#state,
      held: this.#desk.held,
      done: this.#desk.done,
      failed: this.#desk.failed,
      crashed: this.#pool.stats().crashed,
      allowFunctions,
      version: packageVersion(),
      node: process.version,
      since: this.#since,
    };
  }

  /**
   * Takes no more tasks, finishes those it has, and ends.
   *
   * @returns resolves when it has ended.
   */
  drain(): Promise<void> {
    if (this.#ending === undefined) {
      this.#state = 'draining';
      this.#say();
      this.#ending = this.#desk.drain().then(() => this.#end());
    }
    return this.#ending;
  }

  /**
   * Ends now: tasks it has are told to stop, and run on other hosts.
   *
   * @returns resolves when its workers have ended.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#desk.stop().then(() => this.#end());
    this.#ending ??= this.#stopping;
    return this.#stopping;
  }

  /** Stops it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Its state, as `console.log` shows it. */
  toString(): string {
    return `<Agent ${this.#names.pool} ${this.#state}, ${this.#desk.held} tasks>`;
  }

  /** @internal */
  [inspect.custom](): string {
    return this.toString();
  }

  async #begin(): Promise<void> {
    const broker = this.#broker;
    this.#unlisten.push(
      broker.subscribe(this.#names.control, (message) => {
        void this.#control(message.data, (answer) => broker.publish(message.reply ?? '', answer));
      }),
      broker.subscribe(this.#names.query, (message) => broker.publish(message.reply ?? '', writeHost(this.info()))),
      broker.onUp(() => void this.#reconnected()),
      broker.onDown(() => subWarning('agent %s: the broker at %s is away', this.id, broker.address)),
      broker.onClosed((reason) => this.#fail(reason)),
    );
    // Whoever cancels must find us before we take a task.
    await broker.flush();
    this.#heartbeat = setInterval(() => this.#say(), HEARTBEAT_MS);
    this.#say();
    this.#desk.start();
    await broker.flush();
    void this.#desk.sweep();
    info(
      'agent %s: serves pool %s at %s with %d workers',
      this.id,
      this.#names.pool,
      broker.address,
      this.#settings.processes,
    );
  }

  #say(): void {
    this.#broker.publish(this.#names.host(this.id), writeHost(this.info()));
  }

  async #control(bytes: Uint8Array, answer: (bytes: Uint8Array | string) => void): Promise<void> {
    let control: ControlMessage;
    try {
      control = readControl(bytes);
    } catch (error) {
      subWarning('agent %s: %s', this.id, messageOf(error));
      return;
    }
    if (control.type === 'lease') {
      this.#desk.lease = control.lease;
      return;
    }
    const reason = Object.defineProperty(new Error(control.message), 'name', { value: control.name });
    await this.#desk.cancel(control.driver, control.run, reason);
    answer(this.id);
  }

  async #reconnected(): Promise<void> {
    info('agent %s: the broker at %s is back', this.id, this.#broker.address);
    this.#say();
    const over = (): boolean => this.#ending !== undefined;
    const lease = await this.#broker.persist(() => leaseOf(this.#broker, this.#names), over).catch(() => undefined);
    if (lease === undefined) await this.#repair();
    else this.#desk.lease = lease;
    await this.#desk.sweep();
  }

  /** The broker has lost the streams: they are made anew. */
  async #repair(): Promise<void> {
    if (this.#repairing || this.#ending !== undefined) return;
    this.#repairing = true;
    try {
      await new Promise<void>((resolve) => setTimeout(resolve, ENSURE_WAIT_MS));
      await this.#broker.persist(
        () => prepared(this.#broker, this.#names, this.#settings),
        () => this.#ending !== undefined,
      );
      if (this.#ending === undefined) this.#desk.start();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#repairing = false;
    }
  }

  #healthNow(): { readonly healthy: boolean } {
    return { healthy: this.#state === 'ready' && this.#broker.up, broker: this.#broker.up, ...this.info() } as {
      readonly healthy: boolean;
    };
  }

  #fail(error: unknown): void {
    if (this.#ending !== undefined) return;
    subWarning('agent %s: ends: %s', this.id, messageOf(error));
    this.#closed.reject(
      error instanceof MultiprocessError
        ? error
        : new MultiprocessError(`Agent: its workers have ended: ${messageOf(error)}`, {
            code: 'MP_AGENT_FAILED',
            cause: error,
          }),
    );
    void this.stop();
  }

  #end(): Promise<void> {
    this.#ended ??= this.#leave();
    return this.#ended;
  }

  async #leave(): Promise<void> {
    this.#state = 'left';
    clearInterval(this.#heartbeat);
    this.#say();
    // What was given back and acknowledged is on its way before the connection ends.
    await this.#broker.flush();
    this.#desk.close();
    for (const unlisten of this.#unlisten) unlisten();
    await Promise.all([this.#pool.terminate(), this.#health?.close(), this.#broker.close()]);
    this.#closed.resolve();
  }
}

/** The streams of a pool are there. Returns its lease. */
async function prepared(broker: Broker, names: PoolNames, settings: AgentSettings): Promise<number> {
  const { maxQueue, maxQueueBytes } = settings;
  const known = await leaseOf(broker, names);
  const lease = settings.lease ?? known ?? DEFAULT_LEASE_MS;
  // The other agents renew by the new one before the broker counts by it.
  if (known !== undefined && known !== lease) broker.publish(names.control, writeControl({ type: 'lease', lease }));
  await ensurePool(broker, names, { maxQueue, maxQueueBytes, lease });
  return lease;
}
