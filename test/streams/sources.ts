/** Sources that count what is asked of them. */
import { ReadableStream } from 'node:stream/web';

/** What happened to a source. */
export interface Watch {
  pulled: number;
  returned: number;
}

/** A synchronous iterable over 0, 1, 2, … below `end`. */
export function counted(end = Number.POSITIVE_INFINITY): Watch & Iterable<number> {
  const watch = {
    pulled: 0,
    returned: 0,
    [Symbol.iterator](): Iterator<number> {
      let i = 0;
      return {
        next: () => {
          if (i >= end) return { done: true, value: undefined };
          watch.pulled++;
          return { done: false, value: i++ };
        },
        return: () => {
          watch.returned++;
          return { done: true, value: undefined };
        },
      };
    },
  };
  return watch;
}

/** The same, asynchronous; `pause` runs before each item. */
export function countedAsync(
  end = Number.POSITIVE_INFINITY,
  pause: (i: number) => unknown = () => {},
): Watch & { pending: number } & AsyncIterable<number> {
  const watch = {
    pulled: 0,
    returned: 0,
    pending: 0,
    [Symbol.asyncIterator](): AsyncIterator<number> {
      let i = 0;
      return {
        async next() {
          watch.pending++;
          await pause(i);
          watch.pending--;
          if (i >= end) return { done: true, value: undefined };
          watch.pulled++;
          return { done: false, value: i++ };
        },
        async return() {
          watch.returned++;
          return { done: true, value: undefined };
        },
      };
    },
  };
  return watch;
}

/** The same as a web ReadableStream; `returned` counts cancellations. */
export function countedReadable(end = Number.POSITIVE_INFINITY): Watch & { stream: ReadableStream<number> } {
  const watch = {
    pulled: 0,
    returned: 0,
    stream: new ReadableStream<number>(
      {
        pull(controller) {
          if (watch.pulled < end) controller.enqueue(watch.pulled++);
          else controller.close();
        },
        cancel() {
          watch.returned++;
        },
      },
      { highWaterMark: 0 },
    ),
  };
  return watch;
}

export const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

/** Lets the event loop turn until nothing can be under way any more. */
export async function settle(turns = 30): Promise<void> {
  for (let i = 0; i < turns; i++) await turn();
}

/** 0, 1, … n - 1. */
export const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
