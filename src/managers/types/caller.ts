/**
 * Who calls a method of a shared object, also where no client does: the server's own program, which
 * is never gone.
 */
import { type CurrentCall, currentCall } from '../server/current-call.js';

/** The server's own program. */
const SERVER_ITSELF: CurrentCall = {
  client: { id: 0, pid: process.pid, name: 'server', ended: false, onEnd: () => () => {} },
  signal: new AbortController().signal,
};

/** Returns the call that is being served. To be asked before the first `await` of a method. */
export function caller(): CurrentCall {
  return currentCall() ?? SERVER_ITSELF;
}
