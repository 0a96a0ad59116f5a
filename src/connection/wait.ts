import { Readable } from 'node:stream';
import { ArgumentError } from '../errors/index.js';
import { type Polled, pollDescriptors, Ready, watchReady } from '../native/index.js';
import { deferred } from '../util/deferred.js';
import { limitWait } from '../util/limit-wait.js';
import { describe } from '../util/options.js';
import { boundsOf, type WaitOptions } from '../util/wait-options.js';
import { readyBy, WAITABLE, type WaitableObject } from '../util/waitable.js';
import { Connection } from './connection.js';
import { Listener } from './listener.js';

/**
 * What {@link wait} waits for:
 * a descriptor; an object that has one by `fileno()` (Connection, Listener); an object with a
 * `sentinel` (Process); a Readable stream of Node, such as a net.Socket; any object with a method
 * {@link WAITABLE}, such as a queue, a topic, an Event, an AsyncResult.
 */
export type Waitable =
  | number
  | {
      /** Returns the descriptor to wait for. */
      fileno(): number;
    }
  | {
      /** What to wait for in its stead. */
      readonly sentinel: Waitable;
    }
  | Readable
  | WaitableObject;

/**
 * Waits until at least one of the objects is ready, and resolves with all that are, in the order
 * given.
 *
 * Ready means: a connection has something to receive, or its peer closed it; a listener has a
 * client; a process has ended; a stream has data or is at its end; a descriptor is readable; `get`
 * of a queue would not wait (it has an item, failed, or all its writers have completed); a topic gave an item since the wait began, what it replays
 * included (a StateTopic is ready at once), or has ended; an Event is set; an AsyncResult has
 * settled. Nothing is consumed: another consumer may take an item first.
 *
 * @param options `timeout` in ms, where 0 or less only looks; with no object given the whole
 * timeout passes.
 * @returns an empty array when the time was over first.
 * @throws (as rejection) ArgumentError for what cannot be waited for; ClosedError for a closed
 * connection; `signal.reason`.
 *
 * Python: `multiprocessing.connection.wait`.
 *
 * @example
 * import { pipe, wait } from 'multiprocess/connection';
 *
 * const [ours, theirs] = pipe<string>();
 * await theirs.send('hello');
 * for (const end of await wait([ours], { timeout: 1000 })) console.log(await end.recv()); // hello
 */
export async function wait<W extends Waitable>(objects: Iterable<W>, options?: WaitOptions): Promise<W[]> {
  const { timeout = Number.POSITIVE_INFINITY, signal } = boundsOf('wait', options) ?? {};
  signal?.throwIfAborted();
  if (typeof (objects as Iterable<W> | null | undefined)?.[Symbol.iterator] !== 'function')
    throw new ArgumentError(`wait: \`objects\` must be an array or another iterable, not ${describe(objects)}.`);
  const all = [...objects];
  const targets = all.map((object) => targetOf(object));
  const ends: (() => void)[] = [];
  try {
    const descriptors = targets.map(
      (target): Polled => ({ fd: typeof target === 'number' ? target : -1, events: Ready.readable, happened: 0 }),
    );
    const settled = new Set<number>();
    const ready = () => {
      if (descriptors.length > 0) pollDescriptors(descriptors, 0);
      return all.filter((_, i) => settled.has(i) || descriptors[i]!.happened !== 0);
    };
    const first = deferred<void>();
    for (const [i, target] of targets.entries()) {
      if (typeof target === 'number') continue;
      const hear = () => {
        settled.add(i);
        first.resolve();
      };
      // What cannot be waited for (a queue that is closed) throws here.
      const end = target[WAITABLE](hear);
      if (end === true) hear();
      else ends.push(end);
    }
    const now = ready();
    if (now.length > 0 || timeout <= 0) return now;
    await new Promise<void>((resolve, reject) => {
      void first.promise.then(resolve);
      for (const { fd, events } of descriptors) if (fd >= 0) ends.push(watchReady(fd, events, resolve));
      ends.push(limitWait({ timeout, signal }, resolve, reject));
    });
    return ready();
  } finally {
    for (const end of ends) end();
  }
}

function targetOf(object: Waitable): number | WaitableObject {
  if (typeof object === 'number') {
    if (Number.isInteger(object) && object >= 0) return object;
    throw new ArgumentError(`wait: a descriptor must be an integer of at least 0, not ${describe(object)}.`);
  }
  if (object instanceof Connection) return ofConnection(object);
  if (object instanceof Listener) return Listener.target(object);
  if (typeof object === 'object' && object !== null) {
    if (WAITABLE in object && typeof object[WAITABLE] === 'function') return object;
    if ('fileno' in object && typeof object.fileno === 'function') return object.fileno();
    if (object instanceof Readable) return ofStream(object);
    if ('sentinel' in object) return targetOf(object.sentinel);
  }
  throw new ArgumentError(
    `wait: ${describe(object)} cannot be waited for; pass connections, listeners, processes, queues, topics, events, results, readable streams or descriptors.`,
  );
}

/** It may have seen messages already that are still to be handed out. */
function ofConnection(connection: Connection): number | WaitableObject {
  return Connection.ready(connection) ? READY : (Connection.descriptor(connection) ?? ofCarrier(connection));
}

/** Over a stream of Node: what is ready are bytes that it has read. */
function ofCarrier(connection: Connection): WaitableObject {
  return {
    [WAITABLE]: (onReady) =>
      readyBy((signal) => connection.poll({ timeout: Number.POSITIVE_INFINITY, signal }), onReady),
  };
}

const READY: WaitableObject = { [WAITABLE]: () => true };

function ofStream(stream: Readable): WaitableObject {
  return {
    [WAITABLE](onReady) {
      if (stream.readableLength > 0 || stream.destroyed || ended(stream)) return true;
      const events = ['readable', 'end', 'error', 'close'] as const;
      const fresh = () => {
        if (stream.readableLength > 0 || stream.destroyed || ended(stream)) onReady();
      };
      for (const event of events) stream.on(event, fresh);
      return () => {
        for (const event of events) stream.off(event, fresh);
      };
    },
  };
}

/** The end has come, and only a read() will tell. */
function ended(stream: Readable): boolean {
  return (stream as unknown as { _readableState: { ended: boolean } })._readableState.ended;
}
