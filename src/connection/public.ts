/** Connections that carry messages between processes. Python: `multiprocessing.connection`. */

export type { Serializer, SerializerOption } from '../reduction/index.js';
export type { WaitOptions } from '../util/wait-options.js';
// Waiting for several
export { WAITABLE, type WaitableObject } from '../util/waitable.js';
// Listening and connecting
export type { Address, AddressFamily, HostAndPort } from './address.js';
export { Client, type ClientOptions } from './client.js';
// Connections
export { Connection, type ConnectionOptions } from './connection.js';
export { type AuthKey, answerChallenge, type DigestName, deliverChallenge } from './handshake/authentication.js';
export type { ClientTls, ListenerTls } from './handshake/tls.js';
export { Listener, type ListenerOptions } from './listener.js';
export type { RecvBytesOptions } from './options.js';
export { type PipeOptions, pipe, pipe as Pipe } from './pipe.js';
export { type Waitable, wait } from './wait.js';
