/** The broker's numbers of errors. */
export const NO_STREAM = 10059;

/** The number of an error that the broker answered; `undefined` for all else. */
export function codeOf(error: unknown): number | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'number' ? code : undefined;
}
