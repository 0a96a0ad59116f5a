/**
 * The connection of one channel to its server.
 *
 *   state        what is to be sent               left by
 *   idle         waits in a queue, and connects   connect() -> connecting; adopt() -> open
 *   connecting   waits in the queue               welcome -> open; failure -> idle
 *   open         goes out at once                 its end, close() -> idle
 *   ended        nothing is sent                  abandon(): the server was shut down, or has ended
 *
 * What waits is given up when the connection ends, or cannot be opened.
 */
import { Client, type ClientTls, type Connection } from '../../connection/index.js';
import { ConnectionError } from '../../errors/index.js';
import { currentProcess } from '../../process/index.js';
import type { Serializer } from '../../reduction/index.js';
import { nextTick } from '../../util/timers.js';
import type { Address } from '../address.js';
import { badFrame, otherProtocol, serverLost } from '../messages.js';
import { type Frame, Kind, readFrame, serializerNumber, serializerTitle, VERSION, Wire } from '../wire/frames.js';
import type { Greeting } from '../wire/server-work.js';

/** How a server is reached. */
export interface ServerAccess {
  readonly address: Address;
  /** For people. */
  readonly name: string;
  readonly authkey: Uint8Array;
  readonly tls?: ClientTls | undefined;
  readonly serializer: Serializer;
}

/** Who uses a connection. */
export interface ConnectionOwner {
  /** Whether a call waits for its answer: then the next frame is looked for before it comes. */
  readonly isAwaitingAnswer: boolean;
  /** Whether something is under way, for which the event loop stays alive. */
  readonly isBusy: boolean;
  /** The connection is open. @param before the server that it was to before, `''` for none. */
  opened(before: string): void;
  /** A frame has come. */
  received(wire: Wire, frame: Frame): Promise<void> | undefined;
  /** The connection has ended, or could not be opened. */
  lost(error: Error): void;
}

export class ServerConnection {
  readonly access: ServerAccess;
  /** Where frames are sent; `null` unless it is open. */
  wire: Wire | null = null;
  /** The server that it is, or was last, connected to. */
  server = '';
  /** The number of this client there. */
  session = 0;
  /** Type names that the server can make. */
  typeids: readonly string[] = [];
  readonly #owner: ConnectionOwner;
  #connecting: Promise<void> | null = null;
  /** What goes out as soon as the connection is there. */
  #queued: (() => void)[] = [];
  #isHeld = true;
  #ended: Error | undefined;

  constructor(access: ServerAccess, owner: ConnectionOwner) {
    this.access = access;
    this.#owner = owner;
  }

  /** The error for what cannot be sent any more. */
  get failure(): Error {
    return this.#ended ?? serverLost(this.access.name, this.access.address);
  }

  /** Connects, unless it is connected. @throws what Client throws. */
  connect(timeout?: number): Promise<void> {
    if (this.wire !== null) return Promise.resolve();
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    this.#connecting ??= this.#connect(timeout).finally(() => {
      this.#connecting = null;
    });
    return this.#connecting;
  }

  /** Takes a connection that the server has greeted already. */
  adopt(connection: Connection, [server, session, typeids]: Greeting): void {
    if (this.wire !== null) {
      connection.close();
      return;
    }
    const wire = new Wire(connection, this.access.serializer);
    this.#open(wire, server, session, typeids);
    void this.#receive(wire);
  }

  /**
   * Sends now, or as soon as there is a connection.
   * @param onFailure called with why there is none.
   */
  send(send: () => void, onFailure: (error: unknown) => void = () => {}): void {
    if (this.wire !== null) {
      send();
      return;
    }
    this.#queued.push(send);
    this.connect().catch(onFailure);
  }

  /** Keeps the event loop alive while the owner is busy. */
  hold(): void {
    const on = this.#owner.isBusy;
    if (on === this.#isHeld || this.wire === null) return;
    this.#isHeld = on;
    this.wire.hold(on);
  }

  /** Nobody needs it any more. Returns whether it was open. */
  close(): boolean {
    const { wire } = this;
    this.wire = null;
    wire?.close();
    return wire !== null;
  }

  /** The server was shut down, or has ended. */
  abandon(why: Error): void {
    this.#ended = why;
    this.#lost(why);
  }

  /** In a fork: the connection is the parent's. */
  forked(): void {
    this.close();
    this.#connecting = null;
    this.#queued = [];
  }

  async #connect(timeout: number | undefined): Promise<void> {
    const { address, authkey, tls, serializer, name } = this.access;
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
      this.#open(wire, server, frame.object, typeids);
    } catch (cause) {
      wire?.close();
      const known = cause instanceof ConnectionError && cause.code !== 'MP_PROTOCOL';
      const error = known ? serverLost(name, address, cause) : cause;
      this.#giveUp(error as Error);
      throw error;
    }
    void this.#receive(wire);
  }

  #open(wire: Wire, server: string, session: number, typeids: readonly string[]): void {
    const before = this.server;
    this.wire = wire;
    this.server = server;
    this.session = session;
    this.typeids = typeids;
    this.#isHeld = true;
    const queued = this.#queued;
    this.#queued = [];
    this.#owner.opened(before);
    for (const send of queued) send();
    this.hold();
  }

  async #receive(wire: Wire): Promise<void> {
    let cause: unknown;
    try {
      // What came together is handled in one stretch: the calls that follow upon the answers go
      // together, too.
      for (let bytes = await wire.receive(); ; bytes = wire.receiveSeen() ?? (await this.#next(wire))) {
        const frame = readFrame(bytes);
        if (frame === null || this.wire !== wire) break;
        const later = this.#owner.received(wire, frame);
        if (later !== undefined) await later;
      }
    } catch (error) {
      cause = error;
    }
    if (this.wire !== wire) return;
    this.#lost(this.#ended ?? serverLost(this.access.name, this.access.address, cause));
  }

  /**
   * Returns the next frame, which is looked for once those who were answered have made their next
   * calls.
   */
  async #next(wire: Wire): Promise<Uint8Array> {
    await new Promise<void>((resolve) => nextTick(resolve));
    return this.#owner.isAwaitingAnswer ? wire.receive() : wire.receiveLater();
  }

  #lost(error: Error): void {
    this.close();
    this.#giveUp(error);
  }

  #giveUp(error: Error): void {
    this.#queued = [];
    this.#owner.lost(error);
  }
}
