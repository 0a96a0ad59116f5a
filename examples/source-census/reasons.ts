/** Why a file has no measurement: messages made equal where the cause is equal, so that they can be counted. */

/** `Unexpected token (12:7)` and `Identifier 'a' has already been declared`, without the position and the names. */
export function normalise(message: string): string {
  return message
    .replace(/\s*\(\d+:\d+\)$/, '')
    .replaceAll(/'[^']*'|"[^"]*"|`[^`]*`/g, '…')
    .split('\n', 1)[0]!
    .slice(0, 120);
}

export function unreadableReason(error: unknown): string {
  return `unreadable: ${(error as NodeJS.ErrnoException).code ?? describeError(error)}`;
}

export function syntaxReason(error: unknown): string {
  return `does not parse: ${error instanceof Error ? normalise(error.message) : String(error)}`;
}

/** For what the pool itself reports about an item: a crashed worker, or whatever escaped from the function. */
export function rejectionReason(error: unknown): string {
  const { code, signal, exitCode } = (error ?? {}) as {
    code?: string;
    signal?: string | null;
    exitCode?: number | null;
  };
  if (code === 'MP_WORKER_CRASH') return `worker crashed: ${signal ?? `exit code ${exitCode}`}`;
  return describeError(error);
}

function describeError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${normalise(error.message)}` : String(error);
}
