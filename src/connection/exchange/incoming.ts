/** A connection's values one after the other, until the peer closes its end. */
import { Observable } from 'rxjs';
import { ConnectionError } from '../../errors/index.js';

type Receive<T> = (options?: { readonly signal: AbortSignal }) => Promise<T>;

function isEnd(error: unknown): boolean {
  return error instanceof ConnectionError && error.code === 'MP_CONNECTION_EOF';
}

/** Receives one value for each that is asked for. */
export function iterate<T>(receive: Receive<T>): AsyncIterator<T, undefined> {
  let done = false;
  const end = (): IteratorResult<T, undefined> => {
    done = true;
    return { value: undefined, done: true };
  };
  return {
    next: () => {
      if (done) return Promise.resolve(end());
      return receive().then(
        (value) => ({ value, done: false }),
        (error: unknown) => {
          if (isEnd(error)) return end();
          done = true;
          throw error;
        },
      );
    },
    return: () => Promise.resolve(end()),
  };
}

/** Receives from the subscription on, as fast as values come. */
export function observe<T>(receive: Receive<T>): Observable<T> {
  return new Observable<T>((subscriber) => {
    const gone = new AbortController();
    const next = () => {
      receive({ signal: gone.signal }).then(
        (value) => {
          subscriber.next(value);
          if (!subscriber.closed) next();
        },
        (error: unknown) => {
          if (gone.signal.aborted) return;
          if (isEnd(error)) subscriber.complete();
          else subscriber.error(error);
        },
      );
    };
    next();
    return () => gone.abort();
  });
}
