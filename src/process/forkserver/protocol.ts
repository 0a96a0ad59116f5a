/**
 * What a process and its template say to each other: one connection for each child.
 *
 *   template -> process   challenge (32 bytes)
 *   process  -> template  answer (40), challenge of its own (32)
 *   template -> process   1 and its answer (40), or 0 and zeros, and the connection is closed
 *   process  -> template  length and number of descriptors (2 x u32), request (JSON); the descriptors
 *                         travel with the first byte
 *   template -> standby   the same, where one was forked already (standby.ts)
 *   template -> process   Started, pid, with a sentinel; or Refused, errno or RefusalCode (fork/refused.ts)
 *   process  -> child     the start byte, through the lifeline: it runs only now, so that a start
 *                         that failed halfway runs nothing
 *   template -> process   Ended, exit code or minus the number of a signal
 *
 * An answer is that of Python's handshake (src/connection/handshake/authentication.ts) to the other
 * side's challenge and to who answers, so that none can be sent back as one's own.
 */
import { createResponse, verifyChallenge } from '../../connection/handshake/authentication.js';
import { crypto } from '../../util/crypto.js';
import type { ByteQueue } from './byte-queue.js';

/** Bytes of a challenge. */
export const CHALLENGE_BYTES = 32;
/** Bytes of an answer: `{sha256}` and the digest. */
export const ANSWER_BYTES = 40;
/** Bytes of the key. */
export const KEY_BYTES = 32;
/** Bytes of the template's verdict on an answer: welcome or not, and its own answer. */
export const VERDICT_BYTES = 1 + ANSWER_BYTES;
/** Bytes before a request. */
export const REQUEST_HEADER_BYTES = 8;
/** Bytes of what the template reports. */
export const REPORT_BYTES = 8;
/** Most descriptors that come with a request. */
export const MAX_DESCRIPTORS = 253;
/** Largest request, so that a stranger's header makes nobody wait for more. */
export const MAX_REQUEST_BYTES = 1 << 26;

/** Where a child keeps the numbers of the descriptors that it was given. */
export const INHERITED_DESCRIPTORS: unique symbol = Symbol.for('multiprocess.inheritedFds') as never;

/** Kinds of reports. */
export enum Report {
  Started = 1,
  Refused = 2,
  Ended = 3,
}

/** Who answers. */
export type Role = 'template' | 'process';

/** Returns a new challenge. */
export function newChallenge(): Uint8Array {
  return crypto().randomBytes(CHALLENGE_BYTES);
}

/** Returns the answer to a challenge. */
export function answerTo(challenged: Uint8Array, role: Role, key: Uint8Array): Uint8Array {
  return createResponse(key, challengeFor(challenged, role));
}

/** Returns whether an answer is right. */
export function isAnswer(given: Uint8Array, challenged: Uint8Array, role: Role, key: Uint8Array): boolean {
  try {
    verifyChallenge(key, challengeFor(challenged, role), given);
    return true;
  } catch {
    return false;
  }
}

function challengeFor(challenged: Uint8Array, role: Role): Uint8Array {
  return Buffer.concat([Buffer.from('{sha256}'), challenged, Buffer.from(role)]);
}

/** What a child is started with. */
export interface ChildRequest {
  /** Module that it runs. */
  readonly entry: string;
  readonly name: string;
  /** The process that asked. */
  readonly parentPid: number;
  /** Working directory; `null` where it was removed, and is reached through the parent only. */
  readonly cwd: string | null;
  /** Number of the first descriptor that it is given. */
  readonly first: number;
  /** Variables to set, or (null) to remove, in the template's environment. */
  readonly env: Record<string, string | null>;
  /** `process.argv`; absent where it is as the template was told. */
  readonly argv?: readonly string[];
  readonly execArgv: readonly string[];
}

/** What a template is told when it starts. */
export interface TemplateConfig {
  readonly key: string;
  readonly parentPid: number;
  readonly argv: readonly string[];
  /** The program's main file, where there is one. */
  readonly main: string | null;
  /** The user's modules, as specifiers. */
  readonly preload: readonly string[];
  /** Whether one that fails ends the template. */
  readonly onError: 'ignore' | 'warn' | 'fail';
  /** Modules of this library that children need. */
  readonly modules: readonly string[];
}

/** Returns a request as it travels. */
export function encodeRequest(request: ChildRequest, descriptors: number): Uint8Array {
  const body = Buffer.from(JSON.stringify(request));
  const head = Buffer.alloc(REQUEST_HEADER_BYTES);
  head.writeUInt32LE(body.length, 0);
  head.writeUInt32LE(descriptors, 4);
  return Buffer.concat([head, body]);
}

/** A request that arrived whole, as it travelled, and its descriptors. */
export interface ReceivedRequest {
  readonly frame: Uint8Array;
  readonly descriptors: readonly number[];
}

/**
 * Takes a request of which these descriptors have come: `null` while the rest is on its way,
 * `'bad'` for what is none.
 */
export function takeRequest(queue: ByteQueue, descriptors: readonly number[]): ReceivedRequest | 'bad' | null {
  const head = queue.peek(REQUEST_HEADER_BYTES);
  if (head === null) return null;
  const length = head.readUInt32LE(0);
  const count = head.readUInt32LE(4);
  if (length > MAX_REQUEST_BYTES || count > MAX_DESCRIPTORS) return 'bad';
  const whole = queue.take(REQUEST_HEADER_BYTES + length);
  if (whole === null) return null;
  return descriptors.length === count ? { frame: whole, descriptors } : 'bad';
}

/** Returns what is asked for. */
export function decodeRequest({ frame }: ReceivedRequest): ChildRequest {
  return JSON.parse(Buffer.from(frame.subarray(REQUEST_HEADER_BYTES)).toString()) as ChildRequest;
}

/** Returns a report as it travels. */
export function encodeReport(kind: Report, value: number): Uint8Array {
  const bytes = Buffer.alloc(REPORT_BYTES);
  bytes.writeUInt32LE(kind, 0);
  bytes.writeInt32LE(value, 4);
  return bytes;
}
