/**
 * Sockets and servers of node:net: what arrives is a new object over a duplicate of the descriptor,
 * of the same class.
 *
 * Semantics: as in Python, the sender keeps its own object over the same connection. It stops
 * reading, and bytes that it had read and nobody had consumed travel along; one that somebody reads
 * from is refused. destroy() it when it was sent, for end() would end the connection for the
 * receiver too. A server goes on listening in both processes until both close it, and each
 * connection is accepted by one of them; listeners for events do not travel.
 *
 *   net.Socket   data: offer, whether the sender half-closes, unread bytes
 *   net.Server   data: offer, options of the server
 * Only a socket that is sent by itself or in plain containers goes: one inside an instance or a
 * closure belongs to a client that would talk over it from two processes at once, and sending it
 * would silence the client here. TLS and datagram sockets stay refused: their state lies in this
 * process.
 */
import { createRequire } from 'node:module';
import type { Server, Socket } from 'node:net';
import { obtainDescriptor, offerOnce, type Passage } from '../../descriptors/offer.js';
import { closeDescriptor } from '../../native/descriptors.js';
import { badPayload, Refused } from '../messages.js';
import type { NodeKind, Reduction } from '../node.js';

type Net = typeof import('node:net');

const require = createRequire(import.meta.url);

/** Who listens to these would miss what the receiver reads. */
const READS = ['data', 'readable'];

interface SocketData {
  readonly offer: Passage;
  readonly allowHalfOpen: boolean;
  readonly unread: Uint8Array | null;
}

interface ServerData {
  readonly offer: Passage;
  readonly allowHalfOpen: boolean;
  readonly pauseOnConnect: boolean;
}

/** The handle under an object of node:net, which has no public name. */
interface Native {
  readonly _handle?: { readonly fd?: number; reading?: boolean; readStop?(): void } | null;
}

let refused = 0;

/** Runs `body`, which only looks at values: no socket is offered or paused in it. */
export function withoutSockets<T>(body: () => T): T {
  refused++;
  try {
    return body();
  } finally {
    refused--;
  }
}

/** Reduces a connected net.Socket or a listening net.Server; `undefined` for any other value. */
export function reduceSocket(value: object): Reduction | undefined {
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: string } };
  const name = prototype.constructor?.name;
  if (refused > 0 || (name !== 'Socket' && name !== 'Server')) return undefined;
  const net = require('node:net') as Net;
  if (prototype === (net.Socket.prototype as object)) return leaf('net.Socket', socketData(value as Socket));
  if (prototype === (net.Server.prototype as object)) return leaf('net.Server', serverData(value as Server));
  return undefined;
}

function socketData(socket: Socket): SocketData {
  const { fd, handle } = descriptorOf(socket, 'Socket', 'connected', 'wait for its `connect` event');
  if (READS.some((event) => socket.listenerCount(event) > 0)) {
    throw new Refused({
      code: 'MP_NATIVE_OBJECT',
      what: 'an instance of Socket',
      why: 'this process reads from it, as a database client or an HTTP server does',
      repair:
        'create the client on the other side, or, to hand the socket over, remove its `data` and `readable` listeners',
    });
  }
  socket.pause();
  handle.readStop?.();
  handle.reading = false;
  const buffered = (socket as unknown as { _readableState: { buffer: Iterable<Uint8Array | null> } })._readableState
    .buffer;
  const unread =
    socket.readableLength === 0 ? null : Uint8Array.from(Buffer.concat([...buffered].filter((part) => part !== null)));
  return { offer: offerOnce(fd), allowHalfOpen: socket.allowHalfOpen, unread };
}

function serverData(server: Server): ServerData {
  const { fd } = descriptorOf(server, 'Server', 'listening', 'wait for its `listening` event');
  const { allowHalfOpen, pauseOnConnect } = server as unknown as { allowHalfOpen?: boolean; pauseOnConnect?: boolean };
  return { offer: offerOnce(fd), allowHalfOpen: allowHalfOpen === true, pauseOnConnect: pauseOnConnect === true };
}

function descriptorOf(value: object, what: string, state: string, repair: string) {
  const handle = (value as Native)._handle;
  const fd = handle?.fd;
  if (handle !== null && handle !== undefined && fd !== undefined && fd >= 0 && !(value as Socket).connecting)
    return { fd, handle };
  throw new Refused({
    code: 'MP_NATIVE_OBJECT',
    what: `an instance of ${what}`,
    why: `it is not ${state}`,
    repair: `${repair}, and send it before it is closed`,
  });
}

function leaf(kind: string, data: unknown): Reduction {
  return { kind, data, children: [], label: () => '' };
}

/** The kinds of this file. */
export const socketKinds: readonly NodeKind[] = [
  {
    tag: 'net.Socket',
    shell: false,
    build(data) {
      const { offer, allowHalfOpen, unread } = checked<SocketData>(data);
      const net = require('node:net') as Net;
      const socket = over(
        obtainDescriptor(offer),
        (fd) => new net.Socket({ fd, allowHalfOpen, readable: true, writable: true }),
      );
      if (unread instanceof Uint8Array) socket.unshift(unread);
      return { value: socket };
    },
  },
  {
    tag: 'net.Server',
    shell: false,
    build(data) {
      const { offer, allowHalfOpen, pauseOnConnect } = checked<ServerData>(data);
      const net = require('node:net') as Net;
      return {
        value: over(obtainDescriptor(offer), (fd) =>
          net.createServer({ allowHalfOpen, pauseOnConnect }).listen({ fd }),
        ),
      };
    },
  },
];

function checked<T extends { readonly offer: Passage }>(data: unknown): T {
  const { offer } = (data ?? {}) as Partial<T>;
  const offered = typeof offer === 'object' && typeof offer?.address === 'string' && typeof offer.key === 'string';
  if (!offered && typeof offer !== 'number') throw badPayload('a socket has no offer of a descriptor');
  return data as T;
}

/** `make` owns the descriptor, unless it throws. */
function over<T>(fd: number, make: (fd: number) => T): T {
  try {
    return make(fd);
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}
