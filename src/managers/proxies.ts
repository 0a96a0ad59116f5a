/**
 * How proxies and their objects are told apart, and how a proxy travels.
 *
 * Reference counts: the server counts what it told each client, the client counts what it was told.
 * A proxy that nobody has any more is collected, and the client gives back as many references as it
 * was told of, so a proxy that is on its way meanwhile is not lost.
 */
import { optionOf, type Serializer } from '../reduction/index.js';
import type { Address } from './address.js';
import type { Shape } from './shape.js';

/** What a proxy knows of its object. */
export interface Link {
  /** Where calls go. */
  readonly channel: Channel;
  /** The object's number in the server. */
  readonly object: number;
  readonly shape: Shape;
  /** References that the server counts for it. */
  received: number;
  /** Disposed of. */
  closed: boolean;
}

/** What bounds a call. */
export interface CallOptions {
  /**
   * Milliseconds until the call rejects with TimeoutError and is cancelled in the server. Default:
   * no limit.
   */
  readonly timeout?: number | undefined;
  /** Cancels the call: it rejects with `signal.reason`, unless its result came first. */
  readonly signal?: AbortSignal | undefined;
}

/** Where the calls of proxies go: over a connection, or straight to the object. */
export interface Channel {
  readonly address: Address;
  /** Calls a member. @param member its place in the shape, or its name where that is not known. */
  call(
    link: Link,
    member: number | string,
    args: readonly unknown[],
    options: CallOptions | undefined,
  ): Promise<unknown>;
  /** Reads a property. */
  read(link: Link, member: number): Promise<unknown>;
  /** Returns the referent itself, or its text. */
  ask(link: Link, what: number): Promise<unknown>;
  /** The link's proxy is no more. */
  release(link: Link): void;
  /** The proxy is being sent: what it travels as. */
  handleOf(link: Link): ProxyHandle;
}

/**
 * What holds the object of a proxy that is on its way: whose it is (a session, 0: the server's
 * program), and its number; 0: nothing does.
 */
export type Grant = readonly [session: number, number: number];

/** A proxy as it travels. Plain data. */
export interface ProxyHandle {
  /** The server, for good: another one at the same address has another. */
  readonly server: string;
  readonly address: Address;
  readonly object: number;
  readonly shape: Shape;
  /**
   * The session of the client for which the server has counted it already; 0: the receiver claims
   * it; -1: it goes to its own server.
   */
  readonly session: number;
  readonly grant: Grant;
  /**
   * The server's key in hex, where that is its own: only for workers, over memory that nobody else
   * has.
   */
  readonly key?: string;
  /** Whether the connection is secured by TLS. */
  readonly tls?: boolean;
  /** The serializer of the connection, if it is another than the default: its name, or `custom`. */
  readonly serializer?: string;
}

/** Returns how a serializer is named in a handle. */
export function serializerPart(serializer: Serializer): { serializer?: string } {
  const option = optionOf(serializer);
  return option === 'multiprocess' ? {} : { serializer: typeof option === 'string' ? option : 'custom' };
}

let receiver: object | null = null;

/**
 * Who what is being encoded is for: a session of a server here, or the channel to a server; `null`:
 * somebody else.
 */
export function sendingTo(): object | null {
  return receiver;
}

/** Runs what encodes for `peer`. */
export function whileSendingTo<R>(peer: object, send: () => R): R {
  const before = receiver;
  receiver = peer;
  try {
    return send();
  } finally {
    receiver = before;
  }
}
