/**
 * One connection to the broker, for as long as its owner wants it.
 *
 *   connecting -> up <-> down -> closed
 *
 * Down, it is dialled again until it is closed; what its users had under way they send once more
 * when {@link Broker.onUp} says so. The client drops what was published while it was down.
 */
import type { JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import { AuthenticationError, ClosedError, ConnectionError, type MultiprocessError } from '../../errors/index.js';
import { crypto } from '../../util/crypto.js';
import { clearTimeout, performance, setTimeout } from '../../util/timers.js';
import { isNothingThere } from './errors.js';
import { loadNats, type Nats } from './nats.js';
import type { BrokerSettings } from './options.js';

export type { Msg, MsgHdrs, StoredMsg as StoredMessage };

/** Milliseconds between two attempts to reach a server, and how far chance moves them. */
const DIAL_WAIT_MS = 200;
const DIAL_JITTER_MS = 200;
/** Milliseconds for one attempt. */
const DIAL_TIMEOUT_MS = 5_000;
/** Milliseconds between two pings: a connection that only seems to be open is found after three. */
const PING_MS = 2_000;
/** Milliseconds for a request to the broker itself. */
const REQUEST_TIMEOUT_MS = 5_000;
/** Milliseconds for the JetStream of a broker that has just begun. */
const JETSTREAM_WAIT_MS = 2_000;
/** Room for subjects and headers beside the payload of one message. */
const MESSAGE_OVERHEAD_BYTES = 4_096;

/** Takes a message of a subscription. */
export type Handler = (message: Msg) => void;

/** What takes back a subscription or a listener. */
export type Unlisten = () => void;

export class Broker {
  readonly #nats: Nats;
  readonly #connection: NatsConnection;
  /** For the administration of streams and consumers. */
  readonly streams: JetStreamManager;
  readonly settings: BrokerSettings;
  #up = true;
  #closed = false;
  readonly #onUp = new Set<() => void>();
  readonly #onDown = new Set<() => void>();
  /** Resolved when it is up again or closed. */
  readonly #waiting = new Set<() => void>();
  readonly #onClosed = new Set<(reason: MultiprocessError) => void>();

  private constructor(nats: Nats, connection: NatsConnection, streams: JetStreamManager, settings: BrokerSettings) {
    this.#nats = nats;
    this.#connection = connection;
    this.streams = streams;
    this.settings = settings;
    void this.#watch();
  }

  /**
   * Connects.
   *
   * @param actor Who speaks in messages.
   * @throws (rejects) ConnectionError `MP_BROKER_UNREACHABLE`, `MP_NO_JETSTREAM`;
   * AuthenticationError `MP_BROKER_CREDENTIALS`; UnsupportedError `MP_NO_NATS`.
   */
  static async connect(actor: string, settings: BrokerSettings, title: string): Promise<Broker> {
    const nats = await loadNats();
    const { servers, credentials, tls } = settings;
    let connection: NatsConnection;
    try {
      connection = await nats.connect({
        servers: [...servers],
        name: title,
        ...(credentials.user === undefined ? {} : { user: credentials.user }),
        ...(credentials.password === undefined ? {} : { pass: credentials.password }),
        ...(credentials.token === undefined ? {} : { token: credentials.token }),
        ...(tls === undefined || tls === false ? {} : { tls: tls === true ? {} : (tls as Record<string, string>) }),
        timeout: DIAL_TIMEOUT_MS,
        maxReconnectAttempts: -1,
        reconnectTimeWait: DIAL_WAIT_MS,
        reconnectJitter: DIAL_JITTER_MS,
        pingInterval: PING_MS,
        maxPingOut: 2,
        // A broker that restarts may refuse us until it has read its configuration.
        ignoreAuthErrorAbort: true,
        noAsyncTraces: true,
      });
    } catch (cause) {
      throw refused(actor, nats, settings, cause);
    }
    try {
      const streams = await nats.jetstreamManager(connection, { timeout: REQUEST_TIMEOUT_MS, checkAPI: false });
      await jetStreamOf(streams);
      return new Broker(nats, connection, streams, settings);
    } catch (cause) {
      await connection.close();
      throw new ConnectionError(
        `${actor}: the broker at ${shown(servers)} has no JetStream: ${messageOf(cause)}. Start it with \`nats-server --jetstream\`, and enable it for this account.`,
        { code: 'MP_NO_JETSTREAM', cause },
      );
    }
  }

  /** Whether it is connected now. */
  get up(): boolean {
    return this.#up;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Where it is, for messages. */
  get address(): string {
    return shown(this.settings.servers);
  }

  /** Version of the server, such as `2.9.10`. */
  get version(): string {
    return this.#connection.info?.version ?? 'unknown';
  }

  /** Most bytes of a payload that fit into one message beside its headers. */
  get maxPayload(): number {
    return (this.#connection.info?.max_payload ?? 1_048_576) - MESSAGE_OVERHEAD_BYTES;
  }

  /** A subject of its own, below which answers come. */
  inbox(): string {
    return `_INBOX.${crypto().randomUUID().replaceAll('-', '')}`;
  }

  /** Publishes; lost when the connection is down. */
  publish(subject: string, payload: Uint8Array | string, reply?: string, headers?: MsgHdrs): void {
    if (this.#closed || !this.#up) return;
    if (reply === undefined && headers === undefined) this.#connection.publish(subject, payload);
    else {
      this.#connection.publish(subject, payload, {
        ...(reply === undefined ? {} : { reply }),
        ...(headers === undefined ? {} : { headers }),
      });
    }
  }

  headers(entries: Readonly<Record<string, string>>): MsgHdrs {
    const headers = this.#nats.headers();
    for (const [name, value] of Object.entries(entries)) headers.set(name, value);
    return headers;
  }

  /** Has `handler` called with what comes on a subject, also after the connection was renewed. */
  subscribe(subject: string, handler: Handler): Unlisten {
    const subscription = this.#connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) handler(message);
      },
    });
    return () => {
      if (!this.#closed) subscription.unsubscribe();
    };
  }

  /**
   * As {@link subscribe}. What ends it resolves when the broker sends nothing more; what it had sent
   * before still comes.
   */
  subscribeDraining(subject: string, handler: Handler): () => Promise<void> {
    const subscription = this.#connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) handler(message);
      },
    });
    return async () => {
      if (this.#closed || !this.#up) return;
      await subscription.drain().catch(() => {});
    };
  }

  /**
   * One request, one answer.
   *
   * @returns the payload, or `undefined` when nobody answered in time or the connection went down.
   */
  async request(
    subject: string,
    payload: Uint8Array | string,
    timeout = REQUEST_TIMEOUT_MS,
  ): Promise<Uint8Array | undefined> {
    return (await this.ask(subject, payload, timeout))?.data;
  }

  /** As {@link request}, with the whole answer. */
  async ask(subject: string, payload: Uint8Array | string, timeout = REQUEST_TIMEOUT_MS): Promise<Msg | undefined> {
    if (this.#closed || !this.#up) return undefined;
    try {
      return await this.#connection.request(subject, payload, { timeout });
    } catch {
      return undefined;
    }
  }

  /**
   * As {@link ask}, where a message of a stream may be the answer. That has the subject that it was
   * published to, so it comes to an inbox of its own. One that is sent as the time ends comes too.
   */
  async askForMessage(subject: string, payload: string, timeout: number): Promise<Msg | undefined> {
    if (this.#closed || !this.#up) return undefined;
    const inbox = this.inbox();
    let answer: Msg | undefined;
    let end = (): void => {};
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    const drain = this.subscribeDraining(inbox, (message) => {
      answer ??= message;
      end();
    });
    const timer = setTimeout(end, timeout);
    const unlisten = [this.onDown(end), this.onClosed(end)];
    this.publish(subject, payload, inbox);
    await over;
    clearTimeout(timer);
    for (const each of unlisten) each();
    const drained = drain();
    if (answer === undefined) await drained;
    return answer;
  }

  /**
   * The next message of a stream from a number on whose subject matches; `undefined` when there is
   * none.
   */
  async nextMessage(stream: string, from: number, filter: string): Promise<StoredMsg | undefined> {
    try {
      const query = { seq: from, next_by_subj: filter } as { seq: number };
      return (await this.streams.streams.getMessage(stream, query)) ?? undefined;
    } catch (error) {
      if (!isNothingThere(error)) throw error;
      return undefined;
    }
  }

  /** Resolves when the broker has had all that was published before; at once while it is down. */
  async flush(): Promise<void> {
    await this.ping();
  }

  /** Asks whether the broker has this connection. Resolves when it answers, or the connection is lost. */
  async ping(): Promise<boolean> {
    if (this.#closed || !this.#up) return false;
    return await this.#connection.flush().then(
      () => true,
      () => false,
    );
  }

  /** Calls `listener` each time the connection is there again. */
  onUp(listener: () => void): Unlisten {
    this.#onUp.add(listener);
    return () => void this.#onUp.delete(listener);
  }

  /** Calls `listener` each time the connection is lost. */
  onDown(listener: () => void): Unlisten {
    this.#onDown.add(listener);
    return () => void this.#onDown.delete(listener);
  }

  /** Calls `listener` when it has ended without being asked to: it will not be there again. */
  onClosed(listener: (reason: MultiprocessError) => void): Unlisten {
    this.#onClosed.add(listener);
    return () => void this.#onClosed.delete(listener);
  }

  /** Resolves when it is connected, or closed. */
  async available(): Promise<void> {
    if (this.#up || this.#closed) return;
    await new Promise<void>((resolve) => {
      this.#waiting.add(resolve);
    });
  }

  /**
   * Repeats what the broker itself answers, while it is away or busy, until `isOver`.
   * @throws what `attempt` throws, when it is not the broker's absence.
   */
  async persist<T>(attempt: () => Promise<T>, isOver: () => boolean): Promise<T | undefined> {
    for (;;) {
      if (this.#closed || isOver()) return undefined;
      try {
        if (this.#up) return await attempt();
      } catch (error) {
        if (!isTransient(error)) throw error;
      }
      await new Promise<void>((resolve) => setTimeout(resolve, DIAL_WAIT_MS));
    }
  }

  /** Ends it. Calling it twice does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#release();
    await this.#connection.close().catch(() => {});
  }

  #release(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  async #watch(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (this.#closed) break;
      if (status.type === 'disconnect' && this.#up) {
        this.#up = false;
        for (const listener of [...this.#onDown]) listener();
      } else if (status.type === 'reconnect' && !this.#up) {
        this.#up = true;
        for (const listener of [...this.#onUp]) listener();
        this.#release();
      }
    }
    const cause = await this.#connection.closed();
    if (this.#closed) return;
    this.#closed = true;
    this.#up = false;
    this.#release();
    const error = new ClosedError(
      `The connection to the broker at ${this.address} has ended: ${cause === undefined ? 'it was closed' : messageOf(cause)}; connect again.`,
      { code: 'MP_BROKER_CLOSED', cause },
    );
    for (const listener of [...this.#onClosed]) listener(error);
  }
}

/** A broker that has just begun has its JetStream a moment later. */
async function jetStreamOf(streams: JetStreamManager): Promise<void> {
  const deadline = performance.now() + JETSTREAM_WAIT_MS;
  for (;;) {
    try {
      await streams.getAccountInfo();
      return;
    } catch (error) {
      if (!isTransient(error) || performance.now() > deadline) throw error;
    }
    await new Promise<void>((resolve) => setTimeout(resolve, DIAL_WAIT_MS));
  }
}

/** Whether an error of the broker's administration may be gone when one asks again. */
function isTransient(error: unknown): boolean {
  const { name, status } = (error ?? {}) as { name?: string; status?: number };
  if (status === 503) return true;
  return ['TimeoutError', 'NoRespondersError', 'RequestError', 'ConnectionError', 'JetStreamNotEnabled'].includes(
    name ?? '',
  );
}

function refused(actor: string, nats: Nats, { servers }: BrokerSettings, cause: unknown): MultiprocessError {
  const where = shown(servers);
  if (cause instanceof nats.errors.AuthorizationError || /authorization|authentication/i.test(messageOf(cause))) {
    return new AuthenticationError(
      `${actor}: the broker at ${where} refused the credentials: ${messageOf(cause)}. Pass \`credentials: { user, password }\` or \`{ token }\` that its configuration has.`,
      { code: 'MP_BROKER_CREDENTIALS', cause },
    );
  }
  return new ConnectionError(
    `${actor}: the broker at ${where} cannot be reached: ${messageOf(cause)}. Start one with \`nats-server --jetstream\`, or correct \`servers\`.`,
    { code: 'MP_BROKER_UNREACHABLE', cause },
  );
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Addresses without their passwords. */
function shown(servers: readonly string[]): string {
  return servers.map((server) => server.replace(/\/\/[^@/]*@/, '//')).join(', ');
}
