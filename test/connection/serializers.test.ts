import { readFileSync } from 'node:fs';
import { unpack } from 'msgpackr';
import { Client, Connection, Listener, Process, pipe } from 'multiprocess';
import { afterEach, describe, expect, it } from 'vitest';
import { socketPair } from '../../dist/native/index.js';
import { closing } from '../support/connections.js';

const KEY = readFileSync(new URL('../fixtures/connection/key.pem', import.meta.url));
const CERT = readFileSync(new URL('../fixtures/connection/cert.pem', import.meta.url));
const json = {
  encode: (value: unknown) => Buffer.from(JSON.stringify(value)),
  decode: (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString()),
};

const failure = async (promise: Promise<unknown>) =>
  promise.then(
    () => ({ code: 'no error', message: '', path: '' }),
    (error: unknown) => error as { code: string; message: string; path?: string },
  );

let listener: Listener | undefined;
afterEach(() => listener?.close());

async function connected(
  serializer: any,
  more: { tls?: boolean; authkey?: string } = {},
): Promise<[Connection<any>, Connection<any>]> {
  const { authkey } = more;
  const tls = more.tls === true ? { tls: { key: KEY, cert: CERT } } : {};
  listener = await Listener.listen({
    serializer,
    authkey,
    ...tls,
    ...(more.tls === true ? { family: 'AF_INET' } : {}),
  });
  const client = Client(listener.address, {
    serializer,
    authkey,
    ...(more.tls === true ? { tls: { ca: CERT, servername: 'localhost' } } : {}),
  });
  return [closing(await listener.accept()), closing(await client)];
}

function ends(serializer: any): [Connection<any>, Connection<any>] {
  const [one, other] = socketPair();
  return [closing(new Connection<any>(one, { serializer })), closing(new Connection<any>(other, { serializer }))];
}

describe("serializer: 'msgpackr'", () => {
  it.each([
    ['', {}],
    [' with a key', { authkey: 'secret' }],
    [' over TLS', { tls: true }],
    [' over TLS with a key', { tls: true, authkey: 'secret' }],
  ])('Client and Listener carry plain data%s', async (_, more) => {
    const [a, b] = await connected('msgpackr', more);
    const value = { id: 7, tags: ['x'], at: new Date(5), raw: new Uint8Array([1, 2]) };
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      await from.send(value);
      expect(await to.recv()).toEqual(value);
    }
    expect((await failure(a.send({ jobs: [() => 1] }))).path).toBe('[0] <- .jobs');
    await a.send(1);
    expect(await b.recv()).toBe(1);
  });

  it('its messages are MessagePack, as other libraries read and write it', async () => {
    const [a, b] = ends('msgpackr');
    await a.send({ a: [1, 'two', null] });
    expect(unpack(await b.recvBytes())).toEqual({ a: [1, 'two', null] });
    await a.sendBytes(Buffer.from([0x93, 1, 0xc0, 0xa1, 0x78]));
    expect(await b.recv()).toEqual([1, null, 'x']);
  });

  it('a message that would run code is refused, and the next one arrives', async () => {
    const [one, other] = socketPair();
    const a = closing(new Connection<any>(one));
    const b = closing(new Connection<any>(other, { serializer: 'msgpackr' }));
    const evil = class {
      name = 'evil';
      static {
        (globalThis as { ran?: boolean }).ran = true;
      }
    };
    (globalThis as { ran?: boolean }).ran = false;
    await a.send(evil);
    await a.send(5);
    const error = await failure(b.recv());
    expect([error.code, error.message]).toEqual(['MP_BAD_PAYLOAD', expect.stringContaining('same `serializer`')]);
    expect(await b.recv()).toBe(5);
    expect((globalThis as { ran?: boolean }).ran).toBe(false);
  });

  it('the blocking calls, iteration and large messages use it too', async () => {
    const [a, b] = ends('msgpackr');
    a.sendSync({ x: 1 });
    expect(b.recvSync()).toEqual({ x: 1 });
    const big = { text: 'é'.repeat(300_000), bytes: new Uint8Array(500_000).fill(3) };
    const sent = a.send(big);
    for await (const value of b) {
      expect(value).toEqual(big);
      break;
    }
    await sent;
    expect(() => a.sendSync(new Map())).toThrow(/fromEntries/);
  });

  it('travels with a connection that is sent to another process', async () => {
    const [a, b] = ends('msgpackr');
    const child = new Process(
      async (end: Connection<any>) => {
        await end.send(await end.recv().then((value: any) => ({ got: value })));
        const code = await end.send(new Map()).then(
          () => '',
          (error: { code: string }) => error.code,
        );
        await end.send(code);
      },
      { args: [b] },
    );
    child.start();
    await a.send([1, 2]);
    expect([await a.recv(), await a.recv()]).toEqual([{ got: [1, 2] }, 'MP_NOT_PLAIN']);
    await child.join();
  });
});

describe('serializer: { encode, decode }', () => {
  it('is used for values, not for bytes', async () => {
    const [a, b] = await connected(json, { authkey: 'k' });
    await a.send({ x: [1] });
    expect(Buffer.from(await b.recvBytes()).toString()).toBe('{"x":[1]}');
    await b.sendBytes(Buffer.from('{"y":2}'));
    expect(await a.recv()).toEqual({ y: 2 });
  });

  it('gets bytes of its own, and what it throws goes to the caller, and no further', async () => {
    const kept: Uint8Array[] = [];
    const [a, b] = ends({
      encode: (value: unknown) => {
        if (value === 'bad') throw new RangeError('not that');
        return value === 'late' ? Promise.resolve() : Buffer.from(String(value));
      },
      decode: (bytes: Uint8Array) => {
        kept.push(bytes);
        if (String.fromCharCode(...bytes) === 'no') throw new RangeError('never');
        return bytes.length;
      },
    });
    await expect(a.send('bad')).rejects.toThrow(new RangeError('not that'));
    expect((await failure(a.send('late'))).message).toMatch(
      /must return a Uint8Array at once, not an instance of Promise/,
    );
    for (const text of ['one', 'no', 'three']) await a.send(text);
    expect(await b.recv()).toBe(3);
    await expect(b.recv()).rejects.toThrow(new RangeError('never'));
    expect(await b.recv()).toBe(5);
    expect(kept.map((bytes) => Buffer.from(bytes).toString())).toEqual(['one', 'no', 'three']);
  });

  it('travels with a connection that is sent', async () => {
    const [a, b] = ends(json);
    const child = new Process(
      async (end: Connection<any>) => {
        await end.send({ got: await end.recv() });
      },
      { args: [b] },
    );
    child.start();
    await a.sendBytes(Buffer.from('[1]'));
    expect(Buffer.from(await a.recvBytes()).toString()).toBe('{"got":[1]}');
    await child.join();
  });
});

it.each<[string, () => unknown]>([
  ['Connection', () => new Connection(1, { serializer: 'json' as never })],
  ['Client', () => Client('/nowhere', { serializer: { encode: () => {} } as never })],
  ['Listener.listen', () => Listener.listen({ serializer: 5 as never })],
])('%s refuses what is no serializer', async (actor, call) => {
  const { code, message } = await failure((async () => call())());
  expect(code).toBe('MP_INVALID_ARGUMENT');
  expect(message).toContain(`${actor}: \`serializer\` must be 'multiprocess', 'msgpackr' or`);
});

it("'multiprocess' is the default, by name too", async () => {
  const [a, b] = ends('multiprocess');
  await a.send((x: number) => x + 1);
  expect((await b.recv())(1)).toBe(2);
  const [c] = pipe();
  closing(c);
});
