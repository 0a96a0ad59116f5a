/**
 * The calls of one client: from a frame to what it is answered.
 *
 *   frame -> object (of the client's references) -> member (of its shape) -> arguments
 *         -> the method, at once -> answer, at once or when what it returned settles
 *
 * Calls begin in the order of their frames; those that wait do not hold up what comes after. A call
 * is answered once: by its method, or, a turn after it was cancelled, by that.
 */
import { RemoteError } from '../../errors/index.js';
import { setImmediate } from '../../util/timers.js';
import { badFrame, noObject, noType, notCreated, notExposed } from '../messages.js';
import type { ManagedType } from '../registry.js';
import type { Shape } from '../shape.js';
import { Ask, Flag, type Frame, Kind, type Wire } from '../wire/frames.js';
import { isPlainObject, restoreArguments } from '../wire/marks.js';
import type { ClientAnswers } from './client-answers.js';
import type { ClientFunctions } from './client-functions.js';
import type { ClientReferences } from './client-references.js';
import { type ClientAgent, runCall } from './current-call.js';
import { inquire, makeObject } from './dispatch.js';
import type { Referent } from './referents.js';
import { SessionCall } from './session-call.js';

/** What calls need of the server. */
export interface CallHost {
  /** Returns the type of a name. */
  typeOf(typeid: unknown): ManagedType | undefined;
  /** Returns the names of the types that can be made. */
  typeids(): string[];
  /** Keeps an object that was made, or that a method returned. */
  register(typeid: string, value: unknown): Referent;
  /** Returns the proxy that a handle stands for. */
  arrived(handle: unknown): object;
  numberOfObjects(): Promise<number>;
  debugInfo(): Promise<unknown>;
  stop(): void;
}

export class ClientCalls {
  readonly #client: ClientAgent;
  readonly #host: CallHost;
  readonly #wire: Wire;
  readonly #references: ClientReferences;
  readonly #functions: ClientFunctions;
  readonly #answers: ClientAnswers;
  /** Calls whose methods have not settled, by their numbers. */
  readonly #waiting = new Map<number, SessionCall>();

  constructor(
    client: ClientAgent,
    host: CallHost,
    wire: Wire,
    references: ClientReferences,
    functions: ClientFunctions,
    answers: ClientAnswers,
  ) {
    this.#client = client;
    this.#host = host;
    this.#wire = wire;
    this.#references = references;
    this.#functions = functions;
    this.#answers = answers;
  }

  /** Calls a member of an object, by its place or its name. */
  call(frame: Frame): Promise<void> | undefined {
    const referent = this.#referentOf(frame);
    if (referent === undefined) return undefined;
    return this.#decode(frame, (payload) => {
      let name: string;
      let args = payload;
      if (frame.kind === Kind.named) [name, args] = namedCall(referent.shape, payload);
      else name = methodAt(referent.shape, frame.member);
      const call = new SessionCall(this.#client, frame.id);
      this.#run(call, referent, name, this.#arguments(frame, args, call));
    });
  }

  /** Makes an object of a type. */
  create(frame: Frame): Promise<void> | undefined {
    return this.#decode(frame, (payload) => {
      const call = new SessionCall(this.#client, frame.id);
      const [typeid, ...args] = this.#arguments(frame, payload, call);
      const type = this.#host.typeOf(typeid);
      if (type?.callable === undefined || typeof typeid !== 'string') throw noType(typeid, this.#host.typeids());
      const failed = (error: unknown) => this.#answers.sendFailure(frame.id, notCreated(typeid, error));
      const made = (value: unknown) => {
        try {
          this.#answers.sendProxy(frame.id, this.#host.register(typeid, value));
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

  /** Answers a question about the server, or about an object. */
  ask(frame: Frame): Promise<void> | undefined {
    const { id } = frame;
    if (frame.member === Ask.count || frame.member === Ask.info) {
      const asked = frame.member === Ask.count ? this.#host.numberOfObjects() : this.#host.debugInfo();
      return asked.then((value) => this.#answers.sendValue(id, value));
    }
    if (frame.member === Ask.shutdown) {
      this.#answers.sendDone(id);
      this.#host.stop();
      return undefined;
    }
    const referent = this.#referentOf(frame);
    if (referent === undefined) return undefined;
    const call = new SessionCall(this.#client, id);
    try {
      const value = runCall(call, inquire, undefined, [referent, frame.member, frame.extra]);
      if (isThenable(value))
        this.#await(call, value, (settled) => this.#answer(id, () => this.#answers.sendResult(id, settled)));
      else if (frame.member === Ask.value) this.#answers.sendValue(id, value);
      else this.#answers.sendResult(id, value);
    } catch (error) {
      this.#answers.sendFailure(id, error);
    }
    return undefined;
  }

  /** The client cancels a call. */
  cancel(id: number): void {
    const call = this.#waiting.get(id);
    if (call === undefined) return;
    const reason = new DOMException('The caller cancelled the call.', 'AbortError');
    call.abort(reason);
    // A method that honours its signal settles now, and that is the answer. One that does not is
    // left to itself.
    setImmediate(() => {
      if (this.#settle(call)) this.#answers.sendFailure(id, reason);
    });
  }

  /** The client has ended: signals of calls that wait abort. */
  end(reason: unknown): void {
    for (const call of this.#waiting.values()) call.abort(reason);
    this.#waiting.clear();
  }

  /** Returns the object of a frame; where the client has no reference of it, that is the answer. */
  #referentOf(frame: Frame): Referent | undefined {
    const referent = this.#references.find(frame.object);
    if (referent === undefined) this.#answers.sendFailure(frame.id, noObject(frame.object));
    return referent;
  }

  /**
   * Returns the value of a frame, decoded at once where that can be; an error is the call's answer.
   */
  #decode(frame: Frame, then: (value: unknown) => void): Promise<void> | undefined {
    try {
      const value = this.#wire.payload(frame);
      if (value instanceof Promise)
        return value.then(then).catch((error: unknown) => this.#answers.sendFailure(frame.id, error));
      then(value);
    } catch (error) {
      this.#answers.sendFailure(frame.id, error);
    }
    return undefined;
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
    if (what === 'proxy') return this.#host.arrived(data);
    throw badFrame('an argument of an unknown sort');
  }

  #run(call: SessionCall, referent: Referent, name: string, args: unknown[]): void {
    const target = referent.object as Record<string, unknown>;
    let result: unknown;
    try {
      const method = target[name];
      if (typeof method !== 'function')
        throw new RemoteError(
          `${referent.shape.typeid}: \`${name}\` is no method of it; leave it out of \`exposed\` where the type is registered, or do not replace it.`,
        );
      result = runCall(call, method as (...given: unknown[]) => unknown, target, args);
    } catch (error) {
      this.#answers.sendFailure(call.id, error);
      return;
    }
    if (isThenable(result)) this.#await(call, result, (value) => this.#sendReturned(call.id, referent, name, value));
    else this.#sendReturned(call.id, referent, name, result);
  }

  #sendReturned(id: number, referent: Referent, name: string, value: unknown): void {
    this.#answer(id, () => {
      const typeid = Object.hasOwn(referent.type.methodToTypeid ?? {}, name)
        ? referent.type.methodToTypeid![name]
        : undefined;
      if (typeid !== undefined) this.#answers.sendProxy(id, this.#host.register(typeid, value));
      else this.#answers.sendResult(id, value);
    });
  }

  /** Answers a call; what throws meanwhile is the answer. */
  #answer(id: number, send: () => void): void {
    try {
      send();
    } catch (error) {
      this.#answers.sendFailure(id, error);
    }
  }

  /** Answers a call when it settles, unless it was cancelled before. */
  #await(call: SessionCall, promise: PromiseLike<unknown>, answer: (value: unknown) => void): void {
    this.#waiting.set(call.id, call);
    promise.then(
      (value) => this.#settle(call) && answer(value),
      (error: unknown) => this.#settle(call) && this.#answers.sendFailure(call.id, error),
    );
  }

  /**
   * Takes a call out, to be answered. Returns whether it is to be: once, and by a living client.
   */
  #settle(call: SessionCall): boolean {
    if (call.settled) return false;
    call.settled = true;
    this.#waiting.delete(call.id);
    return !this.#client.ended;
  }
}

/** Returns the method at a place of a shape. @throws RemoteError `MP_NOT_EXPOSED`. */
function methodAt(shape: Shape, place: number): string {
  const member = shape.members[place];
  if (member?.kind !== 'method') throw notExposedOf(shape, member?.name);
  return member.name;
}

/**
 * Returns the method that a call names, and its arguments. @throws RemoteError `MP_NOT_EXPOSED`.
 */
function namedCall(shape: Shape, payload: unknown): [name: string, args: unknown] {
  const [name, args] = Array.isArray(payload) ? (payload as unknown[]) : [];
  const member = shape.members.find((each) => each.name === name && each.kind === 'method');
  if (member === undefined) throw notExposedOf(shape, name);
  return [member.name, args];
}

function notExposedOf({ typeid, members }: Shape, name: unknown): Error {
  return notExposed(
    typeid,
    name,
    members.map((each) => each.name),
  );
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
