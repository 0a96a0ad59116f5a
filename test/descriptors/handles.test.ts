/** Descriptors, sockets and servers as values, and the resource sharer that serves them. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'multiprocess';
import { DupFd, dumps, loads, recvFds, sendFds } from 'multiprocess/reduction';
import { resourceSharer } from 'multiprocess/resource-sharer';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  closeDescriptor,
  connectSocket,
  createPipe,
  Family,
  fetchDescriptor,
  offerDescriptor,
  releaseOffer,
  renewOffer,
  socketPair,
  writeChannel,
} from '../../dist/native/index.js';
import { codeOf } from '../support/code-of.js';
import { openSockets } from '../support/sockets.js';
import { until } from '../support/until.js';

let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 1 });
});
afterAll(() => pool.terminate());

const folder = mkdtempSync(join(tmpdir(), 'handles-'));
afterAll(() => rmSync(folder, { recursive: true }));
const inode = (fd: number) => fstatSync(fd, { bigint: true }).ino;
afterEach(() => resourceSharer.stop());

describe('the resource sharer', () => {
  it('gives copies of what is offered, again and again, until it is stopped', async () => {
    const before = openSockets();
    const file = openSync(join(folder, 'offered'), 'w+');
    const offer = offerDescriptor(file, 60_000);
    closeSync(file);
    const copies = [fetchDescriptor(offer), fetchDescriptor(offer)];
    writeSync(copies[0]!, 'text');
    expect(readFileSync(join(folder, 'offered'), 'utf8')).toBe('text');
    expect(renewOffer(offer, 60_000)).toBe(true);
    resourceSharer.stop();
    expect(codeOf(() => fetchDescriptor(offer))).toBe('MP_OWNER_GONE');
    expect(renewOffer(offer, 60_000)).toBe(false);
    for (const copy of copies) closeSync(copy);
    await until(() => openSockets() === before, 'the thread ends with the last offer');
    const again = offerDescriptor(openSync('/dev/null', 'r'), 60_000);
    closeSync(fetchDescriptor(again));
  });

  it('forgets an offer when its time is over', async () => {
    const [reads, writes] = createPipe();
    const offer = offerDescriptor(writes, 50);
    closeDescriptor(writes);
    // At its end, since the copy of the sharer was the last.
    expect(
      await new Promise((resolve) =>
        new net.Socket({ fd: reads, readable: true }).resume().on('end', () => resolve('end')),
      ),
    ).toBe('end');
    expect(codeOf(() => fetchDescriptor(offer))).toBe('MP_OWNER_GONE');
  });

  it('keeps a released offer until it was had as often as it was sent', () => {
    const file = openSync('/dev/null', 'r');
    const offer = offerDescriptor(file, 60_000);
    renewOffer(offer, 60_000);
    closeSync(file);
    releaseOffer(offer);
    for (let i = 0; i < 2; i++) closeSync(fetchDescriptor(offer));
    expect(codeOf(() => fetchDescriptor(offer))).toBe('MP_OWNER_GONE');
  });

  it('answers neither a wrong key nor one that is none', () => {
    const offer = offerDescriptor(0, 60_000);
    expect(codeOf(() => fetchDescriptor({ ...offer, key: '0'.repeat(64) }))).toBe('MP_OWNER_GONE');
    expect(codeOf(() => fetchDescriptor({ ...offer, key: 'short' }))).toBe('MP_INVALID_ARGUMENT');
    expect(codeOf(() => fetchDescriptor({ ...offer, address: 'nobody-is-here' }))).toBe('MP_OWNER_GONE');
    expect(codeOf(() => offerDescriptor(44_977, 1_000))).toBe('MP_SYSTEM');
  });

  it('serves others while strangers hold its socket open and say nothing', async () => {
    const offer = offerDescriptor(0, 60_000);
    const strangers = Array.from({ length: 100 }, () => {
      const { fd } = connectSocket({ family: Family.AF_UNIX, host: `\0${offer.address}`, port: 0 });
      writeChannel(fd, new Uint8Array(3), 0, 3);
      return fd;
    });
    const got = await pool.apply(
      async (module: string, offer: any) => {
        const { fetchDescriptor, closeDescriptor } = await import(module);
        const fd = fetchDescriptor(offer);
        closeDescriptor(fd);
        return fd >= 0;
      },
      [new URL('../../dist/native/index.js', import.meta.url).href, offer],
    );
    expect(got).toBe(true);
    for (const fd of strangers) closeDescriptor(fd);
  });
});

describe('DupFd', () => {
  it('is the same open file where it arrives, though the sender has closed it', async () => {
    const file = openSync(join(folder, 'dup'), 'w+');
    const dup = new DupFd(file);
    closeSync(file);
    const done = pool.apply(
      async (fd: DupFd) => {
        const { closeSync, writeSync } = await import('node:fs');
        const mine = fd.detach();
        writeSync(mine, 'written by the worker');
        closeSync(mine);
        return fd;
      },
      [dup],
    );
    // Detached there, it cannot be sent on.
    await expect(done).rejects.toThrow(
      'DupFd: it is detached in this thread and cannot be sent; send it before it is detached.',
    );
    expect(readFileSync(join(folder, 'dup'), 'utf8')).toBe('written by the worker');
    const mine = dup.detach();
    expect(codeOf(() => dup.detach())).toBe('MP_CLOSED');
    expect(() => dup.detach()).toThrow('DupFd: the descriptor was detached here before');
    expect(codeOf(() => dumps(dup))).toBe('MP_CLOSED');
    expect(String(dup)).toBe('<DupFd (detached)>');
    closeSync(mine);
  });

  it('refuses what is no descriptor, and may be closed twice', () => {
    expect(codeOf(() => new DupFd(44_977))).toBe('MP_SYSTEM');
    expect(() => new DupFd(44_977)).toThrow(/^DupFd on descriptor 44977: /);
    for (const value of ['x', 1.5, NaN, -1, 2 ** 32, undefined])
      expect(codeOf(() => new DupFd(value as any))).toBe('MP_INVALID_ARGUMENT');
    expect(() => new DupFd('x' as any)).toThrow(/^DupFd: the descriptor must be an integer .*, not "x"\.$/);
    const dup = new DupFd(0);
    expect(loads(dumps(dup))).toBe(dup);
    dup.close();
    dup[Symbol.dispose]();
    expect(String(dup)).toBe('<DupFd (closed)>');
    expect(() => dup.detach()).toThrow('DupFd: the descriptor was closed here before');
    expect(() => dumps(dup)).toThrow('DupFd: it is closed in this thread and cannot be sent');
  });
});

describe('sendFds and recvFds', () => {
  it('carry several descriptors, and say when others came', async () => {
    const [a, b] = socketPair();
    const files = [0, 1, 2].map((i) => openSync(join(folder, `many-${i}`), 'w+'));
    const got = recvFds(b, 3);
    await sendFds(a, files);
    const copies = await got;
    expect(copies.map(inode)).toEqual(files.map(inode));
    await sendFds(a, files);
    await expect(recvFds(b, 2)).rejects.toMatchObject({ code: 'MP_NO_DESCRIPTOR' });
    for (const fd of [...files, ...copies]) closeSync(fd);
    closeDescriptor(a);
    await expect(recvFds(b, 1)).rejects.toMatchObject({ code: 'MP_CONNECTION_EOF' });
    closeDescriptor(b);
    await expect(sendFds({} as any, [])).rejects.toMatchObject({ code: 'MP_INVALID_ARGUMENT' });
  });
});

describe('sockets', () => {
  it('a connected socket arrives with what its sender had read and not used', async () => {
    const server = net.createServer({ pauseOnConnect: true }).listen(join(folder, 'socket'));
    await once(server, 'listening');
    const client = net.connect(join(folder, 'socket'));
    const [socket] = (await once(server, 'connection')) as [net.Socket];
    client.write('early ');
    socket.read(0); // starts to read, without a listener
    await until(() => socket.readableLength === 6, 'the bytes were read');
    const done = pool.apply(
      async (arrived: net.Socket) => {
        const { Socket } = await import('node:net');
        let text = '';
        for await (const data of arrived) text += data;
        return [arrived instanceof Socket, text];
      },
      [socket],
    );
    await new Promise((next) => setTimeout(next, 50));
    client.end('late');
    expect(await done).toEqual([true, 'early late']);
    socket.destroy();
    client.destroy();
    server.close();
  });

  it('a listening server accepts where it arrives', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const done = pool.apply(
      (arrived: net.Server) =>
        new Promise((resolve) => {
          arrived.on('connection', (socket) => {
            socket.end('from the worker');
            arrived.close();
            resolve(arrived.constructor.name);
          });
        }),
      [server],
    );
    await new Promise((next) => setTimeout(next, 100));
    server.close();
    const client = net.connect(port, '127.0.0.1');
    const [data] = await once(client, 'data');
    expect(String(data)).toBe('from the worker');
    expect(await done).toBe('Server');
    client.destroy();
  });

  it('a socket that is read from here, as that of a database client is, is refused', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const db = { connection: { stream: net.connect((server.address() as net.AddressInfo).port, '127.0.0.1') } };
    await once(db.connection.stream, 'connect');
    db.connection.stream.on('data', () => {});
    expect(() => dumps(db)).toThrow(
      /an instance of Socket \(.stream <- .connection\).*create the client on the other side/s,
    );
    db.connection.stream.destroy();
    server.close();
  });

  it('what is not connected, datagrams and unconnected servers are refused with advice', () => {
    expect(() => dumps(new net.Socket())).toThrow(/not connected/);
    expect(() => dumps(net.createServer())).toThrow(/not listening/);
    const datagrams = createSocket('udp4');
    expect(codeOf(() => dumps(datagrams))).toBe('MP_NATIVE_OBJECT');
    datagrams.close();
  });
});
