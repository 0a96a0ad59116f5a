/** The broker's numbers of errors. */
export const NO_STREAM = 10059;
export const NO_MESSAGE = 10037;
/** Something else than expected was published to the subject before. */
export const WRONG_SEQUENCE = 10071;

/** Whether there is no such message, or no such stream. */
export function isNothingThere(error: unknown): boolean {
  const code = codeOf(error);
  return code === NO_MESSAGE || code === NO_STREAM;
}

/** The number of an error that the broker answered; `undefined` for all else. */
export function codeOf(error: unknown): number | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'number' ? code : undefined;
}
