/** Addresses of unix sockets. */

/** Longest path of a unix socket, bytes. */
export const MAX_PATH_BYTES = 107;

/** A folder for sockets whose path leaves most of that for their names. */
export const SHORT_TEMP_FOLDER = '/tmp';

/** Returns an address that is no file, and vanishes with whoever listens there. */
export function abstractAddress(name: string): string {
  return `\0${name}`;
}
