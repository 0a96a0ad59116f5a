/** The fields of messages, as they are read: each is checked, since another version may have written it. */
import { RemoteError } from '../../errors/index.js';
import { type Serializer, serializerOf } from '../../reduction/index.js';

/** What all messages are written with. */
export const plain: Serializer = serializerOf('multiprocess/distributed', 'msgpackr');

export function list(value: unknown, length: number): readonly unknown[] {
  return Array.isArray(value) && value.length >= length ? value : bad('a message that is too short');
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : bad('a number where text should be');
}

export function whole(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
    ? value
    : bad('no number where one should be');
}

export function binary(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : bad('no bytes where some should be');
}

export function bad(what: string): never {
  throw new RemoteError(
    `multiprocess/distributed: a message came that has ${what}; use the same version of the package for drivers and agents.`,
    {
      code: 'MP_BAD_FRAME',
    },
  );
}
