/**
 * The calls of the addon where there is none: between threads, over SharedArrayBuffers, Atomics and
 * message ports. What only an operating system can do throws.
 */
import { withoutAddon } from '../addon.js';
import { type Addon, Refusal } from '../calls.js';
import { Errno } from '../errno.js';
import { FIRST_NUMBER } from './agent-table.js';
import { Bell } from './bell.js';
import { ring } from './bell-word.js';
import { ask, ownAgent, tell } from './family.js';
import { Kind, type Thing } from './kernel.js';
import { createBytes, dropBytes, mapBytes, sizeOf } from './memory.js';
import {
  acceptAt,
  connectTo,
  createPair,
  dropName,
  eventsOf,
  listenAt,
  nameOf,
  readEnd,
  readyEvents,
  writeEnd,
} from './pipes.js';
import { acquireThing, createThing, lookAtThing, noteThing, releaseThing } from './things.js';
import { Watcher } from './watcher.js';

/** The family of sockets that have names of this family of threads. */
const AF_UNIX = 1;

export function threadCalls(): Addon {
  const refuse = (what: string, instead: string) => (): never => {
    throw withoutAddon(`${what} cannot be had here`, instead);
  };
  const processes = refuse('Processes', 'Use threads: the start method `thread`, ThreadPool, multiprocess/dummy');
  const named = refuse('Shared memory with a name', 'Send a SharedArray, a BufferWrapper or a share() to the thread');
  const descriptors = refuse(
    'Descriptors',
    'Send a pipe() or a queue to the thread, and use files by the streams of Node',
  );
  /** Returns the number of a thing; those of the system are descriptors. */
  const thing = (number: number): number =>
    Number.isInteger(number) && number >= 0 && number < FIRST_NUMBER ? descriptors() : number;
  const forks = refuse('Forks', 'Use threads: the start method `thread`');
  const waits = refuse('Waits of the kernel', 'Memory of threads waits by Atomics');

  /** The bells that this thread has rung and does not have. */
  const borrowed = new Map<number, Int32Array>();
  const wordsOf = (fd: number): Int32Array | null => {
    const known = borrowed.get(fd);
    if (known !== undefined) return known;
    const thing = lookAtThing(fd);
    if (thing?.kind !== Kind.Bell) return null;
    const words = new Int32Array(thing.memory);
    borrowed.set(fd, words);
    return words;
  };

  return {
    // Memory
    createMemory: (_name, size) => createBytes(size),
    mapMemory: (fd, size, _populate, offset, copyOnWrite) => mapBytes(fd, size, offset, copyOnWrite),
    unmapMemory: () => 0,
    descriptorSize: (fd) => sizeOf(fd),
    releasePages: dropBytes,
    openSharedMemory: named,
    createSharedMemory: named,
    nameSharedMemory: named,
    unlinkSharedMemory: named,

    // Numbers of things
    duplicateDescriptor: (fd) => acquireThing(thing(fd)),
    closeDescriptor: (fd) => {
      borrowed.delete(fd);
      dropName(fd);
      return releaseThing(thing(fd));
    },
    openDescriptorOf: (pid, fd) => (pid === process.pid ? acquireThing(fd) : Errno.ESRCH),
    setCloseOnExec: descriptors,
    moveDescriptor: descriptors,
    sendDescriptors: descriptors,
    receiveDescriptors: descriptors,

    // Bells
    createEventfd: () => createThing(Kind.Bell, 4),
    ringDoorbell: (fd) => {
      const words = wordsOf(fd);
      if (words === null) return Errno.EBADF;
      ring(words, 0);
      return undefined;
    },
    doorbellOpen: (fd, onRing) => {
      const number = acquireThing(thing(fd));
      if (number < 0) return number;
      const { kind, memory } = lookAtThing(number)!;
      if (kind === Kind.Bell) return new Bell(memory, onRing, () => releaseThing(number));
      releaseThing(number);
      return Refusal.badArgument;
    },
    pollHold: (handle, on) => (handle as Bell | Watcher).hold(on),
    pollClose: (handle) => (handle as Bell | Watcher).close(),

    // Streams
    socketPair: createPair,
    createPipe: createPair,
    channelRead: (fd, ...rest) => readEnd(thing(fd), ...rest),
    channelWrite: (fd, ...rest) => writeEnd(thing(fd), ...rest),
    channelWriteWith: (fd, ...rest) => writeEnd(thing(fd), ...rest),
    pollDescriptors: (entries, timeout) => {
      const look = (): number => {
        let ready = 0;
        for (let i = 0; i < entries.length; i += 3) {
          entries[i + 2] = entries[i]! < 0 ? 0 : readyEvents(thing(entries[i]!), entries[i + 1]!);
          if (entries[i + 2] !== 0) ready++;
        }
        return ready;
      };
      const word = timeout > 0 && entries.length === 3 ? eventsOf(entries[0]!) : null;
      if (timeout > 0 && word === null && entries.length !== 3) return Refusal.badArgument;
      const seen = word === null ? 0 : Atomics.load(word.words, word.index);
      const ready = look();
      if (ready > 0 || word === null) return ready;
      Atomics.wait(word.words, word.index, seen, timeout);
      return look();
    },
    watcherOpen: (onReady, results) => new Watcher(onReady, results),
    watcherControl: (watcher, operation, fd, events, token) =>
      (watcher as Watcher).control(operation, thing(fd), events, token),
    // Others are sockets of Node (connection/transport/streams.ts).
    socketListen: (family, host) => (family === AF_UNIX ? listenAt(host) : descriptors()),
    socketConnect: (family, host, _port, made) => (family === AF_UNIX ? connectTo(host, made) : descriptors()),
    socketFinish: () => 0,
    socketAccept: acceptAt,
    peerUser: () => process.getuid?.() ?? 0,
    socketName: (fd, peer) =>
      lookAtThing(thing(fd)) === null ? Errno.EBADF : `${AF_UNIX} 0 ${peer ? '' : nameOf(fd)}`,

    // Offers
    sharerOffer: (fd, duration, released) => {
      if (lookAtThing(thing(fd)) === null) return Errno.EBADF;
      const key = nextKey();
      tell({ type: 'offer', key, number: fd, duration, released });
      return `threads ${key}`;
    },
    sharerRenew: (key, duration) => ask({ type: 'renew', key, duration }) as number,
    sharerHold: (key, on, duration) => {
      tell({ type: 'holdOffer', key, on, duration });
      return 0;
    },
    sharerRelease: (key) => {
      tell({ type: 'releaseOffer', key });
      return 0;
    },
    sharerStop: () => {
      tell({ type: 'withdraw' });
      return 0;
    },
    sharerFetch: (_address, key) => {
      const number = ask({ type: 'fetch', key }) as number;
      if (number === 0) return Errno.ENOENT;
      return noteThing(number, ask({ type: 'acquire', number, hold: false }) as Thing);
    },

    // This thread
    threadId: ownAgent,
    yieldThread: () => {},
    keepPath: (path) => tell({ type: 'path', path, own: true }),
    dropPath: (path) => tell({ type: 'path', path, own: false }),

    // What there is no way to do
    pinThread: refuse('Pinning a thread to a CPU', 'Leave `pin` out'),
    futexWait: waits,
    futexWake: waits,
    waitOpen: waits,
    waitStart: waits,
    waitCancel: waits,
    waitHold: waits,
    setParentDeathSignal: processes,
    openProcess: processes,
    childStatus: processes,
    keepChild: processes,
    dropChild: processes,
    reapProcess: processes,
    signalProcess: processes,
    signalChild: processes,
    sendSignal: processes,
    ignoreSignal: processes,
    bindLifeline: forks,
    forkProcess: forks,
    callFromLoop: forks,
    watchEnd: forks,
    canEndForks: forks,
    leaveProcess: forks,
    noteExitCode: forks,
    touchedPages: forks,
    populatePages: forks,
    trimMemory: forks,
  };
}

let offered = 0;

/** Returns a key that no other offer of this family has. */
function nextKey(): string {
  return `${ownAgent()}.${++offered}`;
}
