/** Every message of the shared containers: who, what happened, how to mend it. */
import { ArgumentError, ClosedError } from '../../errors/index.js';
import { describe } from '../../util/options.js';

/** `MP_KEY` */
export function noKey(actor: string, key: unknown): ArgumentError {
  return new ArgumentError(
    `${actor}: there is no ${describe(key)}; ask with has() first, or give a default where the method takes one.`,
    {
      code: 'MP_KEY',
    },
  );
}

/** `MP_KEY_TYPE` */
export function badKey(actor: string, key: unknown): ArgumentError {
  return new ArgumentError(
    `${actor}: ${describe(key)} cannot be found again: objects are looked up by identity, and what a client sends is a copy. Use a string, a number or another primitive.`,
    { code: 'MP_KEY_TYPE' },
  );
}

/** `MP_EMPTY` */
export function isEmpty(actor: string, noun: string): ArgumentError {
  return new ArgumentError(`${actor}: the ${noun} is empty; look at its size first.`, { code: 'MP_EMPTY' });
}

/** `MP_LIST_INDEX` */
export function outOfRange(actor: string, index: unknown, length: number): ArgumentError {
  return new ArgumentError(
    `${actor}: index ${describe(index)} is out of range; the length is ${length}, and negative indices count from the end.`,
    { code: 'MP_LIST_INDEX' },
  );
}

/** `MP_LIST_VALUE` */
export function notInList(actor: string, value: unknown): ArgumentError {
  return new ArgumentError(`${actor}: ${describe(value)} is not in the list; ask with includes() first.`, {
    code: 'MP_LIST_VALUE',
  });
}

/** `MP_TYPE` */
export function notIterable(actor: string, value: unknown): ArgumentError {
  return new ArgumentError(
    `${actor}: ${describe(value)} is not iterable; give an array, a Set, another iterable, or a shared object of this manager.`,
    {
      code: 'MP_TYPE',
    },
  );
}

/** `MP_CHANGED` */
export function changedDuring(actor: string): ArgumentError {
  return new ArgumentError(`${actor}: it was changed during the iteration; iterate over a copy(), or over keys().`, {
    code: 'MP_CHANGED',
  });
}

/** `MP_QUEUE_SHUT_DOWN` */
export function shutDown(actor: string): ClosedError {
  return new ClosedError(
    `${actor}: the queue was shut down; nothing is put any more, and what was in it has been taken.`,
    {
      code: 'MP_QUEUE_SHUT_DOWN',
    },
  );
}
