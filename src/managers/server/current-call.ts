/**
 * Who calls a method of a referent, for referents that need to know: locks, whose holder may die.
 */

/** A client of a server: a thread or process with a connection. */
export interface ClientAgent {
  /** Numbered from 1 on, never again in this server; 0 is the server itself. */
  readonly id: number;
  /** Its process. */
  readonly pid: number;
  /** The name of its process. */
  readonly name: string;
  /** Whether its connection has ended. */
  readonly ended: boolean;
  /** Calls `listener` once when it has ended. Returns what takes that back. */
  onEnd(listener: () => void): () => void;
}

/** A call that is being made. */
export interface CurrentCall {
  /** Who calls. */
  readonly client: ClientAgent;
  /** Aborts when the caller cancels the call, or has ended. */
  readonly signal: AbortSignal;
}

let current: CurrentCall | null = null;

/**
 * Returns the call that runs: ask before the first `await` and keep the answer. `null` outside of
 * one.
 * @example
 * import { BaseManager, currentCall } from 'multiprocess/managers';
 *
 * class Desk {
 *   whoAmI() {
 *     const { client } = currentCall()!;
 *     return client.pid;
 *   }
 * }
 * class Desks extends BaseManager.with({ Desk }) {}
 *
 * await using desks = new Desks();
 * await desks.start();
 * const desk = await desks.Desk();
 * console.log((await desk.whoAmI()) === process.pid); // true
 */
export function currentCall(): CurrentCall | null {
  return current;
}

/**
 * Calls a method as a call of a client. Its frame ends what is shown of the server's stack, see
 * pool/wire/remote-error.ts.
 */
export function runCall<A extends readonly unknown[], R>(
  call: CurrentCall,
  method: (...args: A) => R,
  self: unknown,
  args: A,
): R {
  const before = current;
  current = call;
  try {
    return Reflect.apply(method, self, args) as R;
  } finally {
    current = before;
  }
}
