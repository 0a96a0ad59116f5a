/** Pipes that are closed when the test ends. */
import { type Connection, pipe } from 'multiprocess';
import { afterEach } from 'vitest';

const opened: Connection<any>[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

/** Closes the connection at the end of the test. */
export function closing<C extends Connection<any>>(connection: C): C {
  opened.push(connection);
  return connection;
}

/** The two ends of a pipe. */
export function pair(options?: { duplex?: boolean }): [Connection<any>, Connection<any>] {
  const [a, b] = pipe<any>(options);
  return [closing(a), closing(b)];
}
