/** What the rest of this folder calls: the addon (C++), or what stands for it between threads. */
import type { PathKeeper } from '../util/owned-paths.js';

/**
 * What the addon exports. Numbers below zero are refusals: a negated errno, or a {@link Refusal}.
 */
export interface Addon extends PathKeeper {
  createMemory(name: string, size: number): number;
  openSharedMemory(path: string, create: boolean, exclusive: boolean, size: number, mode: number): number;
  createSharedMemory(directory: string, size: number, mode: number): number;
  nameSharedMemory(fd: number, path: string): number;
  unlinkSharedMemory(path: string): number;
  descriptorSize(fd: number): number;
  releasePages(fd: number, offset: number, length: number): number;
  mapMemory(
    fd: number,
    size: number,
    populate: boolean,
    offset: number,
    copyOnWrite: boolean,
  ): ArrayBufferLike | number;
  unmapMemory(buffer: ArrayBufferLike): number;
  futexWait(words: Int32Array, index: number, expected: number, timeout: number): number;
  futexWake(words: Int32Array, index: number, count: number): number;
  waitOpen(onSettled: (count: number) => void, results: Int32Array): number;
  waitStart(id: number, words: Int32Array, index: number, expected: number, timeout: number): number;
  waitCancel(id: number): void;
  waitHold(on: boolean): void;
  createEventfd(): number;
  ringDoorbell(fd: number): number | undefined;
  pollHold(handle: object, on: boolean): void;
  pollClose(handle: object): void;
  doorbellOpen(fd: number, onRing: () => void): object | number;
  duplicateDescriptor(fd: number, closeOnExec: boolean): number;
  closeDescriptor(fd: number): number;
  setCloseOnExec(fd: number, on: boolean): number;
  socketPair(ends: Int32Array): number;
  createPipe(ends: Int32Array): number;
  sendDescriptors(socket: number, fds: Int32Array, payload: Uint8Array): number;
  receiveDescriptors(socket: number, fds: Int32Array, payload: Uint8Array, got: Int32Array): number;
  openDescriptorOf(pid: number, fd: number): number;
  setParentDeathSignal(signal: number, expectedParent: number): number;
  openProcess(pid: number): number;
  pinThread(tid: number, cpu: number): number;
  childStatus(pid: number): number;
  keepChild(pid: number, ends: boolean): void;
  dropChild(pid: number): void;
  forkProcess(timeout: number, exitCode: () => number, running: boolean): number;
  callFromLoop(callback: () => void): void;
  watchEnd(onEnd: (last: boolean) => void): number;
  canEndForks(): boolean;
  leaveProcess(code: number): void;
  noteExitCode(code: number): void;
  touchedPages(): Float64Array;
  populatePages(runs: Float64Array): number;
  trimMemory(): void;
  bindLifeline(fd: number): number;
  reapProcess(pid: number): number;
  signalProcess(pidfd: number, signal: number): number;
  signalChild(pid: number, signal: number): number;
  sendSignal(pid: number, signal: number): number;
  ignoreSignal(signal: number): number;
  pollDescriptors(entries: Int32Array, timeout: number): number;
  moveDescriptor(from: number, to: number): number;
  threadId(): number;
  yieldThread(): void;
  watcherOpen(onReady: (count: number) => void, results: Int32Array): object | number;
  watcherControl(watcher: object, operation: number, fd: number, events: number, token: number): number;
  channelRead(fd: number, bytes: Uint8Array, start: number, end: number, peek: boolean, known: number): number;
  channelWrite(fd: number, bytes: Uint8Array, start: number, end: number): number;
  channelWriteWith(fd: number, bytes: Uint8Array, start: number, end: number, descriptor: number): number;
  socketListen(family: number, host: string, port: number, backlog: number): number;
  socketConnect(family: number, host: string, port: number, made: Int32Array): number;
  socketFinish(fd: number): number;
  socketAccept(fd: number): number;
  peerUser(fd: number): number;
  socketName(fd: number, peer: boolean): string | number;
  sharerOffer(fd: number, duration: number, released: boolean): string | number;
  sharerRenew(key: string, duration: number): number;
  sharerHold(key: string, on: boolean, duration: number): number;
  sharerRelease(key: string): number;
  sharerStop(): number;
  sharerFetch(address: string, key: string, timeout: number): number;
}

/** Refusals that are no errno; the same numbers as in native/status.h. */
export const Refusal = {
  badArgument: -5000,
  notInt32Array: -5001,
  outOfBounds: -5002,
  notShared: -5003,
  notMapped: -5004,
  beyondEnd: -5005,
  noExternalBuffers: -5006,
  tooLarge: -5007,
  truncated: -5008,
  notDetachable: -5009,
  threadsBusy: -5010,
  noExitHook: -5011,
  threadsAlive: -5012,
  unknownLoop: -5013,
} as const;
