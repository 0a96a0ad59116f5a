import { runInNewContext } from 'node:vm';
import { isFromSnapshot } from './from-snapshot.js';

let collect: (() => void) | null | undefined;

/**
 * Collects this thread's garbage now, where the runtime lets it: Bun and Deno do not, and neither does
 * Node in a program that began as a snapshot.
 */
export function collectGarbage(): void {
  collect ??= (globalThis as { gc?: () => void }).gc ?? (isFromSnapshot() ? null : exposed());
  collect?.();
}

/** `gc` of a new context, which has it if the flag is on when it is made; no other context changes. */
function exposed(): (() => void) | null {
  try {
    const { setFlagsFromString } = process.getBuiltinModule('node:v8');
    setFlagsFromString('--expose-gc');
    try {
      return (runInNewContext('globalThis.gc') as (() => void) | undefined) ?? null;
    } finally {
      setFlagsFromString('--no-expose-gc');
    }
  } catch {
    return null;
  }
}
