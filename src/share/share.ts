import { atCaller, inCall } from '../codec/caller.js';
import { borrowEncoder, returnEncoder, withoutSockets } from '../reduction/index.js';
import { Shared } from './shared.js';
import { SharedCopy } from './shared-copy.js';

/**
 * Puts a value into shared memory once, for any number of calls, workers and processes.
 *
 * A table that a function captures is encoded and decoded for each call. Shared, it is encoded once
 * and decoded at most once in each process; large typed arrays in it are not copied at all. What
 * each call sends is a handle.
 *
 * @param value What can be an argument: data, instances, functions and classes. Shareable objects in
 * it (locks, values, queues, other Shared) stay what they are. It is read now: what changes in it
 * afterwards reaches nobody.
 * @returns What to pass on; `.value` gives a copy of the value. Hold it for as long as calls use it,
 * so that workers keep what they have decoded.
 * @throws SerializationError as `dumps`: with `path` and a code, for what is bound to this process;
 * MultiprocessError `MP_SYSTEM` without memory or descriptors.
 * @example
 * import { Pool, share } from 'multiprocess';
 *
 * const rows = Array.from({ length: 100_000 }, (_, id) => ({ id, name: `row ${id}` }));
 * using table = share({ rows, weights: new Float64Array(1_000_000).fill(0.5) });
 * await using pool = new Pool({ processes: 2 });
 * const names = await pool.map((id: number) => table.value.rows[id]!.name, [7, 99_999]);
 * console.log(names); // [ 'row 7', 'row 99999' ]
 */
export function share<T>(value: T): Shared<T> {
  const encoder = borrowEncoder();
  const parts: object[] = [];
  try {
    // A socket goes to one receiver, once.
    const message = withoutSockets(() => encoder.encode(value, parts));
    return Shared.over(SharedCopy.make(message, parts));
  } catch (error) {
    throw inCall(atCaller(error, share), 'share', (path) => path);
  } finally {
    returnEncoder(encoder);
  }
}
