/**
 * What this process knows of servers beside their address: the key, where it is not the process's
 * own, and how TLS is set up. Whoever receives a proxy in this process or a child of it connects by
 * that. Children get it with their start; through queues and connections it never goes.
 */

import { type AuthKey, type ClientTls, keyOf } from '../../connection/index.js';
import { currentProcess } from '../../process/index.js';
import { entry } from '../../util/package.js';
import { registerPreparation } from '../../util/preparation.js';
import { type Address, keyOfAddress } from '../address.js';

interface Known {
  /** In hex; `null`: the process's. */
  readonly key: string | null;
  readonly tls: ClientTls | null;
}

const known = new Map<string, Known>();

/** Notes how a server is reached. */
export function noteServer(address: Address, authkey: AuthKey | undefined, tls: ClientTls | undefined): void {
  if (authkey === undefined && tls === undefined) return;
  const key = authkey === undefined ? null : Buffer.from(keyOf('manager', authkey)).toString('hex');
  known.set(keyOfAddress(address), { key, tls: tls ?? null });
}

/** Forgets it, when the server has ended. */
export function forgetServer(address: Address): void {
  known.delete(keyOfAddress(address));
}

/** Returns the key of a server in hex, where it is not the process's. */
export function notedKey(address: Address): string | undefined {
  return known.get(keyOfAddress(address))?.key ?? undefined;
}

/**
 * Returns the key by which to connect: the one that came along, the one that was noted, or the
 * process's.
 */
export function keyTo(address: Address, given: string | undefined): Uint8Array {
  if (given !== undefined && notedKey(address) === undefined) noteServer(address, Buffer.from(given, 'hex'), undefined);
  const key = given ?? notedKey(address);
  return key === undefined ? processKey() : Buffer.from(key, 'hex');
}

/** Returns the process's key. */
export function processKey(): Uint8Array {
  return Uint8Array.from(currentProcess().authkey);
}

/** Returns the TLS options for a server that speaks it. */
export function tlsFor(address: Address): ClientTls {
  return known.get(keyOfAddress(address))?.tls ?? true;
}

/** Returns what of TLS options travels: texts, numbers and flags. What is PEM is text. */
function portable(tls: ClientTls | null): ClientTls | null {
  if (tls === null || tls === true) return tls;
  const text = (value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value);
  const parts = Object.entries(tls).map(
    ([name, value]) => [name, Array.isArray(value) ? value.map(text) : text(value)] as const,
  );
  return Object.fromEntries(
    parts.filter(([, value]) => (typeof value !== 'function' && typeof value !== 'object') || Array.isArray(value)),
  ) as ClientTls;
}

registerPreparation('manager servers', {
  module: entry('managers/client/keys'),
  collect: () =>
    known.size === 0 ? undefined : [...known].map(([address, { key, tls }]) => [address, { key, tls: portable(tls) }]),
  apply: (entries: [string, Known][]) => {
    for (const [address, entry] of entries) known.set(address, entry);
  },
});
