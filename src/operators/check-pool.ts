import { ArgumentError } from '../errors/index.js';
import type { Pool } from '../pool/index.js';
import { describe } from '../util/options.js';

/**
 * Refuses what is no pool, by what it can do: a pool may come from another copy of this package.
 * @throws ArgumentError `MP_INVALID_ARGUMENT`.
 */
export function checkPool(actor: string, pool: unknown): void {
  const { apply, imap, imapUnordered } = (pool ?? {}) as Partial<Pool>;
  // Any function has an `apply`, a class of pools too.
  if (typeof pool === 'object' && [apply, imap, imapUnordered].every((method) => typeof method === 'function')) return;
  throw new ArgumentError(`${actor}: \`pool\` must be a Pool, not ${describe(pool)}.`);
}
