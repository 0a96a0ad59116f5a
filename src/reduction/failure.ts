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

/** `Cannot send a Promise (.socket <- [0]): it is bound to this process; await it first.` */
export function refusal(of: Refusal, path: string): SerializationError {
  const where = path === '' ? '' : ` (${path})`;
  const details = { code: of.code, ...(path === '' ? {} : { path }) };
  return new SerializationError(`Cannot send ${of.what}${where}: ${of.why}; ${of.repair}.`, details);
}

/** Bytes that no encoder of this version wrote. `MP_BAD_PAYLOAD`. */
export function badPayload(reason: string, cause?: unknown): SerializationError {
  const details = { code: 'MP_BAD_PAYLOAD', ...(cause === undefined ? {} : { cause }) };
  return new SerializationError(
    `The bytes are no intact message: ${reason}; they were damaged on the way, or written by another program or version.`,
    details,
  );
}
