/**
 * One client of a server, and the calls that it has under way. Its references, streams and
 * functions have files of their own. All of it ends with the client's connection.
 *
 *   receive -> frame -> #handle -> the referent's method, at once -> its answer, at once or when it settles
 *
 * Frames are handled one after the other, so calls of one client begin in their order; those that
 * wait do not hold up what comes after.
 */
import { RemoteError } from '../../errors/index.js';
import { queueMicrotask, setImmediate } from '../../util/timers.js';
import { badFrame, callerGone, noObject, noType, notCreated, notExposed } from '../messages.js';
import type { ManagedType } from '../registry.js';
import { sendError } from '../wire/errors.js';
import { Ask, Flag, type Frame, Kind, readFrame, type Wire } from '../wire/frames.js';
import { isPlainObject, restoreArguments } from '../wire/marks.js';
import { ClientFunctions } from './client-functions.js';
import { ClientReferences } from './client-references.js';
import { ClientStreams } from './client-streams.js';
import { type ClientAgent, runCall } from './current-call.js';
import { inquire, makeObject } from './dispatch.js';
import { isStream } from './outgoing-stream.js';
import type { Referent, ReferentTable } from './referents.js';
import { SessionCall } from './session-call.js';

/**
 * Bytes of answers that may wait for a client that does not read them; beyond, nothing more is
 * received from it meanwhile.
 */
const MAX_WAITING_BYTES = 1 << 20;

/** What a session needs of its server. */
export interface SessionHost {
  readonly referents: ReferentTable;
  /** Whether there is one client. */
  readonly sole: boolean;
  /** Returns the type of a name. */
  typeOf(typeid: unknown): ManagedType | undefined;
  /** Returns the names of the types that can be made. */
  typeids(): string[];
  /** Keeps an object that was made, or that a method returned. */
  register(typeid: string, value: unknown): Referent;
  /** Returns the object that a proxy inside the server stands for. */
  referentOf(value: object): Referent | undefined;
  /** Runs what encodes for the session's client. */
  encodingFor(session: Session, send: () => void): void;
  /** Returns the proxy that a handle stands for. */
  arrived(handle: unknown): object;
  /** A proxy that was on its way has arrived. */
  claimed(granter: number, grant: number): void;
  /** The session has ended. */
  left(session: Session): void;
  numberOfObjects(): Promise<number>;
  debugInfo(): Promise<unknown>;
  stop(): void;
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
  readonly #shapes = new Set<number>();
  readonly #calls = new Map<number, SessionCall>();
  readonly #listeners = new Set<() => void>();
  constructor(server: SessionHost, wire: Wire, id: number, pid: number, name: string) {
    this.#server = server;
    this.#wire = wire;
    this.id = id;
    this.pid = pid;
    this.name = name;
    const encode = (send: () => void) => this.encode(send);
    this.#references = new ClientReferences(server.referents);
    this.#streams = new ClientStreams(wire, encode);
    this.#functions = new ClientFunctions(wire, encode);
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
   * The next frame. Only who has one client looks for it before it comes: others' frames wait
   * meanwhile.
   */
  #next(): Promise<Uint8Array> {
    return this.#server.sole ? this.#wire.receive() : this.#wire.receiveLater();
  }

  /** Ends it: what it held is given back. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.#wire.close();
    this.#functions.end();
    const gone = callerGone();
    for (const call of this.#calls.values()) call.abort(gone);
    this.#calls.clear();
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

  #handle(frame: Frame): Promise<void> | undefined {
    switch (frame.kind) {
      case Kind.call:
      case Kind.named:
        return this.#call(frame);
      case Kind.create:
        return this.#create(frame);
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
      case Kind.cancel:
        this.#cancel(frame.id);
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
      case Kind.ask:
        return this.#asked(frame);
      default:
        this.#fail(frame.id, badFrame(`a frame of kind ${frame.kind}`));
        return undefined;
    }
  }

  /** The value of a frame, decoded at once where that can be; an error is the call's answer. */
  #decoded(frame: Frame, then: (value: unknown) => void): Promise<void> | undefined {
    try {
      const value = this.#wire.payload(frame);
      if (value instanceof Promise) return value.then(then).catch((error: unknown) => this.#fail(frame.id, error));
      then(value);
    } catch (error) {
      this.#fail(frame.id, error);
    }
    return undefined;
  }

  #call(frame: Frame): Promise<void> | undefined {
    const referent = this.#references.find(frame.object);
    if (referent === undefined) {
      this.#fail(frame.id, noObject(frame.object));
      return undefined;
    }
    return this.#decoded(frame, (payload) => {
      const { members, typeid } = referent.shape;
      let member = members[frame.member];
      let args = payload;
      if (frame.kind === Kind.named) {
        const [name, given] = Array.isArray(payload) ? (payload as unknown[]) : [];
        member = members.find((each) => each.name === name && each.kind === 'method');
        args = given;
        if (member === undefined)
          throw notExposed(
            typeid,
            name,
            members.map((each) => each.name),
          );
      }
      if (member?.kind !== 'method')
        throw notExposed(
          typeid,
          member?.name,
          members.map((each) => each.name),
        );
      const call = new SessionCall(this, frame.id);
      this.#run(call, referent, member.name, this.#arguments(frame, args, call));
    });
  }

  #arguments(frame: Frame, payload: unknown, call: SessionCall): unknown[] {
    let args = payload;
    if ((frame.flags & Flag.marks) !== 0) {
      const [given, marks] = Array.isArray(payload) ? (payload as unknown[]) : [];
      if (!Array.isArray(given)) throw badFrame('arguments that are no list');
      args = given;
      restoreArguments(given as unknown[], marks, (what, data) => this.#restore(what, data));
    }
    if (!Array.isArray(args)) throw badFrame('arguments that are no list');
    if ((frame.flags & Flag.signal) !== 0) {
      const last: unknown = args.at(-1);
      if (isPlainObject(last)) last['signal'] = call.signal;
    }
    return args as unknown[];
  }

  #restore(what: unknown, data: unknown): unknown {
    if (what === 'function' && typeof data === 'number') return this.#functions.stub(data);
    if (what === 'proxy') return this.#server.arrived(data);
    throw badFrame('an argument of an unknown sort');
  }

  #run(call: SessionCall, referent: Referent, name: string, args: unknown[]): void {
    const target = referent.object as Record<string, unknown>;
    let result: unknown;
    try {
      const method = target[name];
      if (typeof method !== 'function') throw new RemoteError(`${referent.shape.typeid}: \`${name}\` is no method of it any more.`);
      result = runCall(call, method as (...given: unknown[]) => unknown, target, args);
    } catch (error) {
      this.#fail(call.id, error);
      return;
    }
    if (isThenable(result)) this.#await(call, result, (value) => this.#result(call.id, referent, name, value));
    else this.#result(call.id, referent, name, result);
  }

  /** Answers a call when it settles, unless it was cancelled before. */
  #await(call: SessionCall, promise: PromiseLike<unknown>, answer: (value: unknown) => void): void {
    this.#calls.set(call.id, call);
    const settle = (finish: () => void) => {
      if (call.settled) return;
      call.settled = true;
      this.#calls.delete(call.id);
      if (!this.ended) finish();
    };
    promise.then(
      (value) => settle(() => answer(value)),
      (error: unknown) => settle(() => this.#fail(call.id, error)),
    );
  }

  #result(id: number, referent: Referent, name: string, value: unknown): void {
    try {
      const typeid = Object.hasOwn(referent.type.methodToTypeid ?? {}, name) ? referent.type.methodToTypeid![name] : undefined;
      if (typeid !== undefined) this.#proxy(id, this.#server.register(typeid, value));
      else this.#value(id, value);
    } catch (error) {
      this.#fail(id, error);
    }
  }

  #value(id: number, value: unknown): void {
    if (typeof value === 'object' && value !== null) {
      const referent = this.#server.referentOf(value);
      if (referent !== undefined) {
        this.#proxy(id, referent);
        return;
      }
      if (isStream(value)) {
        this.#wire.post(Kind.stream, id, this.#streams.offer(value));
        return;
      }
    }
    this.encode(() => this.#wire.send(value, Kind.result, id));
  }

  #proxy(id: number, referent: Referent): void {
    this.#references.refer(referent);
    const { number, typeid, module, members, byValue } = referent.shape;
    if (this.#shapes.has(number)) {
      this.#wire.post(Kind.proxy, id, referent.id, number);
      return;
    }
    this.#shapes.add(number);
    this.#wire.send({ typeid, module, members: [...members], byValue }, Kind.proxy, id, referent.id, number);
  }

  /**
   * Encodes for this client: what is named in it is counted as the client's, unless encoding fails.
   */
  encode(send: () => void): void {
    this.#references.takenBackOnError(() => this.#server.encodingFor(this, send));
  }

  #fail(id: number, error: unknown): void {
    if (this.ended) return;
    sendError(this.#wire, error, Kind.failure, id);
  }

  #create(frame: Frame): Promise<void> | undefined {
    return this.#decoded(frame, (payload) => {
      const call = new SessionCall(this, frame.id);
      const [typeid, ...args] = this.#arguments(frame, payload, call);
      const type = this.#server.typeOf(typeid);
      if (type?.callable === undefined || typeof typeid !== 'string') throw noType(typeid, this.#server.typeids());
      const failed = (error: unknown) => this.#fail(frame.id, notCreated(typeid, error));
      const made = (value: unknown) => {
        try {
          this.#proxy(frame.id, this.#server.register(typeid, value));
        } catch (error) {
          failed(error);
        }
      };
      let result: unknown;
      try {
        result = runCall(call, makeObject, undefined, [type.callable, args]);
      } catch (error) {
        failed(error);
        return;
      }
      if (!isThenable(result)) made(result);
      else
        this.#await(
          call,
          Promise.resolve(result).catch((error: unknown) => Promise.reject(notCreated(typeid, error))),
          made,
        );
    });
  }

  /** A client has received a proxy of the object: it is one of its references from here on. */
  #claim(frame: Frame): void {
    // What was freed meanwhile is an error of the first call.
    const referent = this.#server.referents.find(frame.object);
    if (referent !== undefined) this.#references.refer(referent);
    if (frame.id !== 0) this.#server.claimed(frame.extra, frame.id);
  }

  /** A proxy that the client has sent has arrived, or is not on its way any more. */
  arrived(grant: number): void {
    this.#references.arrived(grant);
  }

  #cancel(id: number): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    const reason = new DOMException('The caller cancelled the call.', 'AbortError');
    call.abort(reason);
    // A method that honours its signal settles now, and that is the answer. One that does not is
    // left to itself.
    setImmediate(() => {
      if (call.settled) return;
      call.settled = true;
      this.#calls.delete(id);
      this.#fail(id, reason);
    });
  }

  #asked(frame: Frame): Promise<void> | undefined {
    const { id } = frame;
    if (frame.member === Ask.count || frame.member === Ask.info) {
      const asked = frame.member === Ask.count ? this.#server.numberOfObjects() : this.#server.debugInfo();
      return asked.then((value) => this.encode(() => this.#wire.send(value, Kind.result, id)));
    }
    if (frame.member === Ask.shutdown) {
      this.#wire.post(Kind.result, id);
      this.#server.stop();
      return undefined;
    }
    const referent = this.#references.find(frame.object);
    if (referent === undefined) {
      this.#fail(id, noObject(frame.object));
      return undefined;
    }
    const call = new SessionCall(this, id);
    try {
      const value = runCall(call, inquire, undefined, [referent, frame.member, frame.extra]);
      if (isThenable(value)) this.#await(call, value, (settled) => this.#try(id, settled));
      else if (frame.member === Ask.value) this.encode(() => this.#wire.send(value, Kind.result, id));
      else this.#value(id, value);
    } catch (error) {
      this.#fail(id, error);
    }
    return undefined;
  }

  #try(id: number, value: unknown): void {
    try {
      this.#value(id, value);
    } catch (error) {
      this.#fail(id, error);
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}
