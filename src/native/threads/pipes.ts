/** Streams between threads, as the calls of the addon have them: numbers in, counts and errnos out. */
import { Errno } from '../errno.js';
import { agentHasEnded, ask, newNumber, ownAgent, tell } from './family.js';
import { Kind, type Thing } from './kernel.js';
import { isAwaited, LISTENER_BYTES } from './listener-words.js';
import { type LockAgents, PIPE_BYTES, PipeEnd } from './pipe-words.js';
import { createThing, keepThing, lookAtThing, noteThing, releaseThing } from './things.js';

/** Events, by the numbers of poll(2). */
const READABLE = 1;
const WRITABLE = 4;
const HANGUP = 16;
const INVALID = 32;

/** The ends that this thread uses; they go with their things. */
const ends = new WeakMap<SharedArrayBuffer, (PipeEnd | undefined)[]>();

function endOf({ memory, side }: Thing): PipeEnd {
  const pair = ends.get(memory) ?? [];
  const end = pair[side] ?? new PipeEnd(memory, side);
  if (pair[side] === undefined) {
    pair[side] = end;
    ends.set(memory, pair);
  }
  return end;
}

const agents: LockAgents = {
  get own() {
    return ownAgent();
  },
  hasEnded: agentHasEnded,
};

/** Makes two ends. */
export function createPair(numbers: Int32Array): number {
  const first = createThing(Kind.Pipe, PIPE_BYTES, { side: 0 });
  const { memory } = lookAtThing(first)!;
  const second = newNumber();
  keepThing(second, { kind: Kind.Pipe, memory, side: 1 }, first);
  tell({ type: 'pair', number: first, peer: second });
  numbers[0] = first;
  numbers[1] = second;
  return 0;
}

/** As the addon's `channelRead`. */
export function readEnd(
  number: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  peek: boolean,
  known: number,
): number {
  const thing = lookAtThing(number);
  if (thing === null) return Errno.EBADF;
  if (thing.kind !== Kind.Pipe) return Errno.EINVAL;
  const taken = (position: number) => tell({ type: 'taken', number, position });
  const got = endOf(thing).read(agents, bytes.subarray(start, end), peek, known, taken);
  return got < 0 ? Errno.EAGAIN : got;
}

/** As the addon's `channelWrite`; `load` is a descriptor that travels with the first byte. */
export function writeEnd(number: number, bytes: Uint8Array, start: number, end: number, load?: number): number {
  const thing = lookAtThing(number);
  if (thing === null) return Errno.EBADF;
  if (thing.kind !== Kind.Pipe) return Errno.EINVAL;
  const onLoad = load === undefined ? undefined : (position: number) => tell({ type: 'load', number, position, load });
  const sent = endOf(thing).write(agents, bytes.subarray(start, end), onLoad);
  return sent === -1 ? Errno.EAGAIN : sent === -2 ? Errno.EPIPE : sent;
}

/** The word on which who waits for a thing sleeps; `null` for one that nobody waits for. */
export function eventsOf(number: number): { readonly words: Int32Array; readonly index: number } | null {
  const thing = lookAtThing(number);
  if (thing === null) return null;
  return thing.kind === Kind.Pipe ? endOf(thing).events : { words: new Int32Array(thing.memory), index: 0 };
}

/** Which of the events asked for there are now, and those that are always told. */
export function readyEvents(number: number, asked: number): number {
  const thing = lookAtThing(number);
  if (thing === null) return INVALID;
  if (thing.kind === Kind.Listener) return asked & (isAwaited(thing.memory) ? READABLE : 0);
  if (thing.kind !== Kind.Pipe) return 0;
  const end = endOf(thing);
  const closed = end.peerClosed;
  return (
    (asked & READABLE && (closed || end.waiting > 0) ? READABLE : 0) |
    (asked & WRITABLE && (closed || end.hasRoom) ? WRITABLE : 0) |
    (closed ? HANGUP : 0)
  );
}

// ---- listeners

/** The names of the listeners that this thread made. */
const names = new Map<number, string>();

/** Returns the name of a listener; `''` for an end of a stream, which has none. */
export function nameOf(number: number): string {
  return names.get(number) ?? '';
}

/** The listener is closed. */
export function dropName(number: number): void {
  names.delete(number);
}

/** As the addon's `socketListen`, at a name that threads of this family know. */
export function listenAt(name: string): number {
  const number = newNumber();
  const memory = new SharedArrayBuffer(LISTENER_BYTES);
  const failure = ask({ type: 'listen', number, name, memory }) as number;
  if (failure < 0) return failure;
  names.set(number, name);
  return noteThing(number, { kind: Kind.Listener, memory, side: 0 });
}

/** As the addon's `socketConnect`. */
export function connectTo(name: string, made: Int32Array): number {
  const pair = new Int32Array(2);
  createPair(pair);
  const result = ask({ type: 'connect', name, number: pair[1]! }) as number;
  releaseThing(pair[1]!);
  if (result < 0) {
    releaseThing(pair[0]!);
    return result;
  }
  made[0] = pair[0]!;
  return 0;
}

/** As the addon's `socketAccept`. */
export function acceptAt(number: number): number {
  const listener = lookAtThing(number);
  if (listener === null) return Errno.EBADF;
  if (!isAwaited(listener.memory)) return Errno.EAGAIN;
  const end = ask({ type: 'accept', number }) as number;
  return end === 0 ? Errno.EAGAIN : noteThing(end, ask({ type: 'acquire', number: end, hold: false }) as Thing);
}
