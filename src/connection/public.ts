/**
 * Connections that carry values, bytes and functions between processes and hosts. Python:
 * `multiprocessing.connection`.
 *
 * @packageDocumentation
 */

// Connections

export type { WaitOptions } from '../util/wait-options.js';
export { Connection, type ConnectionOptions } from './connection.js';
export type { RecvBytesOptions } from './options.js';
export { type PipeOptions, pipe, pipe as Pipe } from './pipe.js';

// Listening and connecting

export type { Address, AddressFamily, HostAndPort } from './address.js';
export { Client, type ClientOptions } from './client.js';
export type { ClientTls, ListenerTls } from './handshake/tls.js';
export { Listener, type ListenerOptions } from './listener.js';

// Keys

export { type AuthKey, answerChallenge, type DigestName, deliverChallenge } from './handshake/authentication.js';

// Serializers

export type { Serializer, SerializerOption } from '../reduction/index.js';

// Waiting for several

export { WAITABLE, type WaitableObject } from '../util/waitable.js';
export { type Waitable, wait } from './wait.js';
