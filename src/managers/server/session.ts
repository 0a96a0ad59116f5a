/**
 * One client of a server: what it refers to, the calls it has under way, its streams and its functions. All of it ends with its connection.
 *
 *   receive -> frame -> #handle -> the referent's method, at once -> its answer, at once or when it settles
 *
 * Frames are handled one after the other, so calls of one client begin in their order; those that wait do not hold up what comes after.
 */
import { RemoteError } from '../../errors/index.js';
import { queueMicrotask, setImmediate } from '../../util/timers.js';
import { badFrame, callerGone, noObject, noType, notCreated, notExposed } from '../messages.js';
import type { Server } from '../server.js';
import { sendError } from '../wire/errors.js';
import { Ask, Flag, type Frame, Kind, readFrame, type Wire } from '../wire/frames.js';
import { isPlainObject, restoreArguments } from '../wire/marks.js';
import { type ClientAgent, runCall } from './current-call.js';
import { inquire, makeObject } from './dispatch.js';
import { isStream, OutgoingStream } from './outgoing-stream.js';
import type { Referent } from './referents.js';
import { SessionCall } from './session-call.js';

/** Bytes of answers that may wait for a client that does not read them; beyond, nothing more is received from it meanwhile. */
const MOST_WAITING = 1 << 20;

/** A function of a client. */
export type Stub = (...args: unknown[]) => Promise<unknown>;

export class Session implements ClientAgent {
  readonly id: number;
  readonly pid: number;
  readonly name: string;
  ended = false;
  readonly #server: Server;
  readonly #wire: Wire;
  /** References that the client was told of. */
  readonly #references = new Map<number, { readonly referent: Referent; count: number }>();
  /** What the proxies stand for that it has sent elsewhere and nobody has claimed, by their grants. */
  readonly #holds = new Map<number, Referent>();
  /** Grants that were claimed before they were told of. */
  readonly #early = new Set<number>();
  #lastGrant = 0;
  readonly #shapes = new Set<number>();
  readonly #calls = new Map<number, SessionCall>();
  /** Streams that methods returned, which the client may read as often as they can be. */
  readonly #sources = new Map<number, object>();
  #lastSource = 0;
  /** Readings under way, by the client's numbers. */
  readonly #streams = new Map<number, OutgoingStream>();
  readonly #stubs = new Map<number, { stub: WeakRef<Stub>; received: number }>();
  readonly #callbacks = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  #lastCallback = 0;
  readonly #collected = new FinalizationRegistry<{ object: number; entry: { stub: WeakRef<Stub>; received: number } }>(
    ({ object, entry }) => {
      if (this.ended) return;
      if (this.#stubs.get(object) === entry) this.#stubs.delete(object);
      this.#wire.post(Kind.forget, 0, object, entry.received);
    },
  );
  readonly #listeners = new Set<() => void>();
  /** What the answer that is being encoded refers to, so that it can be taken back. */
  #granted: Referent[] = [];

  constructor(server: Server, wire: Wire, id: number, pid: number, name: string) {
    this.#server = server;
    this.#wire = wire;
    this.id = id;
    this.pid = pid;
    this.name = name;
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
        if (this.#wire.waiting > MOST_WAITING) await this.#wire.drained();
      }
    } catch {
      // The client has ended, or does not speak this protocol.
    }
    this.end();
  }

  /** The next frame. Only who has one client looks for it before it comes: others' frames wait meanwhile. */
  #next(): Promise<Uint8Array> {
    return this.#server.sole ? this.#wire.receive() : this.#wire.receiveLater();
  }

  /** Ends it: what it held is given back. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.#wire.close();
    const gone = callerGone();
    for (const call of this.#calls.values()) call.abort(gone);
    this.#calls.clear();
    for (const stream of this.#streams.values()) stream.stop();
    this.#streams.clear();
    this.#sources.clear();
    for (const { reject } of this.#callbacks.values()) reject(gone);
    this.#callbacks.clear();
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
    const { referents } = this.#server;
    for (const { referent, count } of this.#references.values()) referents.drop(referent, count);
    this.#references.clear();
    for (const referent of this.#holds.values()) referents.drop(referent, 1);
    this.#holds.clear();
    this.#server.left(this);
  }

  /** Counts a reference of the client's to an object that is named in what is being encoded for it. */
  grant(referent: Referent): number {
    this.#refer(referent);
    this.#granted.push(referent);
    return this.id;
  }

  #refer(referent: Referent): void {
    this.#server.referents.retain(referent);
    const known = this.#references.get(referent.id);
    if (known === undefined) this.#references.set(referent.id, { referent, count: 1 });
    else known.count++;
  }

  #release(id: number, count: number): void {
    const known = this.#references.get(id);
    if (known === undefined) return;
    const given = Math.min(count, known.count);
    known.count -= given;
    if (known.count === 0) this.#references.delete(id);
    this.#server.referents.drop(known.referent, given);
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
        this.#release(frame.object, frame.extra);
        return undefined;
      case Kind.hold:
        this.#hold(frame.id, frame.object);
        return undefined;
      case Kind.unhold:
        this.arrived(frame.id);
        return undefined;
      case Kind.cancel:
        this.#cancel(frame.id);
        return undefined;
      case Kind.pull:
        this.#pull(frame);
        return undefined;
      case Kind.stop:
        this.#streams.get(frame.id)?.stop();
        this.#streams.delete(frame.id);
        return undefined;
      case Kind.drop:
        this.#sources.delete(frame.object);
        return undefined;
      case Kind.answer:
        return this.#answered(frame);
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
    const { referent } = this.#references.get(frame.object) ?? {};
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
    if (what === 'function' && typeof data === 'number') return this.#stub(data);
    if (what === 'proxy') return this.#server.arrived(data);
    throw badFrame('an argument of an unknown sort');
  }

  #run(call: SessionCall, referent: Referent, name: string, args: unknown[]): void {
    const target = referent.object as Record<string, unknown>;
    let result: unknown;
    try {
      const method = target[name];
      if (typeof method !== 'function') throw new RemoteError(`${referent.shape.typeid}: \`${name}\` is no method of it any more.`);
      result = runCall(call, method as Stub, target, args);
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
        const number = ++this.#lastSource;
        this.#sources.set(number, value);
        this.#wire.post(Kind.stream, id, number);
        return;
      }
    }
    this.encode(() => this.#wire.send(value, Kind.result, id));
  }

  #pull({ id, object, extra }: Frame): void {
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      const source = this.#sources.get(object);
      if (source === undefined) return;
      const over = () => void this.#streams.delete(id);
      stream = new OutgoingStream(source, id, this.#wire, over, (send) => this.encode(send));
      this.#streams.set(id, stream);
    }
    stream.pull(extra);
  }

  #proxy(id: number, referent: Referent): void {
    this.#refer(referent);
    const { number, typeid, module, members, byValue } = referent.shape;
    if (this.#shapes.has(number)) {
      this.#wire.post(Kind.proxy, id, referent.id, number);
      return;
    }
    this.#shapes.add(number);
    this.#wire.send({ typeid, module, members: [...members], byValue }, Kind.proxy, id, referent.id, number);
  }

  /** Encodes for this client: what is named in it is counted as the client's, unless encoding fails. */
  encode(send: () => void): void {
    const before = this.#granted;
    this.#granted = [];
    try {
      this.#server.encodingFor(this, send);
    } catch (error) {
      for (const referent of this.#granted) this.#release(referent.id, 1);
      throw error;
    } finally {
      this.#granted = before;
    }
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
    if (referent !== undefined) this.#refer(referent);
    if (frame.id !== 0) this.#server.claimed(frame.extra, frame.id);
  }

  /** A proxy of one of its references is on its way. */
  #hold(grant: number, object: number): void {
    this.#lastGrant = Math.max(this.#lastGrant, grant);
    const { referent } = this.#references.get(object) ?? {};
    if (this.#early.delete(grant) || referent === undefined || this.#holds.has(grant)) return;
    this.#server.referents.retain(referent);
    this.#holds.set(grant, referent);
  }

  /** A proxy that it has sent has arrived, or is not on its way any more. */
  arrived(grant: number): void {
    const referent = this.#holds.get(grant);
    if (referent !== undefined) {
      this.#holds.delete(grant);
      this.#server.referents.drop(referent, 1);
      // The receiver was faster than the sender.
    } else if (grant > this.#lastGrant) this.#early.add(grant);
  }

  #cancel(id: number): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    const reason = new DOMException('The caller cancelled the call.', 'AbortError');
    call.abort(reason);
    // A method that honours its signal settles now, and that is the answer. One that does not is left to itself.
    setImmediate(() => {
      if (call.settled) return;
      call.settled = true;
      this.#calls.delete(id);
      this.#fail(id, reason);
    });
  }

  #stub(object: number): Stub {
    const known = this.#stubs.get(object);
    const living = known?.stub.deref();
    if (known !== undefined && living !== undefined) {
      known.received++;
      return living;
    }
    const stub: Stub = (...args) => this.#callBack(object, args);
    const entry = { stub: new WeakRef(stub), received: 1 };
    this.#stubs.set(object, entry);
    this.#collected.register(stub, { object, entry });
    return stub;
  }

  #callBack(object: number, args: readonly unknown[]): Promise<unknown> {
    if (this.ended) return Promise.reject(callerGone());
    return new Promise((resolve, reject) => {
      const id = ++this.#lastCallback >>> 0;
      this.encode(() => this.#wire.send(args, Kind.callback, id, object));
      this.#callbacks.set(id, { resolve, reject });
    });
  }

  #answered(frame: Frame): Promise<void> | undefined {
    const waiting = this.#callbacks.get(frame.id);
    if (waiting === undefined) return undefined;
    this.#callbacks.delete(frame.id);
    const failed = (frame.flags & Flag.error) !== 0;
    try {
      const value = this.#wire.payload(frame);
      if (value instanceof Promise) return value.then(failed ? waiting.reject : waiting.resolve, waiting.reject);
      if (failed) waiting.reject(value);
      else waiting.resolve(value);
    } catch (error) {
      waiting.reject(error);
    }
    return undefined;
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
    const { referent } = this.#references.get(frame.object) ?? {};
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
