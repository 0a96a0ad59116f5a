/**
 * What the kernel says of processes, threads and descriptors: the files of /proc. Where there is no
 * /proc, what is asked is not known.
 */
import { existsSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process by its number, or this one. */
type Process = number | 'self';

/** Returns the text of a file of /proc; `null` where there is none: it, or whose it is, is gone. */
function read(path: string): string | null {
  try {
    return readFileSync(`/proc/${path}`, 'latin1');
  } catch {
    return null;
  }
}

/** Returns a field of `status` of a process: what stands behind its name; `null` when not known. */
export function statusField(process: Process | `self/task/${string}`, name: string): string | null {
  const status = read(`${process}/status`);
  const line = status?.split('\n').find((each) => each.startsWith(`${name}:`));
  return line === undefined ? null : line.slice(name.length + 1).trim();
}

/** Returns the most descriptors that this process may have; Infinity when not known. */
export function openFileLimit(): number {
  return Number(/^Max open files +(\d+)/m.exec(read('self/limits') ?? '')?.[1] ?? Number.POSITIVE_INFINITY);
}

/**
 * Opens once more what a process has open under a descriptor, by `flags` of fs.open.
 * @throws the error of fs: the process or its descriptor is gone, or may not be opened.
 */
export function reopenDescriptor(process: number, fd: number, flags: 'r+' | 'w'): number {
  return openSync(`/proc/${process}/fd/${fd}`, flags);
}

/** Returns the descriptors of this process, with that of the listing; `null` when not known. */
export function ownDescriptors(): number[] | null {
  try {
    return readdirSync('/proc/self/fd').map(Number);
  } catch {
    return null;
  }
}

/**
 * Returns what a descriptor of this process stands for: a path, `socket:[…]`, `anon_inode:…`.
 * @throws the error of fs when it is not open.
 */
export function descriptorTarget(fd: number): string {
  return readlinkSync(`/proc/self/fd/${fd}`);
}

/** Returns a path that leads to the working folder of a process, be that removed. */
export function workingFolderOf(process: number): string {
  return `/proc/${process}/cwd`;
}

/** Returns the kernel's ids of the threads of this process; none when not known. */
export function ownThreads(): string[] {
  try {
    return readdirSync('/proc/self/task');
  } catch {
    return [];
  }
}

/** Returns whether a thread of this process has this id. */
export function isOwnThread(id: number): boolean {
  return existsSync(`/proc/self/task/${id}`);
}

/** Returns the name of a thread of this process; `null` when it has ended. */
export function threadName(id: string): string | null {
  return read(`self/task/${id}/comm`);
}

/** Returns how often a thread of this process has gone to sleep; `null` when it has ended. */
export function sleepsOf(thread: string): number | null {
  const count = statusField(`self/task/${thread}`, 'voluntary_ctxt_switches');
  return count === null ? null : Number(count);
}

/** Returns whether a thread of this process waits; `false` for one that runs, is to run or has ended. */
export function isThreadAsleep(thread: string): boolean {
  return statusField(`self/task/${thread}`, 'State')?.startsWith('S') === true;
}

/** Returns bytes of memory that a process has resident; `null` when not known. */
export function residentSetOf(process: number): number | null {
  const kibibytes = /^(\d+) kB$/.exec(statusField(process, 'VmRSS') ?? '')?.[1];
  return kibibytes === undefined ? null : 1024 * Number(kibibytes);
}

/** Returns the paths of the unix sockets of this host as they were bound; `null` when not known. */
export function unixSockets(): string[] | null {
  // Each line ends with the path, where there is one.
  const lines = read('net/unix')?.split('\n');
  return lines?.map((line) => Buffer.from(line.slice(line.lastIndexOf(' ') + 1), 'latin1').toString()) ?? null;
}
