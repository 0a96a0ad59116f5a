/**
 * Stock Python at the other end, in both roles; and the handshake of 3.12 and later, which this
 * machine's Python may not have.
 */

import { spawn } from 'node:child_process';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Client, type Connection, Listener, pipe } from 'multiprocess';
import { answerChallenge, deliverChallenge } from 'multiprocess/connection';
import { recvHandle, sendHandle } from 'multiprocess/reduction';
import { describe, expect, it } from 'vitest';
import { hasPython, python } from '../support/python.js';

const SIZES = [0, 1, 16_384, 16_385, 10_000_000];
const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error as { code?: string }).code,
  );

async function echoThrough(connection: Connection): Promise<void> {
  for (const size of SIZES) {
    const message = randomBytes(size);
    const sent = connection.sendBytes(message);
    const back = await connection.recvBytes();
    await sent;
    expect([back.length, digest(back)]).toEqual([size, digest(message)]);
  }
}

const ECHO = `
def echo(c):
    for n in (${SIZES.join(', ')}):
        m = c.recv_bytes()
        assert len(m) == n, (len(m), n)
        c.send_bytes(m)
`;

describe.skipIf(!hasPython)('a stock Python', () => {
  it.each([
    ['AF_UNIX', {}],
    ['AF_INET', { address: { host: '127.0.0.1', port: 0 } }],
    ['AF_UNIX, abstract', { address: `\0multiprocess-test-${process.pid}` }],
  ])('connects to our listener: %s', async (_name, options) => {
    const listener = await Listener.listen({ ...options, authkey: 'sesame' });
    const where =
      typeof listener.address === 'string' ? listener.address.replace('\0', '@') : `127.0.0.1 ${listener.address.port}`;
    const program = `${ECHO}
import sys
from multiprocessing.connection import Client
a = sys.argv[1]
a = a.replace('@', chr(0)) if ' ' not in a else (a.split()[0], int(a.split()[1]))
echo(Client(a, authkey=b'sesame'))
print('echoed')
`;
    const done = python(program, where);
    const connection = await listener.accept();
    await echoThrough(connection);
    expect(await done).toBe('echoed');
    expect(await failure(connection.recvBytes())).toBe('MP_CONNECTION_EOF');
    connection.close();
    listener.close();
  });

  it('with another key is refused by our listener, and gets the error', async () => {
    const listener = await Listener.listen({ authkey: 'sesame' });
    const done = python(
      `import sys
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client
try:
    Client(sys.argv[1], authkey=b'wrong')
except AuthenticationError as e:
    print('refused')`,
      listener.address as string,
    );
    await expect(listener.accept()).rejects.toMatchObject({ name: 'AuthenticationError', code: 'MP_AUTHENTICATION' });
    expect(await done).toBe('refused');
    listener.close();
  });

  it('listens for our client, and accepts the right key only', async () => {
    const program = `${ECHO}
from multiprocessing import AuthenticationError
from multiprocessing.connection import Listener
l = Listener(authkey=b'sesame')
print(l.address, flush=True)
echo(l.accept())
try:
    l.accept()
except AuthenticationError:
    print('refused', flush=True)
`;
    const child = spawn('python3', ['-c', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const address = (await lines.next()).value as string;
    const connection = await Client(address, { authkey: 'sesame' });
    await echoThrough(connection);
    connection.close();
    await expect(Client(address, { authkey: 'wrong' })).rejects.toMatchObject({ name: 'AuthenticationError' });
    expect((await lines.next()).value).toBe('refused');
    if (child.exitCode === null) await once(child, 'exit');
  });

  it('passes descriptors to us and gets some from us, over an inherited pipe', async () => {
    const [ours, theirs] = pipe();
    const child = spawn(
      'python3',
      [
        '-c',
        `import os
from multiprocessing import reduction
from multiprocessing.connection import Connection
c = Connection(3)
fd = reduction.recv_handle(c)
reduction.send_handle(c, fd, os.getppid())
c.send_bytes(b'and a message')
`,
      ],
      { stdio: ['ignore', 'inherit', 'inherit', theirs.fileno()] },
    );
    theirs.close();
    const file = openSync('/proc/self/status', 'r');
    await sendHandle(ours, file, child.pid!);
    const back = await recvHandle(ours);
    expect(fstatSync(back, { bigint: true }).ino).toBe(fstatSync(file, { bigint: true }).ino);
    expect(Buffer.from(await ours.recvBytes()).toString()).toBe('and a message');
    closeSync(back);
    closeSync(file);
    ours.close();
    if (child.exitCode === null) await once(child, 'exit');
  });
});

/**
 * Python 3.12 and later, transcribed from its connection.py: `_get_digest_name_and_payload`,
 * `_create_response`, `_verify_challenge`, `deliver_challenge`, `answer_challenge`.
 */
const NODE_DIGEST: Record<string, string> = {
  md5: 'md5',
  sha256: 'sha256',
  sha384: 'sha384',
  sha3_256: 'sha3-256',
  sha3_384: 'sha3-384',
};
function nameAndPayload(message: Buffer): [string, Buffer] {
  if (message.length === 20 || message.length === 16) return ['', message];
  const curly = message.indexOf('}', 1);
  if (message[0] === 0x7b && curly > 0 && curly < 10) {
    const name = message.subarray(1, curly).toString();
    if (Object.hasOwn(NODE_DIGEST, name)) return [name, message.subarray(curly + 1)];
  }
  throw new Error('unsupported message length, missing digest prefix, or unsupported digest');
}
const mac = (key: string, message: Buffer, name: string) =>
  createHmac(NODE_DIGEST[name]!, key).update(message).digest();
async function modernDeliver(c: Connection, key: string, name: string): Promise<void> {
  const message = Buffer.concat([Buffer.from(`{${name}}`), randomBytes(40)]);
  await c.sendBytes(Buffer.concat([Buffer.from('#CHALLENGE#'), message]));
  const [answered, payload] = nameAndPayload(Buffer.from(await c.recvBytes({ maxLength: 256 })));
  if (!mac(key, message, answered === '' ? 'md5' : answered).equals(payload)) {
    await c.sendBytes(Buffer.from('#FAILURE#'));
    throw new Error('digest received was wrong');
  }
  await c.sendBytes(Buffer.from('#WELCOME#'));
}
async function modernAnswer(c: Connection, key: string): Promise<void> {
  const message = Buffer.from(await c.recvBytes({ maxLength: 256 })).subarray(11);
  const [name] = nameAndPayload(message);
  const digest = mac(key, message, name === '' ? 'md5' : name);
  await c.sendBytes(name === '' ? digest : Buffer.concat([Buffer.from(`{${name}}`), digest]));
  if (Buffer.from(await c.recvBytes({ maxLength: 256 })).toString() !== '#WELCOME#')
    throw new Error('digest sent was rejected');
}

const RECORDED_SHA256 = '7b7368613235367dfc57fbe650d6124b98215e7b5d197d5807ad69982d275a9735ea2d56f1fa6989';
const RECORDED_MD5 = '8e48d2bb349b4b72b9382999ed5b62eb';

describe('the handshake of Python 3.12 and later', () => {
  it.each(Object.keys(NODE_DIGEST))('is answered with the digest that it names: %s', async (name) => {
    const [a, b] = pipe();
    await Promise.all([answerChallenge(a, 'key'), modernDeliver(b, 'key', name)]);
    await Promise.all([deliverChallenge(a, 'key', name as 'md5'), modernAnswer(b, 'key')]);
    a.close();
    b.close();
  });

  it('is refused for another key, in both directions', async () => {
    const [a, b] = pipe();
    const [mine, theirs] = await Promise.allSettled([answerChallenge(a, 'key'), modernDeliver(b, 'other', 'sha256')]);
    expect([mine.status, theirs.status]).toEqual(['rejected', 'rejected']);
    const [ours, peers] = await Promise.allSettled([deliverChallenge(a, 'key'), modernAnswer(b, 'other')]);
    expect([ours.status, peers.status]).toEqual(['rejected', 'rejected']);
    expect((ours as PromiseRejectedResult).reason.code).toBe('MP_AUTHENTICATION');
    a.close();
    b.close();
  });

  it('accepts recorded answers to a recorded challenge', async () => {
    // Made by CPython's own hmac module: hmac.new(b'secret', b'{sha256}' + bytes(range(40)),
    // 'sha256'), and the same with md5 for a peer until 3.11.
    const message = Buffer.concat([Buffer.from('{sha256}'), Buffer.from(Array.from({ length: 40 }, (_, i) => i))]);
    const { verifyChallenge, createResponse } = await import('../../dist/connection/handshake/authentication.js');
    const modern = Buffer.from(createResponse('secret', message));
    expect(modern.toString('hex')).toBe(RECORDED_SHA256);
    verifyChallenge('secret', message, modern);
    verifyChallenge('secret', message, Buffer.from(RECORDED_MD5, 'hex'));
  });
});
