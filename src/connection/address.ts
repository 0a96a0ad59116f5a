/**
 * Addresses, as Python has them: a string is the path of a unix socket (with a leading NUL:
 * abstract), a host and port are TCP.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { ArgumentError, ConnectionError } from '../errors/index.js';
import { Family, type SocketName } from '../native/index.js';
import { MAX_PATH_BYTES } from '../platform/sockets-linux.js';
import { checkOptions, describe } from '../util/options.js';

/** A place in a TCP network. */
export interface HostAndPort {
  /**
   * A name or a number. `''`: all interfaces of a listener, this machine for a client; as in
   * Python.
   */
  readonly host: string;
  /** 0 to 65535; a listener on 0 gets a free one. */
  readonly port: number;
}

/** Where a listener is. */
export type Address = string | HostAndPort;

/** What sort of socket an address belongs to. */
export type AddressFamily = 'AF_UNIX' | 'AF_INET' | 'AF_INET6';

/**
 * Returns the family of an address, and that it fits. @throws ArgumentError `MP_INVALID_ARGUMENT`.
 */
export function familyOf(actor: string, address: Address, family: AddressFamily | undefined): AddressFamily {
  checkFamily(actor, family);
  if (typeof address === 'string') {
    if (address.startsWith('\\\\'))
      throw new ArgumentError(
        `${actor}: ${describe(address)} is a pipe of Windows (AF_PIPE), which this system does not have; use a path.`,
      );
    if (address === '')
      throw new ArgumentError(`${actor}: \`address\` must not be empty; leave it out to have one chosen.`);
    if (family !== undefined && family !== 'AF_UNIX') throw unfit(actor, family, '`{ host, port }`');
    if (Buffer.byteLength(address) > MAX_PATH_BYTES)
      throw new ArgumentError(
        `${actor}: the path of a unix socket has at most ${MAX_PATH_BYTES} bytes; choose a shorter one.`,
      );
    if (address.indexOf('\0', 1) > 0)
      throw new ArgumentError(`${actor}: only the first character of \`address\` may be NUL.`);
    return 'AF_UNIX';
  }
  if (typeof address !== 'object' || address === null) {
    throw new ArgumentError(`${actor}: \`address\` must be a path or { host, port }, not ${describe(address)}.`);
  }
  checkOptions(`${actor} (address)`, address, ['host', 'port']);
  const { host, port } = address;
  if (typeof host !== 'string')
    throw new ArgumentError(`${actor}: \`address.host\` must be a string, not ${describe(host)}.`);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new ArgumentError(`${actor}: \`address.port\` must be an integer of 0 to 65535, not ${describe(port)}.`);
  }
  if (family === 'AF_UNIX') throw unfit(actor, family, 'a path');
  return family ?? (isIP(host) === 6 ? 'AF_INET6' : 'AF_INET');
}

/** @throws ArgumentError for what is no family here. */
export function checkFamily(actor: string, family: AddressFamily | undefined): void {
  if (family === undefined || Object.hasOwn(Family, family)) return;
  throw new ArgumentError(
    `${actor}: family ${describe(family)} is not known here; choose AF_UNIX, AF_INET or AF_INET6.`,
  );
}

/**
 * Where the kernel finds it: names of hosts are looked up.
 * @throws (as rejection) ConnectionError `MP_HOST_NOT_FOUND`.
 */
export async function resolveAddress(address: Address, family: AddressFamily): Promise<SocketName> {
  if (typeof address === 'string') return { family: Family.AF_UNIX, host: address, port: 0 };
  const version = family === 'AF_INET6' ? 6 : 4;
  const host =
    isIP(address.host) === version
      ? address.host
      : address.host === ''
        ? ANY[version]
        : await lookUp(address.host, version);
  return { family: Family[family], host, port: address.port };
}

/** What the kernel takes for all interfaces of a listener, and connects to this machine. */
const ANY = { 4: '0.0.0.0', 6: '::' } as const;

async function lookUp(host: string, version: 4 | 6): Promise<string> {
  try {
    return (await lookup(host, { family: version })).address;
  } catch (cause) {
    const { code } = cause as { code?: string };
    throw new ConnectionError(
      `The host ${describe(host)} has no IPv${version} address (${code}); check the name, give the number, or choose another \`family\`.`,
      { code: 'MP_HOST_NOT_FOUND', cause },
    );
  }
}

/** Returns an address in a message. */
export function showAddress(address: Address): string {
  return typeof address === 'string' ? describe(address) : `${address.host}:${address.port}`;
}

/** As {@link Address}. */
export function addressOf({ family, host, port }: SocketName): Address {
  return family === Family.AF_UNIX ? host : { host, port };
}

function unfit(actor: string, family: AddressFamily, wanted: string): ArgumentError {
  return new ArgumentError(`${actor}: an address of family ${family} is ${wanted}.`);
}
