/**
 * One client of a server. Its calls, references, streams and functions have files of their own
 * (client-*.ts). All of it ends with the client's connection.
 *
 *   receive -> frame -> #handle -> ClientCalls | ClientReferences | ClientStreams | ClientFunctions
 *
 * Frames are handled one after the other.
 */
import { queueMicrotask } from '../../util/timers.js';
import { badFrame, callerGone } from '../messages.js';
import { type Frame, Kind, readFrame, type Wire } from '../wire/frames.js';
import { ClientAnswers } from './client-answers.js';
import { type CallHost, ClientCalls } from './client-calls.js';
import { ClientFunctions } from './client-functions.js';
import { ClientReferences } from './client-references.js';
import { ClientStreams } from './client-streams.js';
import type { ClientAgent } from './current-call.js';
import type { Referent, ReferentTable } from './referents.js';

/**
 * Bytes of answers that may wait for a client that does not read them; beyond, nothing more is
 * received from it meanwhile.
 */
const MAX_WAITING_BYTES = 1 << 20;

/** What a session needs of its server. */
export interface SessionHost extends CallHost {
  readonly referents: ReferentTable;
  /** Whether there is one client. */
  readonly sole: boolean;
  /** Returns the object that a proxy inside the server stands for. */
  referentOf(value: object): Referent | undefined;
  /** Runs what encodes for the session's client. */
  encodingFor(session: Session, send: () => void): void;
  /** A proxy that was on its way has arrived. */
  claimed(granter: number, grant: number): void;
  /** The session has ended. */
  left(session: Session): void;
}

export class Session implements ClientAgent {
  readonly id: number;
  readonly pid: number;
  readonly name: string;
  ended = false;
  readonly #server: SessionHost;
  readonly #wire: Wire;
  readonly #references: ClientReferences;
  readonly #streams: ClientStreams;
  readonly #functions: ClientFunctions;
  readonly #answers: ClientAnswers;
  readonly #calls: ClientCalls;
  readonly #listeners = new Set<() => void>();

  constructor(server: SessionHost, wire: Wire, id: number, pid: number, name: string) {
    this.#server = server;
    this.#wire = wire;
    this.id = id;
    this.pid = pid;
    this.name = name;
    const encode = (send: () => void) => this.#encode(send);
    this.#references = new ClientReferences(server.referents);
    this.#streams = new ClientStreams(wire, encode);
    this.#functions = new ClientFunctions(wire, encode);
    this.#answers = new ClientAnswers(
      wire,
      this.#references,
      this.#streams,
      (value) => server.referentOf(value),
      encode,
    );
    this.#calls = new ClientCalls(this, server, wire, this.#references, this.#functions, this.#answers);
  }

  onEnd(listener: () => void): () => void {
    if (this.ended) {
      queueMicrotask(listener);
      return () => {};
    }
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Serves the client until its connection ends. */
  async serve(): Promise<void> {
    try {
      // What came together is handled in one stretch, and answered together.
      for (let bytes = await this.#wire.receive(); ; bytes = this.#wire.receiveSeen() ?? (await this.#next())) {
        const frame = readFrame(bytes);
        if (frame === null) break;
        const later = this.#handle(frame);
        if (later !== undefined) await later;
        if (this.#wire.waiting > MAX_WAITING_BYTES) await this.#wire.drained();
      }
    } catch {
      // The client has ended, or does not speak this protocol.
    }
    this.end();
  }

  /**
   * Returns the next frame. Only who has one client looks for it before it comes: others' frames
   * wait meanwhile.
   */
  #next(): Promise<Uint8Array> {
    return this.#server.sole ? this.#wire.receive() : this.#wire.receiveLater();
  }

  /** Ends it: what it held is given back. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.#wire.close();
    this.#answers.end();
    this.#functions.end();
    this.#calls.end(callerGone());
    this.#streams.end();
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
    this.#references.end();
    this.#server.left(this);
  }

  /**
   * Counts a reference of the client's to an object that is named in what is being encoded for it.
   */
  grant(referent: Referent): number {
    this.#references.grant(referent);
    return this.id;
  }

  /** A proxy that the client has sent has arrived, or is not on its way any more. */
  arrived(grant: number): void {
    this.#references.arrived(grant);
  }

  #handle(frame: Frame): Promise<void> | undefined {
    switch (frame.kind) {
      case Kind.call:
      case Kind.named:
        return this.#calls.call(frame);
      case Kind.create:
        return this.#calls.create(frame);
      case Kind.cancel:
        this.#calls.cancel(frame.id);
        return undefined;
      case Kind.ask:
        return this.#calls.ask(frame);
      case Kind.claim:
        this.#claim(frame);
        return undefined;
      case Kind.release:
        this.#references.release(frame.object, frame.extra);
        return undefined;
      case Kind.hold:
        this.#references.hold(frame.id, frame.object);
        return undefined;
      case Kind.unhold:
        this.arrived(frame.id);
        return undefined;
      case Kind.pull:
        this.#streams.pull(frame.id, frame.object, frame.extra);
        return undefined;
      case Kind.stop:
        this.#streams.stop(frame.id);
        return undefined;
      case Kind.drop:
        this.#streams.drop(frame.object);
        return undefined;
      case Kind.answer:
        return this.#functions.answered(frame);
      default:
        this.#answers.sendFailure(frame.id, badFrame(`a frame of kind ${frame.kind}`));
        return undefined;
    }
  }

  /**
   * Encodes for this client: what is named in it is counted as the client's, unless encoding fails.
   */
  #encode(send: () => void): void {
    this.#references.takenBackOnError(() => this.#server.encodingFor(this, send));
  }

  /** A client has received a proxy of the object: it is one of its references from here on. */
  #claim(frame: Frame): void {
    // What was freed meanwhile is an error of the first call.
    const referent = this.#server.referents.find(frame.object);
    if (referent !== undefined) this.#references.refer(referent);
    if (frame.id !== 0) this.#server.claimed(frame.extra, frame.id);
  }
}
