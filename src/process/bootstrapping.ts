/** The phase of a child's life in which starting further processes means that a main module is being run again. */
import { ProcessError } from '../errors/process.js';

const PHASE = Symbol.for('multiprocess.bootstrapping');

/** Marks that modules are being loaded on behalf of the parent. Counts: phases may nest. */
export function enterBootstrapping(): void {
  const scope = globalThis as { [PHASE]?: number };
  scope[PHASE] = (scope[PHASE] ?? 0) + 1;
}

/** Ends {@link enterBootstrapping}. */
export function leaveBootstrapping(): void {
  const scope = globalThis as { [PHASE]?: number };
  scope[PHASE] = Math.max(0, (scope[PHASE] ?? 0) - 1);
}

/** Whether this process is loading modules on behalf of its parent. */
export function isBootstrapping(): boolean {
  return ((globalThis as { [PHASE]?: number })[PHASE] ?? 0) > 0;
}

/**
 * Refuses to start anything while modules load on behalf of the parent.
 * @throws ProcessError `MP_BOOTSTRAPPING`.
 */
export function checkNotBootstrapping(actor: string, verb: string): void {
  if (!isBootstrapping()) return;
  throw new ProcessError(
    `${actor}: this module is being loaded by a child process, and ${verb} while it loads; that would go on for ever. ` +
      `Do it inside a function, or only when the module is the main one: ` +
      '`if (process.argv[1] === fileURLToPath(import.meta.url)) { … }`.',
    { code: 'MP_BOOTSTRAPPING' },
  );
}
