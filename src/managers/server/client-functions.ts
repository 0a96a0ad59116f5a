/**
 * The functions that one client gave to methods of a server: each has a stub here, which calls
 * back.
 *
 *   stub(...) -> callback frame -> the client's function -> answer frame -> the stub's promise
 *
 * A stub that is collected gives back as many references as the client has sent.
 */
import { callerGone } from '../messages.js';
import { Flag, type Frame, Kind, type Wire } from '../wire/frames.js';

/** Stands for a function of a client. */
type Stub = (...args: unknown[]) => Promise<unknown>;

interface StubEntry {
  readonly stub: WeakRef<Stub>;
  /** How often the client has sent the function. */
  received: number;
}

export class ClientFunctions {
  readonly #wire: Wire;
  readonly #encode: (send: () => void) => void;
  readonly #stubs = new Map<number, StubEntry>();
  readonly #callbacks = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  #lastCallback = 0;
  #ended = false;
  readonly #collected = new FinalizationRegistry<{ object: number; entry: StubEntry }>(({ object, entry }) => {
    if (this.#ended) return;
    if (this.#stubs.get(object) === entry) this.#stubs.delete(object);
    this.#wire.post(Kind.forget, 0, object, entry.received);
  });

  /** @param encode runs what encodes for the client. */
  constructor(wire: Wire, encode: (send: () => void) => void) {
    this.#wire = wire;
    this.#encode = encode;
  }

  /** Returns the stub of a function of the client. */
  stub(object: number): Stub {
    const known = this.#stubs.get(object);
    const living = known?.stub.deref();
    if (known !== undefined && living !== undefined) {
      known.received++;
      return living;
    }
    const stub: Stub = (...args) => this.#callBack(object, args);
    const entry: StubEntry = { stub: new WeakRef(stub), received: 1 };
    this.#stubs.set(object, entry);
    this.#collected.register(stub, { object, entry });
    return stub;
  }

  /** Settles the call of a stub. */
  answered(frame: Frame): Promise<void> | undefined {
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

  /** The client has ended: calls of stubs reject. */
  end(): void {
    this.#ended = true;
    const gone = callerGone();
    for (const { reject } of this.#callbacks.values()) reject(gone);
    this.#callbacks.clear();
  }

  #callBack(object: number, args: readonly unknown[]): Promise<unknown> {
    if (this.#ended) return Promise.reject(callerGone());
    return new Promise((resolve, reject) => {
      const id = ++this.#lastCallback >>> 0;
      this.#encode(() => this.#wire.send(args, Kind.callback, id, object));
      this.#callbacks.set(id, { resolve, reject });
    });
  }
}
