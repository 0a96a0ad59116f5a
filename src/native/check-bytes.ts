import { ArgumentError } from '../errors/usage.js';
import { checkNumber } from '../util/options.js';

/** @throws ArgumentError for what is no number of bytes, at least 1. */
export function checkBytes(actor: string, size: number): void {
  checkNumber(actor, 'size', size, { integer: true, min: 1 });
  if (size === undefined) throw new ArgumentError(`${actor}: \`size\` is missing; give the number of bytes.`);
}
