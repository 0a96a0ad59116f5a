/**
 * The server's answers, handed to the calls that wait for them: a value, an error, a proxy, or a
 * stream.
 */
import { fromWorker } from '../../pool/index.js';
import { importModule } from '../../util/import-module.js';
import { badFrame } from '../messages.js';
import { definedType, type ProxyType } from '../registry.js';
import { isShape, type Shape } from '../shape.js';
import { receivedError } from '../wire/errors.js';
import { type Frame, Kind, type Wire } from '../wire/frames.js';
import type { PendingCalls } from './pending-calls.js';

/** Makes the proxy of an object that the server told of. */
export type ProxyMaker = (object: number, shape: Shape, type: ProxyType | undefined) => object;

export class Answers {
  readonly #pending: PendingCalls;
  readonly #proxyOf: ProxyMaker;
  /** By the numbers that the server has given them on this connection. */
  readonly #shapes = new Map<number, Shape>();

  constructor(pending: PendingCalls, proxyOf: ProxyMaker) {
    this.#pending = pending;
    this.#proxyOf = proxyOf;
  }

  /** Another connection is open: the server numbers shapes anew. */
  restart(): void {
    this.#shapes.clear();
  }

  /** Answers a call by a value. */
  receiveResult(wire: Wire, frame: Frame): Promise<void> | undefined {
    const pending = this.#pending.take(frame.id);
    if (pending === undefined) return undefined;
    try {
      const value = wire.payload(frame);
      if (value instanceof Promise) return value.then(pending.resolve, pending.reject);
      pending.resolve(value);
    } catch (error) {
      pending.reject(error);
    }
    return undefined;
  }

  /** Answers a call by an error. */
  async receiveFailure(wire: Wire, frame: Frame): Promise<void> {
    const pending = this.#pending.take(frame.id);
    if (pending === undefined) return;
    if (pending.cancelled !== undefined) {
      pending.reject(pending.cancelled.reason);
      return;
    }
    try {
      pending.reject(fromWorker(receivedError(wire, await wire.payload(frame)), pending.site));
    } catch (error) {
      pending.reject(error);
    }
  }

  /** Answers a call by the proxy of an object. The first of a shape brings that. */
  receiveProxy(wire: Wire, frame: Frame): Promise<void> | undefined {
    const shape = this.#shapes.get(frame.extra);
    if (shape === undefined) return this.#receiveShape(wire, frame);
    this.#resolveProxy(wire, frame, shape);
    return undefined;
  }

  async #receiveShape(wire: Wire, frame: Frame): Promise<void> {
    const shape = await wire.payload(frame);
    if (!isShape(shape)) {
      this.#pending.take(frame.id)?.reject(badFrame('a proxy without a shape'));
      return;
    }
    this.#shapes.set(frame.extra, shape);
    // The class of its proxies is in the module of its type. A server that must not run code here
    // names no module to load either.
    if (!wire.plain && shape.module !== null && definedType(shape.typeid) === undefined)
      await importModule(shape.module).catch(() => {});
    this.#resolveProxy(wire, frame, shape);
  }

  #resolveProxy(wire: Wire, frame: Frame, shape: Shape): void {
    const pending = this.#pending.take(frame.id);
    if (pending === undefined) {
      // Nobody waits for it any more.
      wire.post(Kind.release, 0, frame.object, 1);
      return;
    }
    try {
      pending.resolve(this.#proxyOf(frame.object, shape, pending.proxyType));
    } catch (error) {
      pending.reject(error);
    }
  }
}
