/**
 * A test file that forks itself: vitest lets no test end its process, and a copy of a test must be able to.
 */
process.exit = ((code?: number | string | null): never => {
  if (code !== undefined && code !== null) process.exitCode = code;
  process.emit('exit', Number(process.exitCode ?? 0));
  return (process as unknown as { reallyExit(code: number): never }).reallyExit(Number(process.exitCode ?? 0));
}) as typeof process.exit;
