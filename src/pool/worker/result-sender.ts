import { inspect } from 'node:util';
import { MultiprocessError, RemoteError } from '../../errors/index.js';
import type { Link } from '../../memory/ring/link.js';
import { holdUntil } from '../../memory/shareable/freight.js';
import {
  inCall,
  isError,
  isShortPrimitive,
  loadSending,
  putShort,
  sendableError,
  sendsFunctions,
  withoutSockets,
} from '../../reduction/receiving.js';
import { CodedPayload } from '../wire/coded-payload.js';
import { KIND, MessageKind } from '../wire/protocol.js';

/** Makes the loop wait for a promise. */
export type Suspend = <T>(promise: PromiseLike<T>, then: (value: T) => void, fail: (error: unknown) => void) => void;

/** What a worker sends: values, and what can be said of those that cannot be sent. */
export class ResultSender {
  readonly #payload = new CodedPayload();
  readonly #link: Link;

  constructor(
    link: Link,
    private readonly suspend: Suspend,
  ) {
    this.#link = link;
  }

  /**
   * Sends a value of a few bytes without waking the parent, which finds it when it is woken for a later one.
   * @returns `false` when it is longer, or there is no room: `send` it.
   */
  sendQuietly(kind: number, id: number, value: unknown): boolean {
    return isShortPrimitive(value) && this.#link.sendShort(kind, id, 0, putShort, value);
  }

  /** Sends a value. What cannot be encoded is answered by its own error. Call only while the link is writable. */
  send(kind: number, id: number, value: unknown, state = 0, sent?: () => void): void {
    if (isShortPrimitive(value) && this.#link.sendShort(kind, id, state, putShort, value)) {
      this.#link.wake();
      sent?.();
      return;
    }
    try {
      this.#post(kind | this.#payload.encode(value), id, state);
      sent?.();
    } catch (error) {
      if (sendsFunctions()) this.#sendError(kind, id, value, error, state);
      else {
        // It may hold a function; what that takes was not needed so far. With it the value goes, or
        // its own error does.
        this.suspend(
          loadSending(),
          () => this.send(kind, id, value, state),
          (failure) => this.#sendError(kind, id, value, failure, state),
        );
      }
    }
  }

  /** Tells the parent what ends this worker: nobody caught it. */
  uncaught(error: unknown): void {
    if (!this.#link.writable) return;
    try {
      this.#post(MessageKind.Uncaught | this.#payload.encode(error), 0, 0);
    } catch (reason) {
      this.#sendError(MessageKind.Uncaught, 0, error, reason, 0);
    }
  }

  /** Sends what was encoded. */
  #post(kind: number, id: number, state: number): void {
    const { freight } = this.#payload;
    const position = this.#link.send(kind, id, state, this.#payload);
    if (freight !== null) holdUntil(freight, () => this.#link.taken(position));
    this.#payload.sent();
    this.#link.wake();
  }

  #canEncode(value: unknown): boolean {
    try {
      this.#payload.encode(value);
      return true;
    } catch {
      return false;
    }
  }

  /** The value cannot be encoded: sends what can be said about that. */
  #sendError(kind: number, id: number, value: unknown, reason: unknown, state: number): void {
    let error = reason;
    const exit = (kind & KIND) === MessageKind.Exited;
    const isValue = exit || (kind & KIND) === MessageKind.Value;
    if (!isValue && kind !== MessageKind.Report && isError(value)) {
      error = withoutSockets(() => sendableError(value, (part) => this.#canEncode(part)));
      if (!this.#canEncode(error)) error = unsendable(value, reason);
    } else if (!isValue && kind !== MessageKind.Report) error = unsendable(value, reason);
    else
      inCall(
        error,
        exit ? 'The result of `workerExit`' : isValue ? 'The result of the task' : 'report',
        (path) => path,
      );
    const flags = this.#payload.encode(error);
    // The kind of a failure stands behind that of its value.
    this.#post((isValue ? kind + 1 : kind) | flags, id, state);
  }
}

function unsendable(value: unknown, reason: unknown): RemoteError {
  return new RemoteError(`The task failed with something that cannot be sent: ${inspect(value, { depth: 1 })}`, {
    cause: reason instanceof MultiprocessError ? reason.message : undefined,
  });
}
