/**
 * The message of an error, or any text, as a part of a longer sentence: without the full stop at
 * its end.
 */
export function clause(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.replace(/[.\s]+$/, '');
}
