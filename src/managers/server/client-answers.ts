/**
 * What one client of a server is answered: values, errors, proxies and streams, by the numbers of
 * its calls.
 */
import { sendError } from '../wire/errors.js';
import { Kind, type Wire } from '../wire/frames.js';
import type { ClientReferences } from './client-references.js';
import type { ClientStreams } from './client-streams.js';
import { isStream } from './outgoing-stream.js';
import type { Referent } from './referents.js';

export class ClientAnswers {
  readonly #wire: Wire;
  readonly #references: ClientReferences;
  readonly #streams: ClientStreams;
  readonly #referentOf: (value: object) => Referent | undefined;
  readonly #encode: (send: () => void) => void;
  /** Shapes that the client knows, by their numbers. */
  readonly #shapes = new Set<number>();
  #ended = false;

  /**
   * @param referentOf the object that a proxy inside the server stands for.
   * @param encode runs what encodes for the client.
   */
  constructor(
    wire: Wire,
    references: ClientReferences,
    streams: ClientStreams,
    referentOf: (value: object) => Referent | undefined,
    encode: (send: () => void) => void,
  ) {
    this.#wire = wire;
    this.#references = references;
    this.#streams = streams;
    this.#referentOf = referentOf;
    this.#encode = encode;
  }

  /**
   * Answers by what a method returned: a proxy where the value stands for an object of the server,
   * a stream where it is one.
   * @throws SerializationError, and nothing was sent.
   */
  sendResult(id: number, value: unknown): void {
    if (typeof value === 'object' && value !== null) {
      const referent = this.#referentOf(value);
      if (referent !== undefined) {
        this.sendProxy(id, referent);
        return;
      }
      if (isStream(value)) {
        this.#wire.post(Kind.stream, id, this.#streams.offer(value));
        return;
      }
    }
    this.sendValue(id, value);
  }

  /** Answers by a value as it is. @throws SerializationError, and nothing was sent. */
  sendValue(id: number, value: unknown): void {
    this.#encode(() => this.#wire.send(value, Kind.result, id));
  }

  /** Answers by nothing but that it was done. */
  sendDone(id: number): void {
    this.#wire.post(Kind.result, id);
  }

  /** Answers by a proxy of an object, which is a reference of the client's from here on. */
  sendProxy(id: number, referent: Referent): void {
    this.#references.refer(referent);
    const { number, typeid, module, members, byValue } = referent.shape;
    if (this.#shapes.has(number)) {
      this.#wire.post(Kind.proxy, id, referent.id, number);
      return;
    }
    this.#shapes.add(number);
    this.#wire.send({ typeid, module, members: [...members], byValue }, Kind.proxy, id, referent.id, number);
  }

  /** Answers by an error. */
  sendFailure(id: number, error: unknown): void {
    if (!this.#ended) sendError(this.#wire, error, Kind.failure, id);
  }

  /** The client has ended: it is told of no errors any more. */
  end(): void {
    this.#ended = true;
  }
}
