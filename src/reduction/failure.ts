/** Every message of this folder: what cannot be sent or read, why, and what to do about it. */
import { SerializationError } from '../errors/index.js';

/** Why a value was refused. The encoder adds the path. */
export interface Refusal {
  readonly code: string;
  /** What the culprit is: `a Promise`, `the symbol Symbol(x)`. */
  readonly what: string;
  readonly why: string;
  /** The repair, as an imperative. */
  readonly repair: string;
}

/** Thrown by the parts of the encoder that do not know where in the value they are; becomes a SerializationError with its path. */
export class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.why);
  }
}

/** One step of the way from a culprit up to the value that was sent. */
export interface Step {
  /** What the inner value is to the outer one: `.socket`, `captured \`db\``. */
  readonly label: string;
  /** What the outer one is called, when it is a function: `function f (file:///main.js:3)`. */
  readonly actor: string | undefined;
}

/**
 * `.stream <- captured \`db\` <- function query (file:///main.js:12)`. A function that is itself captured under a name is not
 * named once more.
 */
export function pathOf(steps: readonly Step[]): string {
  const parts: string[] = [];
  steps.forEach(({ label, actor }, index) => {
    if (label !== '') parts.push(label);
    if (actor !== undefined && nameIn(steps[index + 1]?.label) === null) parts.push(actor);
  });
  return parts.join(' <- ');
}

/**
 * `Cannot send function query (file:///main.js:12): it captures \`db\`, and \`db.stream\` is an instance of Socket: it lives in this
 * process only; open it inside the function.` Without a capture on the way: `Cannot send a Promise (.rows <- [0]): …`.
 */
export function refusal(of: Refusal, steps: readonly Step[]): SerializationError {
  const path = pathOf(steps);
  const details = { code: of.code, repair: of.repair, ...(path === '' ? {} : { path }) };
  const said = captureSentence(of, steps) ?? `Cannot send ${of.what}${path === '' ? '' : ` (${path})`}`;
  return new SerializationError(`${said}: ${of.why}; ${of.repair}.`, details);
}

function captureSentence(of: Refusal, steps: readonly Step[]): string | null {
  const first = steps.findIndex(({ label }) => nameIn(label) !== null);
  if (first < 0) return null;
  const members = steps.slice(0, first).map(({ label }) => label);
  if (members.some((label) => label !== '' && !/^[.[]/.test(label))) return null;
  let last = first;
  while (nameIn(steps[last + 1]?.label) !== null) last++;
  const actor = steps[last]?.actor;
  if (actor === undefined) return null;
  const names = steps.slice(first, last + 1).map(({ label }) => nameIn(label)!);
  const chain = [...names].reverse().map((name) => `captures \`${name}\``);
  const culprit = members.length === 0 ? 'which is' : `and \`${names[0]}${[...members].reverse().join('')}\` is`;
  const rest = pathOf(steps.slice(last + 1));
  return `Cannot send ${actor}${rest === '' ? '' : ` (${rest})`}: it ${chain.join(', which ')}, ${culprit} ${of.what}`;
}

/** The name in `captured \`name\``. */
function nameIn(label: string | undefined): string | null {
  return /^captured `([^`]+)`$/.exec(label ?? '')?.[1] ?? null;
}

/** Bytes that no encoder of this version wrote. `MP_BAD_PAYLOAD`. */
export function badPayload(reason: string, cause?: unknown): SerializationError {
  const details = { code: 'MP_BAD_PAYLOAD', ...(cause === undefined ? {} : { cause }) };
  return new SerializationError(
    `The bytes are no intact message: ${reason}; they were damaged on the way, or written by another program or version.`,
    details,
  );
}
