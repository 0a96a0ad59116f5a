/**
 * A handshake ends: with a connection, or with an error that names the side that lacks something.
 */
import { readFileSync } from 'node:fs';
import { answerChallenge, deliverChallenge, Listener, Client as plainClient } from 'multiprocess/connection';
import { afterEach, describe, expect, it } from 'vitest';
import { pair } from '../support/connections.js';
import { nearly } from '../support/nearly.js';

const KEY = readFileSync(new URL('../fixtures/connection/key.pem', import.meta.url));
const CERT = readFileSync(new URL('../fixtures/connection/cert.pem', import.meta.url));
const Client: typeof plainClient = plainClient;
const listeners: Listener[] = [];
afterEach(() => {
  for (const listener of listeners.splice(0)) listener.close();
});

async function listen(options: Parameters<typeof Listener.listen>[0] = {}): Promise<Listener> {
  const listener = await Listener.listen(options);
  listeners.push(listener);
  return listener;
}

const failure = async (promise: Promise<unknown>) =>
  promise.then(
    () => ({ code: '', message: 'no error' }),
    (error: unknown) => error as { code: string; message: string },
  );

describe('a client with a key at a listener without one', () => {
  it.each([
    ['in the time of the handshake', { handshakeTimeout: 100 }, 'MP_HANDSHAKE_TIMEOUT', /may have no `authkey`/],
    ['in its own time', { timeout: 100 }, 'MP_TIMEOUT', /within 100 ms: .* may have no `authkey`/],
  ])('gives up %s', async (_, options, code, message) => {
    const listener = await listen();
    const accepted = listener.accept();
    const error = await failure(Client(listener.address, { authkey: 'secret', ...options }));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect((await failure((await accepted).recv())).code).toBe('MP_CONNECTION_EOF');
  });

  it('gives up after ten seconds by default', async () => {
    const listener = await listen();
    const began = performance.now();
    expect((await failure(Client(listener.address, { authkey: 'secret' }))).code).toBe('MP_HANDSHAKE_TIMEOUT');
    expect(performance.now() - began).toBeGreaterThanOrEqual(nearly(10_000));
  });
});

it('a client without a key at a listener with one learns that from its first message', async () => {
  const listener = await listen({ authkey: 'secret' });
  const accepted = listener.accept().catch(() => {});
  for (const receive of [(c: any) => c.recv(), async (c: any) => (await c.poll({ timeout: 5_000 })) && c.recvSync()]) {
    for (const serializer of ['multiprocess', 'msgpackr'] as const) {
      const client = await Client(listener.address, { serializer });
      const error = await failure(receive(client));
      expect(error.code).toBe('MP_AUTHENTICATION');
      expect(error.message).toMatch(/the listener has an `authkey`; give Client the same one/);
      client.close();
    }
  }
  listener.close();
  await accepted;
});

it.each([
  [
    'a client with TLS at a listener without',
    {},
    { tls: true as const, handshakeTimeout: 200 },
    /MP_HANDSHAKE_TIMEOUT|MP_CONNECTION/,
  ],
  [
    'a client with TLS at one that has a key only',
    { authkey: 'k' },
    { tls: true as const, handshakeTimeout: 5_000 },
    /MP_HANDSHAKE_TIMEOUT|MP_CONNECTION/,
  ],
  [
    'a client with a key at one that has TLS',
    { tls: { key: KEY, cert: CERT }, handshakeTimeout: 200 },
    { authkey: 'k' },
    /MP_CONNECTION_EOF|MP_HANDSHAKE_TIMEOUT|MP_MESSAGE_LENGTH/,
  ],
])('%s ends', async (_, listening, connecting, code) => {
  const listener = await listen({ address: { host: '127.0.0.1', port: 0 }, ...listening });
  const accepted = listener.accept().then(
    (connection) => connection,
    () => null,
  );
  expect((await failure(Client(listener.address, connecting))).code).toMatch(code);
  listener.close();
  (await accepted)?.close();
});

it('the two halves of the handshake have a limit each', async () => {
  const [a, b] = pair();
  expect((await failure(answerChallenge(a, 'k', { timeout: 50 }))).code).toBe('MP_TIMEOUT');
  const unlimited = deliverChallenge(b, 'k');
  expect((await failure(unlimited)).code).toBe('MP_TIMEOUT');
}, 20_000);
