/** Throws, on a line that the cases look for. */
export class Rejected extends Error {
  override name = 'Rejected';
  details = { retry: false };
}
export function reject(why: string): never {
  throw new Rejected(why, { cause: new RangeError('the cause') }); // LINE B
}
export function position(error: unknown): string {
  const frame = String((error as Error).stack)
    .split('\n')
    .find((line) => /^\s+at /.test(line));
  return /[^\\/(]+:\d+(?=:\d+\)?$)/.exec(frame ?? '')?.[0] ?? `no position in ${frame}`;
}
