/**
 * The name of this process (or thread), for messages. The identity is src/process's, which keeps it
 * on globalThis.
 */
const IDENTITY = Symbol.for('multiprocess.identity');

/** `MainProcess`, `SpawnProcess-1`, `ThreadPoolWorker-2`. */
export function processName(): string {
  return (globalThis as { [IDENTITY]?: { readonly name: string } })[IDENTITY]?.name ?? 'MainProcess';
}
