import { socketPair } from '../native/index.js';
import { checkBoolean, checkOptions } from '../util/options.js';
import { Connection } from './connection.js';

/** How {@link pipe} connects. */
export interface PipeOptions {
  /**
   * Whether both ends send and receive. Default `true`; otherwise the first end receives and the
   * second sends.
   */
  readonly duplex?: boolean | undefined;
}

/**
 * Two connected ends. The first receives `T` and sends `U`; the second does the reverse. Send one
 * to another process or thread, and close your copy of it: an end is closed when all who have it
 * closed it.
 *
 * Python: `multiprocessing.Pipe(duplex)`.
 *
 * @throws ArgumentError `MP_INVALID_ARGUMENT`, `MP_UNKNOWN_OPTION`; MultiprocessError `MP_SYSTEM`
 * without free descriptors.
 * @example
 * import { pipe } from 'multiprocess';
 *
 * const [ours, theirs] = pipe<string>();
 * await ours.send('hello');
 * console.log(await theirs.recv()); // hello
 */
export function pipe<T = unknown, U = T>(options?: PipeOptions): [Connection<T, U>, Connection<U, T>] {
  checkOptions('pipe', options, ['duplex'], { boolean: 'duplex' });
  const duplex = checkBoolean('pipe', 'duplex', options?.duplex) ?? true;
  const [one, other] = socketPair();
  if (duplex) return [new Connection<T, U>(one), new Connection<U, T>(other)];
  return [new Connection<T, U>(one, { writable: false }), new Connection<U, T>(other, { readable: false })];
}
