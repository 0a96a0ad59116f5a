/**
 * The warning about functions that take much along: such data is better passed as an argument,
 * shared, or loaded there.
 */
import { explainCaptures } from './explain.js';
import { bytes, type Capture } from './explanation.js';

/** Bytes captured by value from which a function is warned about. */
export const LARGE_CAPTURE = 1 << 20;

/**
 * By place, so that a function made anew for each call is warned about once; by identity where the
 * place is unknown.
 */
const warned = new Set<string>();
const warnedFunctions = new WeakSet<Function>();

/**
 * Warns once (`MP_LARGE_CAPTURE`) about a function whose message has more than {@link
 * LARGE_CAPTURE} bytes because of what it captures. Call with the size of the message.
 */
export function warnAboutCaptures(fn: Function, size: number): void {
  if (size <= LARGE_CAPTURE || warnedFunctions.has(fn)) return;
  warnedFunctions.add(fn);
  const { name, place, captures } = explainCaptures(fn);
  const largest = captures.reduce<Capture | undefined>(
    (most, each) => (most === undefined || each.size > most.size ? each : most),
    undefined,
  );
  // Its own text may be large as well.
  if (largest === undefined || captures.reduce((sum, each) => sum + each.size, 0) <= LARGE_CAPTURE) return;
  if (place !== undefined) {
    if (warned.has(place)) return;
    warned.add(place);
  }
  const what = `${name === '' ? 'an anonymous function' : `function ${name}`}${place === undefined ? '' : ` (${place})`}`;
  process.emitWarning(
    `${what} captures ${bytes(size)}, most of it \`${largest.name}\` (${bytes(largest.size)}), and each worker gets a copy; pass it as an ` +
      'argument, share it (`share(value)`, SharedArray), or load it in the worker. explain(fn) lists all captures.',
    { type: 'MultiprocessWarning', code: 'MP_LARGE_CAPTURE' },
  );
}
