import { crypto } from '../util/crypto.js';

/** A name for a new block, as Python makes it: `psm_` and 8 hexadecimal digits. */
export function randomName(): string {
  return `psm_${crypto().randomBytes(4).toString('hex')}`;
}
