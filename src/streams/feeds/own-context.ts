/** Observables that many subscribe to, and that emit in whatever context they were woken. */
import { Observable } from 'rxjs';
import { callerContext } from '../../util/caller-context.js';

/** The same notifications, for each subscriber in the async context in which it subscribed. */
export function inOwnContext<T>(source: Observable<T>): Observable<T> {
  return new Observable<T>((subscriber) => {
    const context = callerContext();
    return source.subscribe({
      next: (value) => context.runInAsyncScope(subscriber.next, subscriber, value),
      error: (error: unknown) => context.runInAsyncScope(subscriber.error, subscriber, error),
      complete: () => context.runInAsyncScope(subscriber.complete, subscriber),
    });
  });
}
