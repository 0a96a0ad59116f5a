/** What an agent hands to its workers, and what they answer. */
import type { CallableRef, Form, Outcome, SerializerName } from '../wire/messages.js';

/** A task as a worker is given it. */
export interface WorkerInput {
  readonly callable: CallableRef;
  /** URL of the module of a callable that is one. */
  readonly url: string;
  /** The bytes of a callable that is code, when the worker needs them. */
  readonly code: Uint8Array | null;
  readonly form: Form;
  readonly packed: boolean;
  readonly serializer: SerializerName;
  readonly payload: Uint8Array;
  /** Items of the payload that are to be run. */
  readonly offset: number;
  readonly count: number;
  /** Index of the payload's first item in its run. */
  readonly first: number;
  /** What tells the run from all others. */
  readonly key: string;
  /** Runs of these items that ended with the death of a worker or a host, elsewhere. */
  readonly before: number;
  /** Runs that ended with an error. */
  readonly failures: number;
}

/** The function is not here, and its bytes did not come with the task. */
export const NEED_CODE = 255;

/** A task that has nothing to do: who answers it can run others. */
export const PROBE: WorkerInput = {
  callable: { hash: '', reusable: true },
  url: '',
  code: null,
  form: 0,
  packed: false,
  serializer: 'multiprocess',
  payload: new Uint8Array(0),
  offset: 0,
  count: 0,
  first: 0,
  key: '',
  before: 0,
  failures: 0,
};

/**
 * An answer:
 *
 *   byte 0  u8   Outcome, or NEED_CODE
 *        4  u32  items that failed (little endian)
 *        8  f64  microseconds that they took
 *       16       the payload
 */
export const ANSWER_HEADER_BYTES = 16;

/** How a task ended, as its worker says it. */
export interface WorkerAnswer {
  readonly outcome: Outcome | typeof NEED_CODE;
  readonly failed: number;
  readonly micros: number;
  readonly payload: Uint8Array;
}

export function writeAnswer(answer: WorkerAnswer): Uint8Array {
  const bytes = new Uint8Array(ANSWER_HEADER_BYTES + answer.payload.length);
  bytes.set(answer.payload, ANSWER_HEADER_BYTES);
  return completeAnswer(bytes, answer);
}

/** Writes the header of an answer whose payload is in its place. */
export function completeAnswer(
  bytes: Uint8Array,
  { outcome, failed, micros }: Omit<WorkerAnswer, 'payload'>,
): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  bytes[0] = outcome;
  view.setUint32(4, failed, true);
  view.setFloat64(8, micros, true);
  return bytes;
}

export function readAnswer(bytes: Uint8Array): WorkerAnswer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const outcome = bytes[0] as Outcome | typeof NEED_CODE;
  return {
    outcome,
    failed: view.getUint32(4, true),
    micros: view.getFloat64(8, true),
    payload: bytes.subarray(ANSWER_HEADER_BYTES),
  };
}
