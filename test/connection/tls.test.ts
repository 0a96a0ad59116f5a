import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { Client, Listener, wait } from 'multiprocess';
import { expect, it } from 'vitest';
import { dumps } from '../../dist/reduction/index.js';
import { until } from '../support/until.js';

const file = (name: string) => readFileSync(new URL(`../fixtures/connection/${name}.pem`, import.meta.url));
const server = { key: file('key'), cert: file('cert') };
const address = { host: 'localhost', port: 0 };
const codeOf = (promise: Promise<unknown>) => promise.catch((error: unknown) => (error as { code?: string }).code);

it('messages cross TLS as they cross a socket, after the same handshake', async () => {
  const listener = await Listener.listen({ address, tls: server, authkey: 'k' });
  const to = { host: 'localhost', port: (listener.address as { port: number }).port };
  const [b, a] = await Promise.all([listener.accept(), Client<any>(to, { tls: { ca: server.cert }, authkey: 'k' })]);
  await a.send({ hello: new Map([[1, 2]]) });
  expect(await b.recv()).toEqual({ hello: new Map([[1, 2]]) });
  const big = new Uint8Array(3_000_000).map((_, i) => i * 7);
  const sent = a.sendBytes(big);
  expect(Buffer.compare(await b.recvBytes(), big)).toBe(0);
  await sent;
  for (const value of [1, 2, 3]) void b.send(value);
  expect([await a.recv(), await a.recv(), await a.recv()]).toEqual([1, 2, 3]);
  expect(await a.poll({ timeout: 20 })).toBe(false);
  const both = wait([a, b], { timeout: 20_000 });
  await b.send('ready');
  expect(await both).toEqual([a]);
  expect(await a.recv()).toBe('ready');
  expect(() => a.fileno()).toThrow(/over TLS/);
  expect(() => a.recvSync()).toThrow(/event loop/);
  expect(() => dumps(a)).toThrow(/TLS/);
  a.close();
  expect(await codeOf(b.recv())).toBe('MP_CONNECTION_EOF');
  b.close();
  listener.close();
});

it('a certificate that is not trusted, another key, and a peer without TLS are refused', async () => {
  const listener = await Listener.listen({ address, tls: server, authkey: 'k', handshakeTimeout: 500 });
  const to = { host: 'localhost', port: (listener.address as { port: number }).port };
  const accepted = listener.accept();
  expect(await codeOf(Client(to, { tls: true, authkey: 'k' }))).toBe('MP_CONNECTION');
  const plain = net.connect(to.port).on('error', () => {});
  await once(plain, 'connect');
  plain.resume().write('not a handshake');
  // The listener accepts in the order of arrival, and no more once `mine` has failed its only accept().
  const silent = net.connect(to.port).on('error', () => {});
  await once(silent, 'connect');
  const mine = codeOf(Client(to, { tls: { ca: server.cert }, authkey: 'x' }));
  expect(await codeOf(accepted)).toBe('MP_AUTHENTICATION');
  expect(await mine).toBe('MP_AUTHENTICATION');
  silent.resume();
  await until(() => plain.closed && silent.closed, 'both are dropped');
  listener.close();
});
