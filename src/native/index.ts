/** The TypeScript face of the addon: the only place of the library that loads a .node file. */

// Whether it is there
export { nativeAvailable, nativeError } from './addon.js';
// Bytes through descriptors
export { type Polled, pollDescriptor, pollDescriptors, Ready, readChannel, writeChannel, writeChannelWith } from './channel.js';
// Descriptors
export {
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
  createSharedMemory,
  descriptorSize,
  mapMemory,
  nameSharedMemory,
  openSharedMemory,
  releasePages,
  unlinkSharedMemory,
  unmapMemory,
} from './memory.js';
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
export { awaitProcess, type ProcessWatch, watchProcess } from './watch-process.js';
// Readiness
export { watchReady, whenReady } from './when-ready.js';
