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

/**
 * Thrown by the parts of the encoder that do not know where in the value they are; becomes a
 * SerializationError with its path.
 */
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
  /** What the outer one advises for the case that this inner value cannot be sent. */
  readonly advice?: string | undefined;
}

/**
 * `.stream <- captured \`db\` <- function query (file:///main.js:12)`. A function that is itself
 * captured under a name is not named once more.
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
 * `Cannot send function query (file:///main.js:12): it captures \`db\`, and \`db.stream\` is an
 * instance of Socket: it lives in this process only; open it inside the function.` Without a
 * capture on the way: `Cannot send a Promise (.rows <- [0]): …`.
 */
export function refusal(of: Refusal, steps: readonly Step[]): SerializationError {
  const path = pathOf(steps);
  const elsewhere = madeElsewhere(steps);
  const repair = adviceOf(steps) ?? elsewhere?.repair ?? of.repair;
  const details = { code: of.code, repair, ...(path === '' ? {} : { path }) };
  if (elsewhere !== null)
    return new SerializationError(`${elsewhere.sentence} ${of.what}: ${of.why}; ${repair}.`, details);
  const said = captureSentence(of, steps) ?? `Cannot send ${of.what}${path === '' ? '' : ` (${path})`}`;
  return new SerializationError(`${said}: ${of.why}; ${repair}.`, details);
}

/** The same error with the way up to the value that was sent. */
export function located(error: SerializationError, steps: readonly Step[]): SerializationError {
  const path = pathOf(steps);
  if (path === '') return error;
  const full = error.path === undefined ? path : `${error.path} <- ${path}`;
  const elsewhere = madeElsewhere(steps, actorOf(error));
  const repair = adviceOf(steps) ?? elsewhere?.repair ?? error.repair;
  const details = { code: error.code, path: full, ...('cause' in error ? { cause: error.cause } : {}) };
  if (repair === undefined || repair === error.repair) {
    return new SerializationError(`${error.message} (in ${path})`, {
      ...details,
      ...(repair === undefined ? {} : { repair }),
    });
  }
  const said = error.message.replace(error.repair === undefined ? '' : `; ${error.repair}.`, '').replace(/\.$/, '');
  const sentence = elsewhere === null ? said : `${elsewhere.sentence} what is refused: ${said}`;
  return new SerializationError(`${sentence}; ${repair} (in ${path}).`, { ...details, repair });
}

/** The function that an error of a function's own is about. */
function actorOf({ message }: SerializationError): string | undefined {
  return /^(?:An anonymous function|Function \S+|Class \S+) \([^)]*\)/.exec(message)?.[0];
}

function adviceOf(steps: readonly Step[]): string | undefined {
  return steps.find(({ advice }) => advice !== undefined)?.advice;
}

/**
 * A captured value that other code made (a schema, a logger): it is reached through functions of
 * another file than the one that captures it, so that whoever reads the path can do nothing about
 * what is at its end. Imported, it is not copied at all.
 */
function madeElsewhere(
  steps: readonly Step[],
  innermost?: string,
): { readonly sentence: string; readonly repair: string } | null {
  let captured: number | null = null;
  let home: string | null = null;
  let foreign = false;
  for (let index = steps.length - 1; index >= 0 && !foreign; index--) {
    const file = fileOf(steps[index]!.actor);
    home ??= file;
    if (file === null) continue;
    if (file !== home) foreign = true;
    else if (nameIn(steps[index]!.label) !== null) captured = index;
  }
  const last = fileOf(innermost);
  if (captured === null || home?.includes('/node_modules/') === true || (!foreign && (last === null || last === home)))
    return null;
  const { label, actor } = steps[captured]!;
  const name = nameIn(label)!;
  const outer = pathOf(steps.slice(captured + 1));
  return {
    sentence: `Cannot send ${actor}${outer === '' ? '' : ` (${outer})`}: it captures \`${name}\`, which other code made and in which there is`,
    repair: `create \`${name}\` in a module of its own and import it from there, since what is imported is not copied, or create it inside the function`,
  };
}

/** The file in `function f (file:///main.js:3)`. */
function fileOf(actor: string | undefined): string | null {
  return /\((\S+):\d+\)$/.exec(actor ?? '')?.[1] ?? null;
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
