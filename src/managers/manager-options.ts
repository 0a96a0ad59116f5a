import type { Address, AuthKey, ClientTls, ListenerTls } from '../connection/index.js';
import type { ContextLike } from '../process/index.js';
import type { SerializerOption } from '../reduction/index.js';

/** Options of a manager. */
export interface ManagerOptions {
  /**
   * Where the server is, or is to be: a path, `{ host, port }`. Default: an abstract unix socket of
   * its own.
   */
  readonly address?: Address | undefined;
  /** The key that server and clients share. Default: that of the process. */
  readonly authkey?: AuthKey | undefined;
  /** How the server is started. Default: the process's. */
  readonly context?: ContextLike | undefined;
  /**
   * How values become bytes, the same on both sides. `'multiprocess'` (default): any value,
   * functions too; **whoever knows the key can run code in the server**. `'msgpackr'`: plain data,
   * which runs no code; proxies and functions may be arguments themselves, not parts of one.
   */
  readonly serializer?: SerializerOption | undefined;
  /**
   * TLS: `key` and `cert` for who starts the server or gets it, options of `tls.connect` or `true`
   * for who connects. Default: none.
   */
  readonly tls?: (ListenerTls & ClientTls) | ListenerTls | ClientTls | undefined;
}

/** Returns what a client uses of options that serve both. */
export function clientTls(tls: NonNullable<ManagerOptions['tls']>): ClientTls {
  if (tls === true) return true;
  const { ca, cert } = tls as { ca?: unknown; cert?: unknown };
  // A server's own certificate is what its clients trust, unless an authority is named. Its private
  // key stays where it is.
  return { ca: ca ?? cert } as ClientTls;
}
