/** Addresses of servers. */
import { randomBytes } from 'node:crypto';
import type { Address } from '../connection/index.js';
import { abstractAddress } from '../platform/sockets-linux.js';

export type { Address } from '../connection/index.js';

/**
 * Returns an address of its own for a server: an abstract unix socket, which vanishes with the
 * server however that ends. Anybody on this host may knock there; only who knows the key gets in.
 */
export function freshAddress(): string {
  return abstractAddress(`multiprocess-manager-${randomBytes(9).toString('hex')}`);
}

/** Returns an address in a message. */
export function showAddressOf(address: Address): string {
  return typeof address === 'string' ? JSON.stringify(address.replace(/^\0/, '@')) : `${address.host}:${address.port}`;
}

/** Returns what an address is known by. */
export function keyOfAddress(address: Address): string {
  return typeof address === 'string' ? address : `${address.host}:${address.port}`;
}
