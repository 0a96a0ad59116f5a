/**
 * Python's handshake: each side proves that it knows the key without saying it. Both forms, so that
 * any Python can be the peer.
 *
 *   challenger                                answerer
 *   #CHALLENGE#{sha256}<40 random bytes>  ->
 *                                         <-  {sha256}<HMAC of what follows #CHALLENGE#>   since 3.12
 *                                         or  <HMAC-MD5 of the same>, 16 bytes             until 3.11
 *   #WELCOME# or #FAILURE#                ->
 *
 * Until 3.11 the challenge is 20 random bytes and its answer HMAC-MD5. Each is one message of at
 * most 256 bytes: what announces more is refused before anything is allocated, and nothing is
 * decoded, for these are bytes.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { ArgumentError, AuthenticationError } from '../../errors/index.js';
import { describe } from '../../util/options.js';
import type { WaitOptions } from '../../util/wait-options.js';
import type { Connection } from '../connection.js';
import { CHALLENGE_PREFIX } from './challenge.js';

/** A key that both ends know. Text counts as its UTF-8 bytes. */
export type AuthKey = Uint8Array | string;

/**
 * Milliseconds that a peer has for each message of the handshake, unless the caller says otherwise.
 */
export const HANDSHAKE_TIMEOUT_MS = 10_000;
const WELCOME = Buffer.from('#WELCOME#');
const FAILURE = Buffer.from('#FAILURE#');
const CHALLENGE_BYTES = 40;
const LEGACY_CHALLENGE_BYTES = 20;
const LEGACY_ANSWER_BYTES = 16;
const MAX_MESSAGE_BYTES = 256;

/** Python's names of digests, and Node's. */
const DIGESTS: ReadonlyMap<string, string> = new Map([
  ['md5', 'md5'],
  ['sha256', 'sha256'],
  ['sha384', 'sha384'],
  ['sha3_256', 'sha3-256'],
  ['sha3_384', 'sha3-384'],
]);

/** A digest by which a challenge may be answered. */
export type DigestName = 'md5' | 'sha256' | 'sha384' | 'sha3_256' | 'sha3_384';

/**
 * Challenges the peer to prove that it knows the key. Python: `deliver_challenge`.
 *
 * @param digest what a peer of Python 3.12 or later, or this library, answers with. Default
 * `sha256`.
 * @param options `timeout` (default 10,000 ms) and `signal` for each message that is waited for.
 * @throws (as rejection) AuthenticationError `MP_AUTHENTICATION` when the answer is wrong,
 * `MP_AUTHENTICATION_PROTOCOL` when it is none; the peer was told. What `recvBytes` and `sendBytes`
 * reject with.
 * @example
 * import { answerChallenge, deliverChallenge, pipe } from 'multiprocess/connection';
 *
 * const [server, client] = pipe();
 * const [checked] = await Promise.allSettled([
 *   deliverChallenge(server, 'secret'),
 *   answerChallenge(client, 'guessed').catch(() => {}), // it is told
 * ]);
 * console.log(checked.status === 'rejected' && checked.reason.code); // MP_AUTHENTICATION
 * for (const end of [server, client]) end.close();
 */
export async function deliverChallenge(
  connection: Connection,
  authkey: AuthKey,
  digest: DigestName = 'sha256',
  options?: WaitOptions,
): Promise<void> {
  const key = keyOf('deliverChallenge', authkey);
  if (!DIGESTS.has(digest))
    throw new ArgumentError(`deliverChallenge: \`digest\` must be one of ${[...DIGESTS.keys()].join(', ')}.`);
  const message = Buffer.concat([Buffer.from(`{${digest}}`), randomBytes(CHALLENGE_BYTES)]);
  await connection.sendBytes(Buffer.concat([CHALLENGE_PREFIX, message]));
  const answer = await connection.recvBytes({
    timeout: HANDSHAKE_TIMEOUT_MS,
    ...options,
    maxLength: MAX_MESSAGE_BYTES,
  });
  try {
    verify(key, message, answer);
  } catch (error) {
    await connection.sendBytes(FAILURE);
    throw error;
  }
  await connection.sendBytes(WELCOME);
}

/**
 * Answers the peer's challenge. Python: `answer_challenge`.
 *
 * @param options as for {@link deliverChallenge}.
 * @throws (as rejection) AuthenticationError `MP_AUTHENTICATION` when the peer does not accept the
 * answer, `MP_AUTHENTICATION_PROTOCOL` when it does not challenge. What `recvBytes` and `sendBytes`
 * reject with.
 * @example
 * import { answerChallenge, deliverChallenge, pipe } from 'multiprocess/connection';
 *
 * const [server, client] = pipe<string>();
 * await Promise.all([deliverChallenge(server, 'secret'), answerChallenge(client, 'secret')]);
 * await server.send('welcome');
 * console.log(await client.recv()); // welcome
 * for (const end of [server, client]) end.close();
 */
export async function answerChallenge(connection: Connection, authkey: AuthKey, options?: WaitOptions): Promise<void> {
  const key = keyOf('answerChallenge', authkey);
  const bounds = { timeout: HANDSHAKE_TIMEOUT_MS, ...options, maxLength: MAX_MESSAGE_BYTES };
  const challenge = await connection.recvBytes(bounds);
  if (!startsWith(challenge, CHALLENGE_PREFIX)) {
    throw protocol(
      'the peer sent no challenge: it expects no key, or is no multiprocessing listener; give no `authkey`, or check the address',
    );
  }
  const message = challenge.subarray(CHALLENGE_PREFIX.length);
  if (message.length < LEGACY_CHALLENGE_BYTES) throw protocol(`the challenge is too short (${message.length} bytes)`);
  await connection.sendBytes(createResponse(key, message));
  const verdict = await connection.recvBytes(bounds);
  if (!equal(verdict, WELCOME)) {
    throw new AuthenticationError('The peer does not accept our key; use the `authkey` that the other side was given.');
  }
}

/**
 * Returns the answer to a challenge: in the form in which it was asked.
 * @throws AuthenticationError `MP_AUTHENTICATION_PROTOCOL` for an unknown digest.
 */
export function createResponse(authkey: AuthKey, message: Uint8Array): Uint8Array {
  const key = keyOf('createResponse', authkey);
  const { digest } = split(message);
  if (digest === undefined) return hmac('md5', key, message);
  return Buffer.concat([Buffer.from(`{${digest}}`), hmac(digest, key, message)]);
}

/**
 * Whether `answer` proves that the peer knows the key.
 * @throws AuthenticationError when it does not.
 */
export function verifyChallenge(authkey: AuthKey, message: Uint8Array, answer: Uint8Array): void {
  verify(keyOf('verifyChallenge', authkey), message, answer);
}

function verify(key: Uint8Array, message: Uint8Array, answer: Uint8Array): void {
  const { digest, payload } = split(answer);
  const expected = hmac(digest ?? 'md5', key, message);
  if (payload.length !== expected.length) {
    throw protocol(`the answer to our challenge has ${payload.length} bytes, not ${expected.length}`);
  }
  if (!timingSafeEqual(expected, payload)) {
    throw new AuthenticationError('The peer has another key; give both sides the same `authkey`.');
  }
}

/**
 * Returns the digest that a message names, and what follows it. Messages of 16 and 20 bytes name
 * none: they are of Python until 3.11.
 */
function split(message: Uint8Array): { digest: string | undefined; payload: Uint8Array } {
  if (message.length === LEGACY_CHALLENGE_BYTES || message.length === LEGACY_ANSWER_BYTES)
    return { digest: undefined, payload: message };
  const end = message[0] === 0x7b ? message.indexOf(0x7d) : -1;
  const digest = end < 0 || end > 10 ? '' : Buffer.from(message.subarray(1, end)).toString('latin1');
  if (!DIGESTS.has(digest)) throw protocol(`the peer names no digest that we know (${[...DIGESTS.keys()].join(', ')})`);
  return { digest, payload: message.subarray(end + 1) };
}

function hmac(digest: string, key: Uint8Array, message: Uint8Array): Buffer {
  try {
    return createHmac(DIGESTS.get(digest)!, key).update(message).digest();
  } catch (cause) {
    throw new AuthenticationError(
      `This Node cannot compute ${digest}, which the peer asks for; use a peer of Python 3.12 or later.`,
      {
        code: 'MP_AUTHENTICATION_PROTOCOL',
        cause,
      },
    );
  }
}

function protocol(what: string): AuthenticationError {
  return new AuthenticationError(`The handshake failed: ${what}.`, { code: 'MP_AUTHENTICATION_PROTOCOL' });
}

/** Returns the bytes of a key. @throws ArgumentError. */
export function keyOf(actor: string, authkey: AuthKey): Uint8Array {
  if (typeof authkey === 'string') return Buffer.from(authkey);
  if (authkey instanceof Uint8Array) return authkey;
  throw new ArgumentError(`${actor}: \`authkey\` must be a Uint8Array or a string, not ${describe(authkey)}.`);
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.length >= prefix.length && equal(bytes.subarray(0, prefix.length), prefix);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
