/**
 * The key by which the processes of one program know each other: 32 random bytes, made by the first
 * and inherited by all others.
 */
import { ArgumentError } from '../errors/usage.js';
import { fillRandom } from '../platform/random-linux.js';
import { crypto } from '../util/crypto.js';
import { describe } from '../util/options.js';
import { AuthenticationKey } from './authentication-key.js';
import { identity } from './identity.js';

const KEY_BYTES = 32;

/**
 * Returns a new random key: of the kernel, where that can be asked without loading node:crypto,
 * which every start of a child would wait for.
 */
function randomKey(): AuthenticationKey {
  const key = new AuthenticationKey(KEY_BYTES);
  return fillRandom(key) ? key : crypto().randomFillSync(key);
}

/**
 * Returns a key made of the caller's bytes or text. @throws ArgumentError `MP_INVALID_ARGUMENT`.
 */
export function toKey(actor: string, value: unknown): AuthenticationKey {
  if (value instanceof AuthenticationKey) return value;
  if (typeof value === 'string') return new AuthenticationKey(Buffer.from(value));
  if (value instanceof Uint8Array) return new AuthenticationKey(value);
  throw new ArgumentError(`${actor}: \`authkey\` must be bytes (a Uint8Array) or a string, not ${describe(value)}.`);
}

/** This process's key: made here, if nobody gave it one. */
export function ownKey(): Uint8Array {
  const own = identity();
  own.authkey ??= randomKey();
  return own.authkey;
}
