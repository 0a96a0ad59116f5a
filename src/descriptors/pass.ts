/**
 * Descriptors over a unix socket, with Python's bytes: one byte that holds their count modulo 256,
 * and SCM_RIGHTS with it.
 */
import { ArgumentError, ConnectionError } from '../errors/index.js';
import { closeDescriptor, Ready, receiveDescriptors, sendDescriptors, whenReady } from '../native/index.js';
import { checkNumber, describe } from '../util/options.js';

/** A unix socket: a descriptor, a Connection (or what else has `fileno()`), or a net.Socket. */
export type SocketLike =
  | number
  | {
      /** The descriptor. */
      fileno(): number;
    }
  | {
      /** Node's own handle of a net.Socket. */
      readonly _handle?:
        | {
            /** The descriptor, while it is open. */
            readonly fd?: number;
          }
        | null
        | undefined;
    };

/**
 * Sends copies of descriptors over a unix socket; yours stay open.
 *
 * Semantics: bytes that the other end expects, so send nothing else on the socket that it might
 * take for them. Await the sends of a Connection before.
 *
 * @param fds at most 253.
 * @throws ArgumentError; MultiprocessError `MP_SYSTEM` (EBADF; EPIPE when the other end is closed).
 * @example
 * import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
 * import { pipe } from 'multiprocess';
 * import { recvFds, sendFds } from 'multiprocess/reduction';
 *
 * for (const name of ['a.txt', 'b.txt']) writeFileSync(name, name);
 * const files = ['a.txt', 'b.txt'].map((name) => openSync(name, 'r'));
 * const [ours, theirs] = pipe();
 * await sendFds(ours, files);
 * const copies = await recvFds(theirs, 2);
 * console.log(copies.map((fd) => readFileSync(fd, 'utf8'))); // [ 'a.txt', 'b.txt' ]
 * for (const fd of [...files, ...copies]) closeSync(fd);
 * for (const end of [ours, theirs]) end.close();
 */
export async function sendFds(socket: SocketLike, fds: readonly number[]): Promise<void> {
  sendDescriptors(descriptorOf('sendFds', socket), fds, Uint8Array.of(fds.length % 256));
}

/**
 * Receives what {@link sendFds} (or Python's `sendfds`) sent: new descriptors, close-on-exec, yours
 * to close. In a thread Node does not know them: `fs.closeSync` closes them, and warns that they were
 * "not opened in unmanaged mode".
 *
 * @param count how many were sent.
 * @throws ConnectionError `MP_CONNECTION_EOF` when the other end is closed, `MP_NO_DESCRIPTOR` when
 * others, or none, came with the byte (they are closed).
 * @example
 * import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
 * import { pipe, Process } from 'multiprocess';
 * import { recvFds, sendFds } from 'multiprocess/reduction';
 *
 * writeFileSync('log.txt', 'a line');
 * const [ours, theirs] = pipe();
 * const child = await new Process(() => sendFds(theirs, [openSync('log.txt', 'r')])).start();
 * const [log] = await recvFds(ours, 1);
 * console.log(readFileSync(log!, 'utf8'), await child.exited); // a line 0
 * closeSync(log!);
 * for (const end of [ours, theirs]) end.close();
 */
export async function recvFds(socket: SocketLike, count: number): Promise<number[]> {
  const fd = descriptorOf('recvFds', socket);
  checkNumber('recvFds', 'count', count, { integer: true, min: 1 });
  for (;;) {
    const got = receiveDescriptors(fd, 253, 1);
    if (got === null) {
      await whenReady([{ fd, events: Ready.readable }]);
      continue;
    }
    if (got.payload.length === 0)
      throw new ConnectionError('recvFds: the other end was closed before it sent any descriptor.', {
        code: 'MP_CONNECTION_EOF',
      });
    if (got.fds.length === count && got.payload[0] === count % 256) return got.fds;
    for (const one of got.fds) closeDescriptor(one);
    throw new ConnectionError(
      `recvFds: ${got.fds.length} descriptors came, not ${count}; let the sender use sendFds (or sendHandle) with as many, and send nothing else in between.`,
      { code: 'MP_NO_DESCRIPTOR' },
    );
  }
}

/**
 * Sends a copy of a descriptor over a connection made by `pipe()` or of family AF_UNIX, as Python's
 * `send_handle`.
 *
 * @param handle the descriptor; yours stays open.
 * @param pid process id of who receives it: accepted and not needed here, as in Python outside of
 * Windows.
 * @throws as {@link sendFds}.
 * @example
 * import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
 * import { pipe, Process } from 'multiprocess';
 * import { recvHandle, sendHandle } from 'multiprocess/reduction';
 *
 * const [ours, theirs] = pipe();
 * const child = await new Process(async () => {
 *   writeSync(await recvHandle(theirs), 'written by the child');
 * }).start();
 * const file = openSync('handed.txt', 'w');
 * await sendHandle(ours, file, child.pid);
 * console.log(await child.exited, readFileSync('handed.txt', 'utf8')); // 0 written by the child
 * closeSync(file);
 * for (const end of [ours, theirs]) end.close();
 */
export async function sendHandle(connection: SocketLike, handle: number, pid?: number | null): Promise<void>;
export async function sendHandle(connection: SocketLike, handle: number): Promise<void> {
  await sendFds(connection, [handle]);
}

/**
 * Receives what {@link sendHandle} sent. @throws as {@link recvFds}.
 * @example
 * import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
 * import { pipe } from 'multiprocess';
 * import { recvHandle, sendHandle } from 'multiprocess/reduction';
 *
 * writeFileSync('note.txt', 'a note');
 * const file = openSync('note.txt', 'r');
 * const [ours, theirs] = pipe();
 * await sendHandle(ours, file);
 * const copy = await recvHandle(theirs);
 * console.log(copy !== file, readFileSync(copy, 'utf8')); // true a note
 * for (const fd of [file, copy]) closeSync(fd);
 * for (const end of [ours, theirs]) end.close();
 */
export async function recvHandle(connection: SocketLike): Promise<number> {
  const [fd] = await recvFds(connection, 1);
  return fd!;
}

function descriptorOf(actor: string, socket: SocketLike): number {
  if (typeof socket === 'number') return socket;
  if (typeof socket === 'object' && socket !== null) {
    if ('fileno' in socket && typeof socket.fileno === 'function') return socket.fileno();
    const fd = (socket as { _handle?: { fd?: number } | null })._handle?.fd;
    if (typeof fd === 'number' && fd >= 0) return fd;
  }
  throw new ArgumentError(
    `${actor}: needs an open unix socket (a descriptor, a Connection or a net.Socket), not ${describe(socket)}.`,
  );
}
