import { ArgumentError } from '../errors/usage.js';

/**
 * Refuses option names that are not known, with the nearest known one as advice:
 * `Pool: misspelled option \`proceses\`: did you mean \`processes\`?`
 *
 * @param bare What a value in the place of the options stands for, where Python or a peer has it
 * there: names of options by kind of value.
 * @param elsewhere Names that are known in another place, by what to say of them.
 * @throws ArgumentError `MP_UNKNOWN_OPTION`, or `MP_INVALID_ARGUMENT` when `options` is no object.
 */
export function checkOptions(
  actor: string,
  options: unknown,
  known: readonly string[],
  bare: BareValues = {},
  elsewhere: OptionsElsewhere = {},
): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const name = bare[Array.isArray(options) ? 'array' : typeof options];
    const advice = name === undefined ? '' : ` Pass ${optionText(name, options)}.`;
    const shown = name === 'authkey' ? 'text' : describe(options);
    throw new ArgumentError(`${actor}: options must be an object, not ${shown}.${advice}`);
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    const place = Object.keys(elsewhere).find((text) => elsewhere[text]!.includes(name));
    const message =
      place !== undefined
        ? `${actor}: \`${name}\` is ${place}.`
        : near === undefined
          ? `${actor}: unknown option \`${name}\`; known are ${known.map((k) => `\`${k}\``).join(', ')}.`
          : `${actor}: misspelled option \`${name}\`: did you mean \`${near}\`?`;
    throw new ArgumentError(message, { code: 'MP_UNKNOWN_OPTION' });
  }
}

/** Names of options by kind of value: what a bare value in their place most likely is. */
export type BareValues = {
  readonly [kind in 'number' | 'string' | 'boolean' | 'function' | 'array' | string]?: string;
};

/** Names of options of something else, by the end of a sentence: "an option of …; pass it …". */
export type OptionsElsewhere = { readonly [advice: string]: readonly string[] };

/** `\`{ timeout: 5 }\`, in milliseconds`: the option as it is written. */
function optionText(name: string, value: unknown): string {
  const text =
    name === 'authkey' || typeof value === 'object' || typeof value === 'function'
      ? name
      : `${name}: ${describe(value)}`;
  return `\`{ ${text} }\`${name === 'timeout' ? ', in milliseconds' : ''}`;
}

/** What a number must satisfy. */
export interface NumberRule {
  /** Smallest value allowed. Default 0. */
  readonly min?: number;
  /** Whether fractions are refused. Default `false`. */
  readonly integer?: boolean;
  /** Whether `Infinity` is allowed. Default `false`. */
  readonly infinite?: boolean;
  /** What else may stand there, as the message names it: "'auto'". */
  readonly or?: string;
}

/**
 * Returns `value` when it is a number inside the rule; `undefined` passes through.
 * @throws ArgumentError `MP_INVALID_ARGUMENT`.
 */
export function checkNumber(actor: string, name: string, value: unknown, rule: NumberRule = {}): number | undefined {
  if (value === undefined) return undefined;
  const min = rule.min ?? 0;
  const fits =
    typeof value === 'number' &&
    value >= min &&
    (Number.isFinite(value) || (rule.infinite === true && value === Number.POSITIVE_INFINITY)) &&
    (rule.integer !== true || Number.isInteger(value) || value === Number.POSITIVE_INFINITY);
  if (fits) return value;
  throw new ArgumentError(`${actor}: \`${name}\` must be ${numberText(rule, min, value)}, not ${describe(value)}.`);
}

/** `a number of at least 0`, as far as it says why `value` is refused. */
function numberText({ integer, infinite, or }: NumberRule, min: number, value: unknown): string {
  const endless = infinite !== true && (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY);
  const kind = integer === true ? 'an integer' : endless ? 'a finite number' : 'a number';
  const bound = min === Number.NEGATIVE_INFINITY ? '' : ` of at least ${min}`;
  return `${kind}${bound}${or === undefined ? '' : ` or ${or}`}`;
}

/**
 * Returns `value` when it is a boolean; `undefined` passes through, unless it is required.
 * @throws ArgumentError `MP_INVALID_ARGUMENT`.
 */
export function checkBoolean(
  actor: string,
  name: string,
  value: unknown,
  { required = false }: { readonly required?: boolean } = {},
): boolean | undefined {
  if (typeof value === 'boolean' || (value === undefined && !required)) return value;
  throw new ArgumentError(`${actor}: \`${name}\` must be true or false, not ${describe(value)}.`);
}

/** @throws ArgumentError when `value` is no function. */
export function checkFunction(actor: string, name: string, value: unknown): void {
  if (typeof value !== 'function')
    throw new ArgumentError(`${actor}: \`${name}\` must be a function, not ${describe(value)}.`);
}

/** How a module is named, for who gave its path as text. */
export const MODULE_FORM = " For a module write `new URL('./file.js', import.meta.url)`.";

/** A value in a message: short, and never failing. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'function') return value.name === '' ? 'a function' : `function ${value.name}`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return String(value);
  const name = className(value);
  return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'an object';
}

function className(value: object): unknown {
  try {
    return Object.getPrototypeOf(value)?.constructor?.name;
  } catch {
    // A proxy or a getter that does not want to be looked at.
    return undefined;
  }
}

/** Returns whether one of two names is the beginning of the other: `window` of `windowSize`. */
function begins(name: string, candidate: string): boolean {
  const [one, other] = [name.toLowerCase(), candidate.toLowerCase()];
  return Math.min(one.length, other.length) >= 4 && (one.startsWith(other) || other.startsWith(one));
}

function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = begins(name, candidate) ? 0 : editDistance(name, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** Levenshtein distance, one row at a time (R. A. Wagner and M. J. Fischer, 1974). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
