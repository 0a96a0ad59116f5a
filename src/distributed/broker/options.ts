/** How to reach a broker: the options that everything in this folder has in common. */
import { ArgumentError } from '../../errors/index.js';
import { checkNumber, checkOptions, describe } from '../../util/options.js';

/** Who one is to the broker. One of: `user` and `password`, `token`. */
export interface Credentials {
  /** Name of the user. */
  readonly user?: string | undefined;
  /** The user's password. */
  readonly password?: string | undefined;
  /** A token, in their place. */
  readonly token?: string | undefined;
}

/** TLS to the broker, as PEM text or as files. */
export interface BrokerTls {
  /** Certificate authorities, PEM. */
  readonly ca?: string | undefined;
  /** The client's certificate, PEM. */
  readonly cert?: string | undefined;
  /** The client's private key, PEM. */
  readonly key?: string | undefined;
  /** Path of {@link ca}. */
  readonly caFile?: string | undefined;
  /** Path of {@link cert}. */
  readonly certFile?: string | undefined;
  /** Path of {@link key}. */
  readonly keyFile?: string | undefined;
}

/** Where the broker is, and who one is to it. */
export interface BrokerOptions {
  /** Addresses of the servers of one cluster: `'nats://host:4222'`, or several. */
  readonly servers: string | readonly string[];
  /** Default: none; a server's address may have them too. */
  readonly credentials?: Credentials | undefined;
  /** `true`: TLS with the system's authorities. Default: as the server asks for it. */
  readonly tls?: boolean | BrokerTls | undefined;
  /**
   * Copies of each stream that a cluster keeps, 1 to 5; 3 survive the loss of a server. Counts for
   * what is created. Default 1.
   */
  readonly replicas?: number | undefined;
}

/** What {@link BrokerOptions} say, checked. */
export interface BrokerSettings {
  readonly servers: readonly string[];
  readonly credentials: Credentials;
  readonly tls: boolean | BrokerTls | undefined;
  readonly replicas: number;
}

/** The names in {@link BrokerOptions}. */
export const BROKER_OPTIONS: readonly string[] = ['servers', 'credentials', 'tls', 'replicas'];

/** @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`. */
export function brokerSettings(actor: string, options: BrokerOptions): BrokerSettings {
  const { credentials, tls } = options;
  const servers = typeof options.servers === 'string' ? [options.servers] : options.servers;
  if (
    !Array.isArray(servers) ||
    servers.length === 0 ||
    !servers.every((server) => typeof server === 'string' && server !== '')
  ) {
    throw new ArgumentError(
      `${actor}: \`servers\` must be the address of a server of NATS, such as 'nats://localhost:4222', or an array of them, not ${describe(options.servers)}.`,
    );
  }
  checkObject(actor, 'credentials', credentials, ['user', 'password', 'token']);
  if (typeof tls !== 'boolean') checkObject(actor, 'tls', tls, ['ca', 'cert', 'key', 'caFile', 'certFile', 'keyFile']);
  return {
    servers,
    credentials: credentials ?? {},
    tls,
    replicas: checkNumber(actor, 'replicas', options.replicas, { min: 1, integer: true }) ?? 1,
  };
}

function checkObject(actor: string, name: string, value: unknown, known: readonly string[]): void {
  if (value === undefined) return;
  checkOptions(`${actor}: ${name}`, value, known);
  for (const [key, text] of Object.entries(value as object)) {
    if (text !== undefined && typeof text !== 'string')
      throw new ArgumentError(`${actor}: \`${name}.${key}\` must be a string, not ${typeof text}.`);
  }
}

const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** A name that can be a part of subjects and of streams. @throws ArgumentError. */
export function checkName(actor: string, name: unknown, option = 'name'): string {
  if (typeof name === 'string' && NAME.test(name)) return name;
  throw new ArgumentError(
    `${actor}: \`${option}\` must have 1 to 64 letters, digits, \`-\` and \`_\`, not ${describe(name)}.`,
  );
}

/** Shortest lease in milliseconds: renewals would be all that is done. */
const MIN_LEASE_MS = 500;

/** @throws ArgumentError for a lease that is too short. */
export function checkLease(actor: string, lease: number | undefined): number | undefined {
  return checkNumber(actor, 'lease', lease, { min: MIN_LEASE_MS, integer: true });
}
