/** TLS beneath a connection: from a connected socket to a stream that is secured. */
import { isIP } from 'node:net';
import { type ConnectionOptions, connect, type SecureContextOptions, type TLSSocket, type TlsOptions } from 'node:tls';
import { ConnectionError } from '../../errors/index.js';
import { nativeAvailable, withoutAddon } from '../../native/index.js';
import type { SerializerOption } from '../../reduction/index.js';
import { onAbort } from '../../util/abort.js';
import type { AddressFamily } from '../address.js';
import { Connection } from '../connection.js';
import { type Carrier, socketOf } from '../transport/carrier.js';
import { StreamTransport } from '../transport/stream-transport.js';
import { TransportMaker } from '../transport/transport.js';

/** What a listener presents and demands; see `tls.createServer`. `key` and `cert` at least. */
export type ListenerTls = Pick<TlsOptions, 'requestCert' | 'rejectUnauthorized' | 'SNICallback'> & SecureContextOptions;

/** What a client trusts and presents; see `tls.connect`. `true`: what Node trusts. */
export type ClientTls = true | Omit<ConnectionOptions, 'host' | 'port' | 'path' | 'socket'>;

/**
 * @throws UnsupportedError where the addresses of unix sockets are names that threads share: nothing
 * leaves the process there, and TLS has no socket to go over.
 */
export function checkTls(actor: string, family: AddressFamily): void {
  if (family !== 'AF_UNIX' || nativeAvailable()) return;
  throw withoutAddon(
    `${actor}: \`tls\` needs TCP here`,
    'Give `address: { host, port }`, or leave `tls` out between threads',
  );
}

/**
 * Secures the client's end. `carrier` is owned from here on.
 * @throws (as rejection) ConnectionError; `signal.reason`.
 */
export async function secureClient(
  carrier: Carrier,
  host: string | undefined,
  tls: ClientTls,
  serializer: SerializerOption | undefined,
  signal: AbortSignal,
): Promise<Connection> {
  const raw = socketOf(carrier);
  const given = tls === true ? {} : tls;
  const servername = given.servername ?? (host !== undefined && isIP(host) === 0 ? host : undefined);
  const stream = connect({ ...given, socket: raw, ...(servername === undefined ? {} : { servername }) });
  let unlisten: (() => void) | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      stream.once('secureConnect', resolve);
      stream.once('error', reject);
      stream.once('close', () => reject(new Error('the peer closed the connection')));
      if (signal.aborted) stream.destroy(signal.reason as Error);
      else unlisten = onAbort(signal, () => stream.destroy(signal.reason as Error));
    });
  } catch (cause) {
    stream.destroy();
    signal.throwIfAborted();
    throw new ConnectionError(`Client: TLS failed: ${(cause as Error).message}.`, { code: 'MP_CONNECTION', cause });
  } finally {
    unlisten?.();
  }
  return overStream(stream, serializer);
}

/** Returns a connection over a secured stream. */
export function overStream(stream: TLSSocket, serializer: SerializerOption | undefined): Connection {
  return new Connection(new TransportMaker((onReady) => new StreamTransport(stream, 'over TLS', onReady)), {
    serializer,
  });
}
