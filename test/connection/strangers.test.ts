/**
 * Peers that prove nothing: they hold no place, make us allocate nothing, and others are served
 * meanwhile.
 */

import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import net from 'node:net';
import { Client, Listener } from 'multiprocess';
import { afterEach, expect, it } from 'vitest';
import { until } from '../support/until.js';

const sockets: net.Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** A peer that connects and says `bytes`. */
async function stranger(address: unknown, ...bytes: Uint8Array[]): Promise<net.Socket> {
  const socket = net.connect(address as string).on('error', () => {});
  sockets.push(socket);
  await once(socket, 'connect');
  for (const part of bytes) socket.write(part);
  socket.resume();
  return socket;
}

const gone = (socket: net.Socket) =>
  new Promise((resolve) => (socket.closed ? resolve(null) : socket.once('close', resolve)));
const frame = (length: number, body: Uint8Array = new Uint8Array(0)) => {
  const header = Buffer.alloc(4);
  header.writeInt32BE(length);
  return Buffer.concat([header, body]);
};
const descriptors = () => readdirSync('/proc/self/fd').length;
const KEY = { authkey: 'secret' };

async function serves(listener: Listener): Promise<void> {
  const accepted = listener.accept();
  const client = await Client(listener.address, KEY);
  const server = await accepted;
  await client.send('served');
  expect(await server.recv()).toBe('served');
  client.close();
  server.close();
}

it.each<[string, Uint8Array[]]>([
  ['garbage', [Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')]],
  ['an oversized length', [frame(0x7fffffff)]],
  ['a length of 8 bytes', [frame(-1), Buffer.alloc(8, 0x7f)]],
  ['a negative length', [frame(-7)]],
  ['257 bytes, one too many', [frame(257, new Uint8Array(257))]],
  ['a frame that is no answer', [frame(33, new Uint8Array(33))]],
  ['an empty frame', [frame(0)]],
])('%s is dropped, and the next client served', async (_name, bytes) => {
  const listener = await Listener.listen(KEY);
  const before = process.memoryUsage();
  const accepted = listener.accept();
  const peers = await Promise.all(Array.from({ length: 20 }, () => stranger(listener.address, ...bytes)));
  await Promise.all(peers.map((peer) => gone(peer)));
  const client = await Client(listener.address, KEY);
  (await accepted).close();
  client.close();
  const after = process.memoryUsage();
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(8 * 1024 * 1024);
  await serves(listener);
  listener.close();
});

it('peers that send nothing, or a byte at a time, are dropped at the time limit', async () => {
  const listener = await Listener.listen({ ...KEY, handshakeTimeout: 300 });
  const before = descriptors();
  const accepted = listener.accept();
  const silent = await Promise.all([1, 2, 3].map(() => stranger(listener.address)));
  const slow = await Promise.all([1, 2, 3].map(() => stranger(listener.address)));
  const drip = setInterval(() => {
    for (const socket of slow) if (!socket.destroyed) socket.write('\0');
  }, 20);
  const client = await Client(listener.address, KEY);
  const server = await accepted;
  await Promise.all([...silent, ...slow].map((peer) => gone(peer)));
  clearInterval(drip);
  client.close();
  server.close();
  await until(() => descriptors() <= before, 'the descriptors of the strangers are closed');
  listener.close();
});

it('silent peers that hold every place give way to the next one', async () => {
  const listener = await Listener.listen({ ...KEY, maxHandshakes: 4, handshakeTimeout: 60_000 });
  const accepted = listener.accept();
  const crowd = await Promise.all(Array.from({ length: 40 }, () => stranger(listener.address)));
  const client = await Client(listener.address, KEY);
  const server = await accepted;
  await until(() => crowd.filter((peer) => peer.closed).length >= 36, 'all but the last few are dropped');
  await serves(listener);
  client.close();
  server.close();
  listener.close();
  await until(() => crowd.every((peer) => peer.closed), 'closing the listener drops the rest');
});

it('a peer that closes its sending half and reads on is dropped', async () => {
  const listener = await Listener.listen(KEY);
  const accepted = listener.accept();
  const socket = net.connect({ path: listener.address as string, allowHalfOpen: true });
  sockets.push(socket);
  socket.resume().end();
  await gone(socket);
  const client = await Client(listener.address, KEY);
  (await accepted).close();
  client.close();
  listener.close();
});

it('a client gives up on a listener that sends nothing, or too much', async () => {
  const silent = net.createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = { host: '127.0.0.1', port: (silent.address() as net.AddressInfo).port };
  await expect(Client(address, { ...KEY, timeout: 100 })).rejects.toMatchObject({ code: 'MP_TIMEOUT' });
  const gone = new AbortController();
  const aborted = Client(address, { ...KEY, signal: gone.signal });
  gone.abort(new Error('no longer wanted'));
  await expect(aborted).rejects.toThrow('no longer wanted');
  silent.close();

  const loud = net
    .createServer((socket) => void socket.on('error', () => {}).write(frame(1 << 30)))
    .listen(0, '127.0.0.1');
  await once(loud, 'listening');
  const other = { host: '127.0.0.1', port: (loud.address() as net.AddressInfo).port };
  await expect(Client(other, KEY)).rejects.toMatchObject({ code: 'MP_MESSAGE_LENGTH' });
  loud.close();
});

it('a client that finds no listener rejects with MP_CONNECTION_REFUSED', async () => {
  await expect(Client('\0nobody listens here')).rejects.toMatchObject({ code: 'MP_CONNECTION_REFUSED' });
  const taken = net.createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as net.AddressInfo;
  taken.close();
  await once(taken, 'close');
  await expect(Client({ host: '127.0.0.1', port })).rejects.toThrow(`nobody listens at 127.0.0.1:${port}`);
  await expect(Client({ host: 'nowhere.invalid', port })).rejects.toMatchObject({ code: 'MP_HOST_NOT_FOUND' });
});
