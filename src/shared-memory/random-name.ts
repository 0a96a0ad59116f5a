import { randomBytes } from 'node:crypto';

/** A name for a new block, as Python makes it: `psm_` and 8 hexadecimal digits. */
export function randomName(): string {
  return `psm_${randomBytes(4).toString('hex')}`;
}
