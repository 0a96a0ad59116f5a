/**
 * The lines of Python's _TestConnection, _TestPoll, _TestListener, _TestListenerClient, _TestPicklingConnections, TestWait, OtherTest,
 * ChallengeResponseTest, TestInvalidHandle, TestInvalidFamily, TestTimeouts, TestIgnoreEINTR and _TestPollEintr, each under its name.
 * test_invalid_family_win32 has no counterpart: AF_UNIX is there on every system that this library runs on.
 */
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection, Listener, Pool, pipe, wait } from 'multiprocess';
import { type AddressFamily, answerChallenge, deliverChallenge } from 'multiprocess/connection';
import { recvHandle, sendHandle } from 'multiprocess/reduction';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createResponse, verifyChallenge } from '../../dist/connection/handshake/authentication.js';
import { startFixture } from '../support/fixture-process.js';
import { nearly } from '../support/nearly.js';

const FAMILIES: AddressFamily[] = ['AF_UNIX', 'AF_INET', 'AF_INET6'];

let pool: Pool;
beforeAll(() => {
  pool = new Pool({ processes: 4 });
});
afterAll(() => pool.terminate());

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});
function keep<T extends { close(): void }>(one: T): T {
  opened.push(one);
  return one;
}
function pair(options?: { duplex?: boolean }): [Connection<any>, Connection<any>] {
  const [a, b] = pipe<any>(options);
  return [keep(a), keep(b)];
}
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array) => new TextDecoder().decode(data);
const code = (error: unknown) => (error as { code?: string }).code;
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: unknown) => code(error),
  );

async function echo(connection: Connection<any>): Promise<void> {
  for (;;) {
    const message = await connection.recvBytes();
    if (message.length === 0) break;
    await connection.sendBytes(message);
  }
  connection.close();
}

describe('_TestConnection', () => {
  it('test_connection', async () => {
    const [conn, child] = pair();
    const done = pool.apply(echo, [child]);
    const sequence = [1, 2.25, null, { a: [1, 'b'] }];
    await conn.send(sequence);
    expect(await conn.recv()).toEqual(sequence);
    await conn.sendBytes(bytes('hello world'));
    expect(text(await conn.recvBytes())).toBe('hello world');

    const into = new Int32Array(10);
    const message = Int32Array.of(1, 2, 3, 4);
    await conn.sendBytes(message);
    expect(await conn.recvBytesInto(into)).toBe(16);
    expect([...into]).toEqual([1, 2, 3, 4, 0, 0, 0, 0, 0, 0]);
    await conn.sendBytes(message);
    expect(await conn.recvBytesInto(into, 3 * 4)).toBe(16);
    expect([...into]).toEqual([1, 2, 3, 1, 2, 3, 4, 0, 0, 0]);
    await conn.sendBytes(bytes('this is more than forty bytes, which is what the buffer has room for'));
    const error = await conn.recvBytesInto(into).catch((reason: unknown) => reason as any);
    expect(error.code).toBe('MP_BUFFER_TOO_SHORT');
    expect(text(error.data)).toContain('forty bytes, which is');

    expect(await conn.poll()).toBe(false);
    expect(await conn.poll({ timeout: -1 })).toBe(false);
    const began = performance.now();
    expect(await conn.poll({ timeout: 50 })).toBe(false);
    expect(performance.now() - began).toBeGreaterThanOrEqual(nearly(50));
    await conn.send(null);
    expect(await conn.poll({ timeout: 20_000 })).toBe(true);
    expect(await conn.recv()).toBe(null);

    const really = new Uint8Array(16 * 1024 * 1024).fill(88);
    const sent = conn.sendBytes(really);
    expect(Buffer.compare(await conn.recvBytes(), really)).toBe(0);
    await sent;

    await conn.sendBytes(new Uint8Array(0));
    child.close();
    await done;
    expect(await failure(conn.recv())).toBe('MP_CONNECTION_EOF');
    expect(await failure(conn.recvBytes())).toBe('MP_CONNECTION_EOF');
  });

  it('test_duplex_false', async () => {
    const [reader, writer] = pair({ duplex: false });
    await writer.send(1);
    expect(await reader.recv()).toBe(1);
    expect([reader.readable, reader.writable, writer.readable, writer.writable]).toEqual([true, false, false, true]);
    expect(await failure(reader.send(2))).toBe('MP_NOT_WRITABLE');
    expect(await failure(writer.recv())).toBe('MP_NOT_READABLE');
    expect(await failure(writer.poll())).toBe('MP_NOT_READABLE');
  });

  it('test_spawn_close', async () => {
    const [conn, child] = pair();
    const done = pool.apply(echo, [child]);
    child.close();
    await conn.sendBytes(bytes('hello'));
    expect(text(await conn.recvBytes())).toBe('hello');
    await conn.sendBytes(new Uint8Array(0));
    await done;
  });

  it('test_sendbytes', async () => {
    const message = bytes('abcdefghijklmnopqrstuvwxyz');
    const [a, b] = pair();
    const part = async (...range: number[]) => {
      await a.sendBytes(message, ...range);
      return text(await b.recvBytes());
    };
    expect(await part()).toBe('abcdefghijklmnopqrstuvwxyz');
    expect(await part(5)).toBe('fghijklmnopqrstuvwxyz');
    expect(await part(7, 8)).toBe('hijklmno');
    expect(await part(26)).toBe('');
    expect(await part(26, 0)).toBe('');
    for (const range of [[27], [22, 5], [26, 1], [-1], [4, -1]]) {
      expect(await failure(a.sendBytes(message, ...range))).toBe('MP_INVALID_ARGUMENT');
    }
    expect(await b.poll()).toBe(false);
  });

  for (const [name, least] of [
    ['test_fd_transfer', 0],
    ['test_large_fd_transfer', 257],
  ] as const) {
    it(name, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'connection-'));
      const spare: number[] = [];
      try {
        let file = openSync(join(folder, 'file'), 'w');
        while (file < least) {
          spare.push(file);
          file = openSync(join(folder, 'file'), 'w');
        }
        spare.push(file);
        const [conn, child] = pair();
        const done = pool.apply(
          async (connection: Connection) => {
            const { recvHandle } = await import('multiprocess/reduction');
            const { closeSync, writeSync } = await import('node:fs');
            const fd = await recvHandle(connection);
            writeSync(fd, 'foo');
            closeSync(fd);
          },
          [child],
        );
        child.close();
        await sendHandle(conn, file, null);
        await done;
        expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('foo');
      } finally {
        for (const fd of spare) closeSync(fd);
        rmSync(folder, { recursive: true });
      }
    });
  }

  it('test_missing_fd_transfer', async () => {
    const [conn, child] = pair();
    const got = recvHandle(child);
    await conn.sendBytes(bytes(''));
    expect(await failure(got)).toBe('MP_NO_DESCRIPTOR');
  });

  it('test_context', async () => {
    const [a, b] = pipe();
    await a.send(1);
    expect(await b.recv()).toBe(1);
    await a[Symbol.asyncDispose]();
    b[Symbol.dispose]();
    expect([a.closed, b.closed]).toEqual([true, true]);
    expect(await failure(a.recv())).toBe('MP_CLOSED');
    expect(await failure(b.recv())).toBe('MP_CLOSED');
  });

  it('test_wait_empty', async () => {
    const began = performance.now();
    expect(await wait([], { timeout: 50 })).toEqual([]);
    expect(performance.now() - began).toBeGreaterThanOrEqual(nearly(50));
  });
});

describe('_TestPoll', () => {
  it('test_empty_string', async () => {
    const [a, b] = pair();
    expect(await a.poll()).toBe(false);
    await b.sendBytes(new Uint8Array(0));
    expect(await a.poll()).toBe(true);
    expect(await a.poll()).toBe(true);
    expect(a.pollSync()).toBe(true);
  });

  it('test_strings', async () => {
    const strings = ['hello', '', 'a', 'b', '', 'bye', '', 'lop'];
    const [a, b] = pair();
    const done = pool.apply(
      async (connection: Connection, list: string[]) => {
        for (const one of list) {
          await new Promise((next) => setTimeout(next, 10));
          await connection.sendBytes(new TextEncoder().encode(one));
        }
      },
      [b, strings],
    );
    for (const one of strings) {
      expect(await a.poll({ timeout: 20_000 })).toBe(true);
      expect(text(await a.recvBytes())).toBe(one);
    }
    await done;
  });

  it('test_boundaries', async () => {
    const [reader, writer] = pair({ duplex: false });
    const polled = pool.apply((connection: Connection) => connection.poll({ timeout: 20_000 }), [reader]);
    await new Promise((next) => setTimeout(next, 50));
    for (const one of ['first', 'second']) await writer.sendBytes(bytes(one));
    writer.close();
    expect(await polled).toBe(true);
    expect(text(await reader.recvBytes())).toBe('first');
    expect(text(await reader.recvBytes())).toBe('second');
  });

  it('test_dont_merge', async () => {
    const [a, b] = pair();
    expect(await a.poll()).toBe(false);
    expect(await a.poll({ timeout: 20 })).toBe(false);
    const done = pool.apply(
      async (connection: Connection) => {
        for (const one of ['a', 'b', 'cd']) await connection.sendBytes(new TextEncoder().encode(one));
      },
      [b],
    );
    expect(await a.poll({ timeout: 20_000 })).toBe(true);
    await done;
    for (const one of ['a', 'b', 'cd']) {
      expect(await a.poll({ timeout: 20_000 })).toBe(true);
      expect(await a.poll({ timeout: 20_000 })).toBe(true);
      expect(text(await a.recvBytes())).toBe(one);
    }
  });
});

const host = (family: AddressFamily) => (family === 'AF_INET6' ? '::1' : 'localhost');
const listenOn = async (family: AddressFamily, authkey?: Uint8Array) =>
  keep(
    await Listener.listen({
      family,
      ...(family === 'AF_UNIX' ? {} : { address: { host: host(family), port: 0 } }),
      ...(authkey === undefined ? {} : { authkey }),
    }),
  );

describe('_TestListener', () => {
  it.each(FAMILIES)('test_multiple_bind: %s', async (family) => {
    const listener = await listenOn(family);
    const error = await Listener.listen({ address: listener.address, family }).catch(
      (reason: unknown) => reason as any,
    );
    expect(error).toMatchObject({ code: 'MP_SYSTEM', syscall: 'bind' });
    expect(error.message).toContain('EADDRINUSE');
  });

  it('test_context', async () => {
    const listener = await Listener.listen();
    const [client, server] = await Promise.all([Client(listener.address), listener.accept()]);
    await server.send(1729);
    expect(await client.recv()).toBe(1729);
    client[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
    await listener[Symbol.asyncDispose]();
    expect(await failure(listener.accept())).toBe('MP_CLOSED');
  });

  it('test_empty_authkey', async () => {
    const listener = await listenOn('AF_UNIX', new Uint8Array(0));
    const accepted = listener.accept();
    const client = keep(await Client(listener.address, { authkey: '' }));
    const server = keep(await accepted);
    await server.send('accepted');
    expect(await client.recv()).toBe('accepted');
    const refused = listener.accept();
    const [mine] = await Promise.all([
      failure(Client(listener.address, { authkey: 'x' })),
      expect(refused).rejects.toThrow(/another key/),
    ]);
    expect(mine).toBe('MP_AUTHENTICATION');
  });

  it('test_abstract_socket', async () => {
    const listener = keep(await Listener.listen({ address: `\0something-${process.pid}` }));
    const [client, server] = await Promise.all([Client(listener.address), listener.accept()]);
    keep(server);
    await keep(client).send('abstract');
    expect(await server.recv()).toBe('abstract');
    listener.close();
    expect(await failure(listener.accept())).toBe('MP_CLOSED');
  });
});

describe('_TestListenerClient', () => {
  it.each(FAMILIES)('test_listener_client: %s', async (family) => {
    const listener = await listenOn(family);
    const done = pool.apply(
      async (address: any, family: AddressFamily) => {
        const { Client } = await import('multiprocess');
        const connection = await Client(address, { family });
        await connection.send('hello');
        connection.close();
      },
      [listener.address, family],
    );
    const connection = keep(await listener.accept());
    expect(await connection.recv()).toBe('hello');
    await done;
  });

  it('test_issue14725', async () => {
    const listener = await listenOn('AF_UNIX');
    await pool.apply(
      async (address: any) => {
        const { Client } = await import('multiprocess');
        const connection = await Client(address);
        await connection.send('hello');
        connection.close();
      },
      [listener.address],
    );
    const connection = keep(await listener.accept());
    expect(await connection.recv()).toBe('hello');
  });

  it.each(FAMILIES)('test_issue16955: %s', async (family) => {
    const listener = await listenOn(family);
    const [client, server] = await Promise.all([Client(listener.address, { family }), listener.accept()]);
    await keep(server).sendBytes(bytes('hello'));
    expect(await keep(client).poll({ timeout: 20_000 })).toBe(true);
  });
});

describe('_TestPicklingConnections', () => {
  it.each(FAMILIES)('test_pickling: %s', async (family) => {
    const listener = await listenOn(family);
    const [client, accepted] = await Promise.all([Client(listener.address, { family }), listener.accept()]);
    keep(client);
    const done = pool.apply(
      async (connection: Connection<any>) => {
        await connection.send((await connection.recv()).toUpperCase());
        connection.close();
      },
      [accepted],
    );
    accepted.close();
    await client.send('message');
    expect(await client.recv()).toBe('MESSAGE');
    await done;
    expect(await failure(client.recv())).toBe('MP_CONNECTION_EOF');
  });

  it('test_pickling: a plain socket', async () => {
    const server = net.createServer().listen(0, 'localhost');
    await once(server, 'listening');
    const client = net.connect((server.address() as net.AddressInfo).port, 'localhost');
    const [socket] = (await once(server, 'connection')) as [net.Socket];
    const done = pool.apply(
      async (arrived: net.Socket) => {
        arrived.on('data', (data) => arrived.end(String(data).toUpperCase()));
        await new Promise((resolve) => arrived.on('close', resolve));
      },
      [socket],
    );
    client.write('plain');
    const [answer] = await once(client, 'data');
    expect(String(answer)).toBe('PLAIN');
    socket.destroy();
    await done;
    client.destroy();
    server.close();
  });

  it('test_access', async () => {
    const [conn, child] = pair();
    const done = pool.apply(
      async (connection: Connection<any>) => {
        const writer = await connection.recv();
        await writer.send('all is well');
        writer.close();
        const reader = await connection.recv();
        await connection.send((await reader.recv()) * 2);
        reader.close();
      },
      [child],
    );
    const [reader, writer] = pair({ duplex: false });
    await conn.send(writer);
    writer.close();
    expect(await reader.recv()).toBe('all is well');
    const [reads, writes] = pair({ duplex: false });
    await conn.send(reads);
    reads.close();
    await writes.send(0x1234);
    expect(await conn.recv()).toBe(0x2468);
    await done;
    expect(await failure(reader.recv())).toBe('MP_CONNECTION_EOF');
  });
});

describe('TestWait', () => {
  async function messagesOf(slow: boolean): Promise<void> {
    const readers: Connection<any>[] = [];
    const children = Array.from({ length: 4 }, (_, who) => {
      const [reader, writer] = pair({ duplex: false });
      readers.push(reader);
      const done = pool.apply(
        async (connection: Connection, who: number, slow: boolean) => {
          for (let i = 0; i < 10; i++) {
            if (slow) await new Promise((next) => setTimeout(next, Math.random() * 20));
            await connection.send([i, who]);
          }
          connection.close();
        },
        [writer, who, slow],
      );
      writer.close();
      return done;
    });
    const messages: unknown[] = [];
    let ends = 0;
    const left = new Set(readers);
    while (left.size > 0) {
      for (const reader of await wait(left)) {
        const message = await reader.recv().catch((error: unknown) => code(error));
        if (message === 'MP_CONNECTION_EOF') {
          ends++;
          left.delete(reader);
        } else messages.push(message);
      }
    }
    await Promise.all(children);
    expect(ends).toBe(4);
    const order = ([a, b]: any, [c, d]: any) => a - c || b - d;
    expect(messages.sort(order)).toEqual(Array.from({ length: 40 }, (_, i) => [Math.floor(i / 4), i % 4]));
  }

  it('test_wait', () => messagesOf(false));
  it('test_wait_slow', () => messagesOf(true));

  async function socketsOf(slow: boolean): Promise<void> {
    const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const sockets: net.Socket[] = [];
    const connected = new Promise<void>((resolve) => {
      server.on('connection', (socket) => sockets.push(socket) === 4 && resolve());
    });
    const children = Array.from({ length: 4 }, () =>
      pool.apply(
        async (port: number, slow: boolean) => {
          const net = await import('node:net');
          const socket = net.connect(port, '127.0.0.1');
          for (let i = 0; i < 10; i++) {
            if (slow) await new Promise((next) => setTimeout(next, Math.random() * 20));
            socket.write(`${i}\n`);
          }
          await new Promise<void>((done) => {
            socket.end(() => done());
          });
        },
        [port, slow],
      ),
    );
    await connected;
    const received = new Map<net.Socket, string>(sockets.map((socket) => [socket, '']));
    const left = new Set(sockets);
    while (left.size > 0) {
      for (const socket of await wait(left)) {
        const data: unknown = socket.read();
        if (data !== null) received.set(socket, received.get(socket)! + String(data));
        else if (socket.readableEnded || (socket as any)._readableState.ended) left.delete(socket);
      }
    }
    expect([...received.values()]).toEqual(Array.from({ length: 4 }, () => '0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n'));
    await Promise.all(children);
    for (const socket of sockets) socket.destroy();
    server.close();
  }

  it('test_wait_socket', () => socketsOf(false));
  it('test_wait_socket_slow', () => socketsOf(true));

  it('test_wait_timeout', async () => {
    const [a, b] = pair();
    const began = performance.now();
    expect(await wait([a, b], { timeout: 60 })).toEqual([]);
    expect(performance.now() - began).toBeGreaterThanOrEqual(nearly(60));
    await b.send(null);
    expect(await wait([a, b], { timeout: 20_000 })).toEqual([a]);
  });

  it('test_wait_integer', async () => {
    const [a, b] = pair();
    const [ends, sentinel] = pair({ duplex: false });
    const descriptor = ends.fileno();
    expect(await wait([a, descriptor, b], { timeout: 20 })).toEqual([]);
    sentinel.close();
    expect(await wait([a, descriptor, b])).toEqual([descriptor]);
    await a.send(null);
    expect(new Set(await wait([a, { sentinel: descriptor }, b], { timeout: 20_000 }))).toEqual(
      new Set([{ sentinel: descriptor }, b]),
    );
    await b.send(null);
    expect(await wait([a, descriptor, b])).toEqual([a, descriptor, b]);
  });

  it('wait refuses what is no list', async () => {
    await expect(wait(5 as never)).rejects.toThrow('`objects` must be an array');
  });

  it('test_neg_timeout', async () => {
    const [a] = pair();
    expect(await wait([a], { timeout: -1 })).toEqual([]);
  });
});

describe('OtherTest', () => {
  it.each(['something bogus', '', 'x'.repeat(16)])('test_deliver_challenge_auth_failure: %j', async (bogus) => {
    const [a, b] = pair();
    const delivered = deliverChallenge(a, 'abc');
    expect(text(await b.recvBytes())).toContain('#CHALLENGE#{sha256}');
    await b.sendBytes(bytes(bogus));
    await expect(delivered).rejects.toMatchObject({ name: 'AuthenticationError' });
    expect(text(await b.recvBytes())).toBe('#FAILURE#');
  });

  it.each([
    ['something bogus', null],
    ['#CHALLENGE#', null],
    ['#CHALLENGE#{md5}tooshort', null],
    ['#CHALLENGE#{md9}01234567890123456789', null],
    ['#CHALLENGE#01234567890123456789', 'something bogus'],
  ])('test_answer_challenge_auth_failure: %j, then %j', async (challenge, verdict) => {
    const [a, b] = pair();
    const answered = answerChallenge(a, 'abc');
    await b.sendBytes(bytes(challenge));
    if (verdict !== null) {
      expect(await b.recvBytes()).toHaveLength(16);
      await b.sendBytes(bytes(verdict));
    }
    await expect(answered).rejects.toMatchObject({ name: 'AuthenticationError' });
  });
});

it.each(['', '{md5}', '{sha256}'])('ChallengeResponseTest.test_challengeresponse: %j', (prefix) => {
  const message = bytes(`${prefix}${'x'.repeat(20)}`);
  const response = createResponse('secret', message);
  expect(text(response).startsWith(prefix)).toBe(true);
  verifyChallenge('secret', message, response);
  expect(() => verifyChallenge('another', message, response)).toThrow(/another key/);
});

it('TestInvalidHandle.test_invalid_handles', async () => {
  const connection = new Connection(44_977);
  expect(await failure(connection.poll())).toBe('MP_CONNECTION');
  expect(await failure(connection.recv())).toBe('MP_CONNECTION');
  expect(await failure(connection.send(1))).toBe('MP_CONNECTION');
  expect(() => connection.close()).toThrow(/EBADF/);
  expect(() => new Connection(-1)).toThrow(/at least 0/);
});

it('TestInvalidFamily.test_invalid_family', async () => {
  expect(await failure(Listener.listen({ address: '\\\\.\\test' }))).toBe('MP_INVALID_ARGUMENT');
  expect(await failure(Listener.listen({ family: 'AF_PIPE' as AddressFamily }))).toBe('MP_INVALID_ARGUMENT');
  expect(await failure(Client('\0a name of the kernel', { family: 'AF_INET' }))).toBe('MP_INVALID_ARGUMENT');
});

it('TestTimeouts.test_timeout: the limit of one call is nobody else’s', async () => {
  const listener = await listenOn('AF_UNIX');
  expect(await failure(listener.accept({ timeout: 20 }))).toBe('MP_TIMEOUT');
  const accepted = listener.accept();
  const client = keep(await Client(listener.address, { timeout: 5_000 }));
  const server = keep(await accepted);
  expect(await failure(client.recv({ timeout: 20 }))).toBe('MP_TIMEOUT');
  const late = client.recv();
  await new Promise((next) => setTimeout(next, 100));
  await server.send('after the other limits');
  expect(await late).toBe('after the other limits');
});

describe('TestIgnoreEINTR, _TestPollEintr', () => {
  it('test_ignore', async () => {
    const [conn, child] = pair();
    const fixture = startFixture('connection/interrupted.mjs', { args: ['receive'], fds: [child.fileno()] });
    child.close();
    expect(await conn.recv()).toBe('ready');
    for (let i = 0; i < 5; i++) {
      await new Promise((next) => setTimeout(next, 20));
      fixture.child.kill('SIGUSR2');
    }
    await conn.send(1234);
    expect(await conn.recv()).toBe(1234);
    for (let i = 0; i < 5; i++) {
      await new Promise((next) => setTimeout(next, 20));
      fixture.child.kill('SIGUSR2');
    }
    expect((await conn.recvBytes()).length).toBe(8 * 1024 * 1024);
    expect(await fixture.ended).toBe(0);
  });

  it('test_ignore_listener', async () => {
    const [conn, child] = pair();
    const fixture = startFixture('connection/interrupted.mjs', { args: ['accept'], fds: [child.fileno()] });
    child.close();
    const address = (await conn.recv()) as string;
    for (let i = 0; i < 5; i++) {
      await new Promise((next) => setTimeout(next, 20));
      fixture.child.kill('SIGUSR2');
    }
    const client = keep(await Client(address));
    expect(await client.recv()).toBe('welcome');
    expect(await fixture.ended).toBe(0);
  });

  it('test_poll_eintr', async () => {
    const [conn, child] = pair();
    const fixture = startFixture('connection/interrupted.mjs', { args: ['poll'], fds: [child.fileno()] });
    child.close();
    expect(await conn.recv()).toBe('ready');
    for (let i = 0; i < 5; i++) {
      await new Promise((next) => setTimeout(next, 20));
      fixture.child.kill('SIGUSR2');
    }
    await conn.send('now');
    expect(await conn.recv()).toBe(true);
    expect(await fixture.ended).toBe(0);
  });
});
