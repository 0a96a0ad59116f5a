/**
 * The peers of a listener that have not proved anything yet.
 *
 * A stranger can have one of {@link Limits.most} places for {@link Limits.time} ms at most, and when all are taken the oldest one gives way to
 * who comes next. What it sends is read in messages of at most 256 bytes, and never decoded.
 */

import { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { AuthenticationError } from '../errors/index.js';
import type { SerializerOption } from '../reduction/index.js';
import { after } from '../util/after.js';
import { answerChallenge, deliverChallenge } from './authentication.js';
import { Connection } from './connection.js';
import { type ListenerTls, overStream } from './tls.js';

/** What an unauthenticated peer may have. */
export interface Limits {
  /** Places. */
  readonly most: number;
  /** Milliseconds from being accepted to having proved itself. */
  readonly time: number;
}

/** What the connections of a listener have in common. */
export interface PeerOptions {
  readonly key: Uint8Array | undefined;
  readonly tls: ListenerTls | undefined;
  readonly serializer: SerializerOption | undefined;
}

/** Who gets to know how it ended. */
export interface HandshakeListener {
  /** The peer has proved itself, or need not. */
  passed(connection: Connection): void;
  /** The peer has another key. Others (garbage, silence, hanging up) are dropped without a word. */
  failed(error: AuthenticationError): void;
}

export class Handshakes {
  readonly #key: Uint8Array | undefined;
  readonly #limits: Limits;
  readonly #listener: HandshakeListener;
  readonly #serializer: SerializerOption | undefined;
  readonly #server: Server | undefined;
  /** How each that is under way is ended, oldest first. */
  readonly #places = new Set<() => void>();
  /** Raw sockets that are being secured. */
  readonly #securing = new WeakMap<object, () => void>();

  constructor({ key, tls, serializer }: PeerOptions, limits: Limits, listener: HandshakeListener) {
    this.#key = key;
    this.#serializer = serializer;
    this.#limits = limits;
    this.#listener = listener;
    if (tls === undefined) return;
    // It never listens: it is given the sockets.
    this.#server = createServer({ ...tls, handshakeTimeout: limits.time }, (stream) => this.#secured(stream));
    this.#server.on('tlsClientError', (_error, stream) => stream.destroy());
  }

  /** Takes a peer in; the descriptor is owned from here on. */
  begin(descriptor: number): void {
    if (this.#server !== undefined) {
      const raw = new Socket({ fd: descriptor, readable: true, writable: true });
      const leave = this.#place(() => raw.destroy());
      this.#securing.set(raw, leave);
      raw.on('close', leave);
      raw.on('error', () => {});
      this.#server.emit('connection', raw);
    } else this.#connected(new Connection(descriptor, { serializer: this.#serializer }));
  }

  /** Ends all that are under way. */
  close(): void {
    for (const end of this.#places) end();
    this.#places.clear();
  }

  #secured(stream: TLSSocket): void {
    const raw = (stream as unknown as { _parent?: object })._parent;
    if (raw !== undefined) this.#securing.get(raw)?.();
    this.#connected(overStream(stream, this.#serializer));
  }

  #connected(connection: Connection): void {
    if (this.#key === undefined) this.#listener.passed(connection);
    else void this.#authenticate(connection, this.#key);
  }

  async #authenticate(connection: Connection, key: Uint8Array): Promise<void> {
    const leave = this.#place(() => connection.close());
    try {
      await deliverChallenge(connection, key);
      await answerChallenge(connection, key);
    } catch (error) {
      connection.close();
      if (error instanceof AuthenticationError && error.code === 'MP_AUTHENTICATION') this.#listener.failed(error);
      return;
    } finally {
      leave();
    }
    this.#listener.passed(connection);
  }

  /** A place for one that is under way; returns what gives it up. */
  #place(end: () => void): () => void {
    if (this.#places.size >= this.#limits.most) {
      const [oldest] = this.#places;
      this.#places.delete(oldest!);
      oldest!();
    }
    this.#places.add(end);
    const late = after(this.#limits.time, end);
    return () => {
      late();
      this.#places.delete(end);
    };
  }
}
