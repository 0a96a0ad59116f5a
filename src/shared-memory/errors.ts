/** Every message of this folder: who, what, and how to mend it. */
import { ArgumentError, MultiprocessError } from '../errors/index.js';
import { describe } from '../util/options.js';

/** `MP_BLOCK_SIZE` */
export function badSize(size: unknown): ArgumentError {
  return new ArgumentError(
    `SharedMemory.create: \`size\` must be a whole number of bytes above 0, not ${describe(size)}.`,
    {
      code: 'MP_BLOCK_SIZE',
    },
  );
}

/** `MP_BLOCK_NAME` */
export function badName(actor: string, name: unknown): ArgumentError {
  const what =
    name === undefined
      ? 'the name is missing; pass the `name` of the block'
      : `a name has 1 to 254 bytes, no NUL and no slash inside, which ${describe(name)} is not`;
  return new ArgumentError(`${actor}: ${what}.`, { code: 'MP_BLOCK_NAME' });
}

/** `MP_BLOCK_EXISTS` */
export function exists(actor: string, name: string, cause: unknown): MultiprocessError {
  return new MultiprocessError(
    `${actor}: there is a block "${name}" already; attach to it, choose another name, or unlink it first.`,
    {
      code: 'MP_BLOCK_EXISTS',
      cause,
    },
  );
}

/** `MP_BLOCK_NOT_FOUND` */
export function notFound(actor: string, name: string, cause?: unknown): MultiprocessError {
  return new MultiprocessError(`${actor}: there is no block "${name}"; it was never created, or was unlinked.`, {
    code: 'MP_BLOCK_NOT_FOUND',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** `MP_BLOCK_UNLINKED` */
export function unlinkedBefore(name: string): MultiprocessError {
  return new MultiprocessError(`SharedMemory "${name}": unlink was called before; unlink each block once.`, {
    code: 'MP_BLOCK_UNLINKED',
  });
}

/** `MP_NO_LIST` */
export function noList(name: string, reason: string): MultiprocessError {
  return new MultiprocessError(`ShareableList.attach: block "${name}" holds no list (${reason}).`, {
    code: 'MP_NO_LIST',
  });
}
