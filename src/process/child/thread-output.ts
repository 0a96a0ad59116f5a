/**
 * What a thread prints. Node hands it to the parent's event loop, in messages: what is under way
 * when the thread is terminated, at the end of the program, or while the parent is busy, is lost or
 * late. A thread of ours writes to the descriptors of its process itself, as a child process does:
 * what `console.log` has returned from is written.
 */
import { writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { nativeAvailable } from '../../native/addon.js';
import { pollDescriptor, Ready } from '../../native/channel.js';

/** Milliseconds between two attempts to write to a pipe that is full, without the addon. */
const FULL_PIPE_MS = 1;
const nothing = new Int32Array(new SharedArrayBuffer(4));

type Done = (error?: Error | null) => void;

/** Has what this thread prints written at once. Call it in a thread that the library started. */
export function printAtOnce(): void {
  bind(process.stdout, 1);
  bind(process.stderr, 2);
}

function bind(stream: Writable, fd: number): void {
  const write = (chunk: Uint8Array | string, encoding: BufferEncoding, done: Done): void => {
    writeAll(fd, typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
    done();
  };
  Object.assign(stream, {
    _write: write,
    _writev: (
      chunks: readonly { readonly chunk: Uint8Array | string; readonly encoding: BufferEncoding }[],
      done: Done,
    ): void => {
      for (const { chunk, encoding } of chunks) write(chunk, encoding, () => {});
      done();
    },
  });
}

/** Where nobody reads any more it is lost, as in a process that ignores SIGPIPE. */
function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      // The main thread has made the pipe non-blocking, and it is full.
      if (nativeAvailable()) pollDescriptor(fd, Ready.writable, Number.POSITIVE_INFINITY);
      // Nobody tells when it has room again.
      else Atomics.wait(nothing, 0, 0, FULL_PIPE_MS);
    }
  }
}
