/**
 * V8's coverage (NODE_V8_COVERAGE) of children: Node writes it in its teardown, which a process
 * that is ended by a signal, and a fork, does not reach.
 */

/** Returns whether coverage is being taken. */
export function isCovered(): boolean {
  return (process.env['NODE_V8_COVERAGE'] ?? '') !== '';
}

/** Writes what was counted so far, if coverage is being taken. */
export function writeCoverage(): void {
  if (!isCovered()) return;
  try {
    process.getBuiltinModule('node:v8').takeCoverage();
  } catch (error) {
    process.stderr.write(`multiprocess: the coverage of process ${process.pid} cannot be written: ${String(error)}\n`);
  }
}

/**
 * In a child: SIGTERM ends it as before, but what was counted is written first. A listener of the
 * program's own decides itself.
 */
export function coverTermination(): void {
  if (!isCovered()) return;
  const onTerm = (): void => {
    writeCoverage();
    if (process.listenerCount('SIGTERM') > 1) return;
    process.off('SIGTERM', onTerm);
    process.kill(process.pid, 'SIGTERM');
  };
  process.on('SIGTERM', onTerm);
}
