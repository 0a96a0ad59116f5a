/**
 * What Node keeps to itself and a copy of a program must put right: its timers, and its caches of
 * random bytes.
 *
 * There is no other way to them than V8's inspector, which shows what Node's own functions have
 * captured. The objects stay the same for the life of the process, so it is asked once, before the
 * first fork.
 */
import * as crypto from 'node:crypto';
import { mirror } from '../../closures/inspect/inspector.js';
import { UnsupportedError } from '../../errors/index.js';
import { clearImmediate, clearTimeout } from '../../util/timers.js';

/** A member of one of Node's circular or linked lists of timers. */
export interface Linked {
  readonly _idleNext: Linked | null;
}

/** Node's lists: the timers of each duration, and the immediates. */
export interface NodeInternals {
  /** By milliseconds; each is the head of a circle. */
  readonly timers: Readonly<Record<string, Linked>>;
  readonly immediates: { readonly head: Linked | null };
  /** Caches of random bytes for crypto.randomUUID and crypto.randomInt. */
  readonly randomCaches: readonly Uint8Array[];
}

let found: NodeInternals | null = null;

/**
 * Node's internals.
 * @throws UnsupportedError where this Node has them elsewhere; SerializationError
 * `MP_INSPECTOR_UNAVAILABLE`.
 */
export function nodeInternals(): NodeInternals {
  found ??= find();
  return found;
}

function find(): NodeInternals {
  const timers = captured(clearTimeout, 'timerListMap');
  const immediates = captured(clearImmediate, 'immediateQueue') as NodeInternals['immediates'];
  // Each makes its cache with its first draw.
  crypto.randomUUID();
  crypto.randomInt(2);
  const caches = [
    captured(crypto.randomUUID, 'uuidData'),
    captured(crypto.randomUUID, 'uuidNotBuffered', true),
    captured(crypto.randomInt, 'randomCache'),
  ].filter((cache) => cache !== undefined);
  if (
    typeof timers !== 'object' ||
    timers === null ||
    !('head' in Object(immediates)) ||
    !caches.every((one) => one instanceof Uint8Array)
  ) {
    throw missing('timerListMap, immediateQueue, uuidData, randomCache');
  }
  return { timers: timers as NodeInternals['timers'], immediates, randomCaches: caches };
}

function captured(by: Function, name: string, optional = false): unknown {
  for (const { object } of mirror(by, 'fork').scopes) if (Object.hasOwn(object, name)) return object[name];
  if (optional) return undefined;
  throw missing(name);
}

function missing(name: string): UnsupportedError {
  return new UnsupportedError(
    `fork: this Node (${process.version}) does not keep \`${name}\` where it was expected, so a copy of this process could not be told from it; use start method \`forkserver\` or \`spawn\`.`,
  );
}
