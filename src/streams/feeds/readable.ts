/**
 * The stream as a Node.js Readable and as a web ReadableStream: both read an execution on demand.
 */
import { Readable, type ReadableOptions } from 'node:stream';
import { nullResult } from '../messages.js';
import type { Feed } from './feed.js';
import { Pump } from './pump.js';

type Run<R> = (ready: () => void) => Feed<R>;

/** A Readable in object mode over the execution that `run` makes with the first read. */
export function feedReadable<R>(run: Run<R>, options: ReadableOptions): Readable {
  let drain: Pump<R> | undefined;
  const readable = new Readable({
    highWaterMark: 1,
    ...options,
    objectMode: true,
    read() {
      if (drain !== undefined) return drain.resume();
      drain = new Pump<R>(run, {
        next: (value) => {
          if (value !== null) return readable.push(value);
          readable.destroy(nullResult());
          return false;
        },
        error: (error) => readable.destroy(asError(error)),
        complete: () => readable.push(null),
      });
      drain.start();
    },
    destroy(error, done) {
      const stopped = drain === undefined ? Promise.resolve() : drain.stop(error ?? undefined);
      stopped.then(
        () => done(error),
        (failure: unknown) => done(error ?? asError(failure)),
      );
    },
  });
  return readable;
}

/**
 * A ReadableStream without a queue of its own over the execution that `run` makes with the first
 * read.
 */
export function feedReadableStream<R>(run: Run<R>): ReadableStream<R> {
  let drain: Pump<R> | undefined;
  return new ReadableStream<R>(
    {
      pull(controller) {
        if (drain !== undefined) return drain.resume();
        drain = new Pump<R>(run, {
          next: (value) => {
            controller.enqueue(value);
            return (controller.desiredSize ?? 0) > 0;
          },
          error: (error) => controller.error(error),
          complete: () => controller.close(),
        });
        drain.start();
      },
      cancel: (reason) => drain?.stop(reason),
    },
    { highWaterMark: 0 },
  );
}

/**
 * Node.js streams carry only Errors (a falsy one would even count as none); anything else becomes
 * the cause of one.
 */
function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('The stream failed.', { cause: error });
}
