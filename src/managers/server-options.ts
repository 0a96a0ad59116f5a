import type { AuthKey, ListenerTls } from '../connection/index.js';
import type { Serializer } from '../reduction/index.js';
import type { Address } from './address.js';

/** What a server is made of. */
export interface ServerOptions {
  readonly address: Address | undefined;
  readonly authkey: AuthKey;
  readonly tls?: ListenerTls | undefined;
  readonly serializer: Serializer;
}
