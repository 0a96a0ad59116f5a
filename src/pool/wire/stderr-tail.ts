/**
 * The end of what a worker wrote to stderr, in the control page of its link, so that it outlives
 * the worker however that dies:
 *
 *   byte 2048  u32  bytes written since the start
 *        2052  u32  1 once the worker notes what it writes
 *        2056       the last 2,040 of them, as a ring
 *
 * What the runtime itself prints (an uncaught error before the worker's first line, a heap that is
 * full) is not noted.
 */

const AT = 2048;
const BYTES = 2040;
const WRITTEN = AT / 4;
const NOTING = WRITTEN + 1;

const view = (control: Int32Array): Uint8Array => new Uint8Array(control.buffer, control.byteOffset + AT + 8, BYTES);

/**
 * Notes what this worker writes to stderr from here on. Returns what notes a text that the runtime
 * is about to print.
 */
export function noteStderr(control: Int32Array): (text: string) => void {
  const ring = view(control);
  control[NOTING] = 1;
  const note = (chunk: string | Uint8Array): void => {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk.slice(-BYTES)) : chunk;
    const start = Math.max(0, bytes.length - BYTES);
    let at = (control[WRITTEN]! >>> 0) + start;
    for (let i = start; i < bytes.length; i++) ring[at++ % BYTES] = bytes[i]!;
    control[WRITTEN] = at;
  };
  // The stream is made by the first who asks for it, which costs.
  const original = Object.getOwnPropertyDescriptor(process, 'stderr');
  let noted: NodeJS.WriteStream | undefined;
  if (original?.get === undefined || original.configurable !== true) return note;
  Object.defineProperty(process, 'stderr', {
    ...original,
    get(): NodeJS.WriteStream {
      const stream = original.get!.call(process) as NodeJS.WriteStream;
      if (stream !== noted) {
        noted = stream;
        listen(stream, note);
      }
      return stream;
    },
  });
  return note;
}

function listen(stream: NodeJS.WriteStream, note: (chunk: string | Uint8Array) => void): void {
  const { write } = stream;
  stream.write = function noting(this: NodeJS.WriteStream, chunk: string | Uint8Array, ...rest: never[]): boolean {
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) note(chunk);
    return write.call(this, chunk, ...rest);
  } as typeof stream.write;
}

/** What a worker wrote last; `null` when it did not get so far as to note it. */
export function readStderr(control: Int32Array): string | null {
  if (control[NOTING] !== 1) return null;
  const written = control[WRITTEN]! >>> 0;
  const ring = view(control);
  const length = Math.min(written, BYTES);
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = ring[(written - length + i) % BYTES]!;
  // A character that was cut in two is no character.
  return bytes.toString('utf8').replace(/^\ufffd+/, '');
}
