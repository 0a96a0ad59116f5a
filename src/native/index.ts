/** The TypeScript face of the addon: the only place of the library that loads a .node file. */

// Whether it is there
export { nativeAvailable, nativeError, withoutAddon } from './addon.js';
// Bytes through descriptors
export {
  type Polled,
  pollDescriptor,
  pollDescriptors,
  Ready,
  readChannel,
  writeChannel,
  writeChannelWith,
} from './channel.js';
// Descriptors
export {
  checkUsable,
  closeDescriptor,
  createPipe,
  duplicateDescriptor,
  moveDescriptor,
  openDescriptorOf,
  type ReceivedDescriptors,
  receiveDescriptors,
  sendDescriptors,
  setCloseOnExec,
  socketPair,
} from './descriptors.js';
// Waking an event loop
export { createEventfd, Doorbell, ringDoorbell } from './doorbell.js';
// Error numbers
export { Errno, errnoOf } from './errno.js';
// The children of a thread
export { keepChild } from './estate.js';
// Forking
export {
  bindLifeline,
  callFromLoop,
  canEndForks,
  type ForkRefusal,
  forkProcess,
  ignoreSignal,
  leaveProcess,
  noteExitCode,
  populatePages,
  sendSignal,
  signalProcess,
  touchedPages,
  trimMemory,
  watchEnd,
} from './fork.js';
// Waiting on a word
export { futexWait, futexWake } from './futex.js';
export { type AsyncWaitOutcome, futexWaitAsync } from './futex-async.js';
// Memory
export {
  createMemory,
  descriptorSize,
  growMemory,
  mapMemory,
  memoryIdentity,
  releasePages,
  unmapMemory,
} from './memory.js';
// Memory with names
export {
  createSharedMemory,
  nameSharedMemory,
  openSharedMemory,
  unlinkSharedMemory,
} from './named-memory.js';
// Processes and threads
export {
  childStatus,
  openProcess,
  pinToCpu,
  processStartTime,
  processState,
  reapProcess,
  setParentDeathSignal,
  signalChild,
  threadId,
  yieldThread,
} from './process.js';
export { forgetReadiness, Readiness } from './readiness.js';
// Descriptors for other processes
export { fetchDescriptor, offerDescriptor, releaseOffer, renewOffer, withdrawOffers } from './sharer.js';
// Sockets
export {
  acceptSocket,
  connectSocket,
  Family,
  finishSocket,
  listenSocket,
  peerUser,
  type SocketName,
  socketName,
} from './sockets.js';
// Refusals of the kernel
export { errorName, systemError } from './system-error.js';
// Threads without it
export { agentHasEnded, endMember, ownAgent, prepareMember } from './threads/family.js';
export type { Membership } from './threads/membership.js';
export { countThings } from './threads/things.js';
export { awaitProcess, type ProcessWatch, watchProcess } from './watch-process.js';
// Readiness
export { watchReady, whenReady } from './when-ready.js';
