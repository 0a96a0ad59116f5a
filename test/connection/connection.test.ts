import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import { Worker } from 'node:worker_threads';
import { Connection, pipe } from 'multiprocess';
import { lastValueFrom, take, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { closeDescriptor, createPipe, writeChannel } from '../../dist/native/index.js';
import { closing, pair } from '../support/connections.js';
import { startFixture } from '../support/fixture-process.js';
import { openSockets } from '../support/sockets.js';
import { until } from '../support/until.js';

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error as { code?: string }).code,
  );
describe('messages', () => {
  it('carry any value, functions and shared objects among them', async () => {
    const [a, b] = pair();
    const cycle: any = { when: new Date(0), big: 2n ** 70n, map: new Map([['k', new Set([1])]]) };
    cycle.self = cycle;
    await a.send(cycle);
    const got = await b.recv();
    expect(got.self).toBe(got);
    expect(got.map.get('k').has(1)).toBe(true);
    const by = 5;
    await a.send((x: number) => x * by);
    expect((await b.recv())(7)).toBe(35);
    await a.send(b);
    expect(await b.recv()).toBe(b);
  });

  it('that cannot be encoded are refused, and nothing is sent', async () => {
    const [a, b] = pair();
    expect(await failure(a.send(Promise.resolve()))).toBe('MP_PROMISE');
    expect(await b.poll()).toBe(false);
    await a.send('next');
    expect(await b.recv()).toBe('next');
  });

  it.each([0, 1, 100, 4_092, 16_380, 16_384, 16_385, 65_531, 65_532, 65_533, 1 << 20, 5_000_001])(
    'of %i bytes arrive whole',
    async (size) => {
      const [a, b] = pair();
      const message = new Uint8Array(size).map((_, i) => i * 31);
      for (let round = 0; round < 3; round++) {
        const sent = a.sendBytes(message);
        expect(Buffer.compare(await b.recvBytes(), message)).toBe(0);
        await sent;
      }
    },
  );

  it('of all sizes, sent without waiting, keep their order and their bytes', async () => {
    const [a, b] = pair();
    const sizes = Array.from({ length: 400 }, (_, i) => Math.floor((i * 7919) % (i % 40 === 0 ? 300_000 : 3_000)));
    const sends = sizes.map((size, i) => a.sendBytes(new Uint8Array(size).fill(i)));
    for (const [i, size] of sizes.entries()) {
      const got = await b.recvBytes();
      expect([got.length, got[0] ?? i & 255, got.at(-1) ?? i & 255]).toEqual([size, i & 255, i & 255]);
    }
    await Promise.all(sends);
  });

  it('large typed arrays arrive as themselves', async () => {
    const [a, b] = pair();
    const array = Float64Array.from({ length: 100_000 }, (_, i) => i / 3);
    const sent = a.send({ array, note: 'x' });
    const got = await b.recv();
    await sent;
    expect(got.note).toBe('x');
    expect(got.array).toBeInstanceOf(Float64Array);
    expect(
      Buffer.compare(
        Buffer.from(got.array.buffer, got.array.byteOffset, got.array.byteLength),
        Buffer.from(array.buffer),
      ),
    ).toBe(0);
  });

  // 2.2 GB three times over: only where it is asked for.
  it.skipIf(process.env['MULTIPROCESS_HUGE'] === undefined)(
    'of more than 2 GiB have a header of 12 bytes',
    async () => {
      const [a, b] = pair();
      const size = 2 ** 31 + 5;
      const message = new Uint8Array(size);
      message[size - 1] = 77;
      const sent = a.sendBytes(message);
      const got = await b.recvBytes();
      await sent;
      expect([got.length, got[size - 1]]).toEqual([size, 77]);
    },
    600_000,
  );

  it('in the long form of the header are read, whatever their length', async () => {
    const [a, b] = pair();
    const header = Buffer.alloc(12);
    header.writeInt32BE(-1);
    header.writeBigUInt64BE(3n, 4);
    const frame = Buffer.concat([header, Buffer.from('abc'), Buffer.from([0, 0, 0, 1, 65])]);
    // In pieces, so that the header is cut too.
    for (const [from, to] of [
      [0, 2],
      [2, 7],
      [7, 14],
      [14, frame.length],
    ] as const) {
      writeChannel(a.fileno(), frame, from, to);
      await turn();
      if (from === 0) b.recvBytes().then((got) => expect(Buffer.from(got).toString()).toBe('abc'));
    }
    expect(Buffer.from(await b.recvBytes()).toString()).toBe('A');
  });

  it('cross a pipe of the system as well', async () => {
    const [reads, writes] = createPipe();
    const reader = new Connection<any>(reads, { writable: false });
    const writer = new Connection<any>(writes, { readable: false });
    for (const one of [reader, writer]) closing(one);
    for (const value of [1, 'two', { three: 3 }]) await writer.send(value);
    expect([await reader.recv(), await reader.recv(), await reader.recv()]).toEqual([1, 'two', { three: 3 }]);
    const big = new Uint8Array(1_000_000).fill(9);
    const sent = writer.sendBytes(big);
    expect(Buffer.compare(await reader.recvBytes(), big)).toBe(0);
    await sent;
    writer.close();
    expect(await failure(reader.recv())).toBe('MP_CONNECTION_EOF');
    const again = createPipe();
    closeDescriptor(again[0]);
    const broken = new Connection(again[1], { readable: false });
    closing(broken);
    expect(await failure(broken.send(1))).toBe('MP_BROKEN_PIPE');
  });
});

describe('receiving', () => {
  it('is served in the order of the calls, values and bytes alike', async () => {
    const [a, b] = pair();
    const calls = [b.recv(), b.recvBytes(), b.recv()];
    await a.send('first');
    await a.sendBytes(Buffer.from('second'));
    await a.send('third');
    const [first, second, third] = await Promise.all(calls);
    expect([first, Buffer.from(second).toString(), third]).toEqual(['first', 'second', 'third']);
  });

  it('that timed out or was aborted loses nothing', async () => {
    const [a, b] = pair();
    const gone = new AbortController();
    const early = [
      failure(b.recv({ timeout: 10 })),
      b.recv({ signal: gone.signal }).catch((why: unknown) => why),
      b.recv(),
    ];
    expect(await early[0]).toBe('MP_TIMEOUT');
    gone.abort('changed my mind');
    expect(await early[1]).toBe('changed my mind');
    await a.send('kept');
    expect(await early[2]).toBe('kept');
    expect(await failure(b.recv({ timeout: 0 }))).toBe('MP_TIMEOUT');
    expect(() => b.recvSync({ timeout: 20 })).toThrow(/within 20 ms/);
    expect(await failure(b.recv({ timeuot: 1 } as any))).toBe('MP_UNKNOWN_OPTION');
  });

  it('a message above maxLength ends the receiving, and nothing is allocated for it', async () => {
    const [a, b] = pair();
    const before = process.memoryUsage().arrayBuffers;
    writeChannel(a.fileno(), Buffer.from([0x7f, 0xff, 0xff, 0xff, 1, 2, 3]), 0, 7);
    expect(await failure(b.recvBytes({ maxLength: 100 }))).toBe('MP_MESSAGE_LENGTH');
    expect(await failure(b.recv())).toBe('MP_MESSAGE_LENGTH');
    await b.send('the other way still works');
    expect(await a.recv()).toBe('the other way still works');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 << 20);
  });

  it('an announced length costs memory only as it arrives', async () => {
    const [a, b] = pair();
    const before = process.memoryUsage().arrayBuffers;
    const pending = failure(b.recvBytes());
    writeChannel(a.fileno(), Buffer.from([0x7f, 0xff, 0xff, 0xff, 1, 2, 3]), 0, 7);
    await turn();
    await turn();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 << 20);
    a.close();
    expect(await pending).toBe('MP_CONNECTION_EOF');
  });

  it('what was sent before the peer closed is still received', async () => {
    const [a, b] = pair();
    for (let i = 0; i < 5; i++) void a.send(i);
    a.close();
    const got: unknown[] = [];
    for await (const message of b) got.push(message);
    expect(got).toEqual([0, 1, 2, 3, 4]);
    expect(await b.poll()).toBe(true);
    expect(await failure(b.recv())).toBe('MP_CONNECTION_EOF');
    expect(await failure(b.send(1))).toBe('MP_BROKEN_PIPE');
  });

  it('closing rejects the calls that wait here', async () => {
    const [, b] = pair();
    const calls = [failure(b.recv()), failure(b.poll({ timeout: 60_000 }))];
    b.close();
    expect(await Promise.all(calls)).toEqual(['MP_CLOSED', 'MP_CLOSED']);
    b.close();
    expect(b.closed).toBe(true);
  });

  it('iteration may be left and taken up again', async () => {
    const [a, b] = pair();
    for (let i = 0; i < 6; i++) void a.send(i);
    for await (const message of b) if (message === 2) break;
    expect(await b.recv()).toBe(3);
    a.close();
    const rest: unknown[] = [];
    for await (const message of b) rest.push(message);
    expect(rest).toEqual([4, 5]);
  });

  it('as an Observable it completes with the peer, and an unsubscription loses nothing', async () => {
    const [a, b] = pair();
    const first = lastValueFrom(b.asObservable().pipe(take(3), toArray()));
    for (let i = 0; i < 5; i++) void a.send(i);
    expect(await first).toEqual([0, 1, 2]);
    const rest = lastValueFrom(b.asObservable().pipe(toArray()));
    await turn();
    a.close();
    expect(await rest).toEqual([3, 4]);
  });

  it('lets timers run while messages keep coming', async () => {
    const [a, b] = pair();
    let late = false;
    setTimeout(() => {
      late = true;
    }, 10);
    const echo = (async () => {
      for await (const message of b) if (message === 'stop') break;
    })();
    while (!late) await a.send('more');
    await a.send('stop');
    await echo;
    expect(late).toBe(true);
  });

  it('blocking calls serve those that wait already first', async () => {
    const [a, b] = pair();
    const first = b.recv();
    a.sendSync('one');
    a.sendSync('two');
    expect(b.recvSync()).toBe('two');
    expect(await first).toBe('one');
    expect(b.pollSync()).toBe(false);
    expect(b.pollSync({ timeout: 20 })).toBe(false);
  });
});

describe('sending', () => {
  it('waits while nobody receives, and resolves in order', async () => {
    const [a, b] = pair();
    const order: number[] = [];
    const sends = Array.from({ length: 50 }, (_, i) =>
      a.sendBytes(new Uint8Array(100_000).fill(i)).then(() => order.push(i)),
    );
    await turn();
    await turn();
    expect(order.length).toBeLessThan(20);
    for (let i = 0; i < 50; i++) expect((await b.recvBytes())[0]).toBe(i);
    await Promise.all(sends);
    expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  it('a sender that awaits holds one message, however slow the receiver', async () => {
    const [a, b] = pair();
    const message = new Uint8Array(1 << 20);
    let sent = 0;
    const sending = (async () => {
      for (; sent < 200; sent++) await a.sendBytes(message);
    })();
    await new Promise((next) => setTimeout(next, 50));
    expect(sent).toBeLessThan(3);
    for (let i = 0; i < 200; i++) expect((await b.recvBytes()).length).toBe(1 << 20);
    await sending;
  });

  it('what waits is rejected when the peer goes', async () => {
    const [a, b] = pair();
    const sends = Array.from({ length: 8 }, () => failure(a.sendBytes(new Uint8Array(200_000))));
    b.close();
    const outcomes = await Promise.all(sends);
    expect(new Set(outcomes.slice(4))).toEqual(new Set(['MP_BROKEN_PIPE']));
  });

  it('closing still sends what was accepted', async () => {
    const [a, b] = pair();
    const big = new Uint8Array(3_000_000).fill(5);
    const sent = a.sendBytes(big);
    a.close();
    const disposed = a[Symbol.asyncDispose]();
    expect(Buffer.compare(await b.recvBytes(), big)).toBe(0);
    await Promise.all([sent, disposed]);
    expect(await failure(b.recv())).toBe('MP_CONNECTION_EOF');
  });

  it('a message is out when its send was awaited, also when the process then ends at once', async () => {
    const [ours, theirs] = pair();
    const child = startFixture('connection/sends-and-exits.mjs', { fds: [theirs.fileno()] });
    theirs.close();
    const got: unknown[] = [];
    for await (const message of ours) got.push(message);
    expect(got).toEqual(['first', 'second', 'last words']);
    expect(await child.ended).toBe(3);
  });
});

describe('life', () => {
  it('a connection that is collected is closed', async () => {
    v8.setFlagsFromString('--expose-gc');
    const gc = vm.runInNewContext('gc') as () => void;
    const before = openSockets();
    let kept: Connection;
    await (async () => {
      const [a, b] = pipe();
      await a.send(1);
      await b.recv();
      await b.poll({ timeout: 1 });
      kept = a;
    })();
    await until(() => {
      gc();
      return openSockets() === before + 1;
    }, 'the other end is closed by the collector');
    expect(await failure(kept!.recv())).toBe('MP_CONNECTION_EOF');
    kept!.close();
  });

  it('a call that waits keeps its connection, though nobody else has it', async () => {
    const gc = vm.runInNewContext('gc') as () => void;
    const [a, b] = pipe<string>();
    const got = (() => b.recv())();
    for (let i = 0; i < 5; i++) {
      gc();
      await turn();
    }
    await a.send('still there');
    expect(await got).toBe('still there');
    a.close();
  });

  it('a process with an idle connection may end, one that waits to receive stays', async () => {
    const idle = startFixture('connection/idle.mjs', { args: ['idle'] });
    expect(await idle.ended).toBe(0);
    const waiting = startFixture('connection/idle.mjs', { args: ['waiting'] });
    expect(await waiting.line()).toBe('waiting');
    expect(waiting.child.exitCode).toBe(null);
  });

  it('a worker thread that blocks in recvSync can be terminated', async () => {
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
       import(${JSON.stringify(new URL('../../dist/connection/index.js', import.meta.url).href)}).then(({ pipe }) => {
         const [a, b] = pipe();
         globalThis.kept = b;
         parentPort.postMessage('blocking');
         a.recvSync();
       });`,
      { eval: true },
    );
    await once(worker, 'message');
    await new Promise((next) => setTimeout(next, 30));
    expect(await worker.terminate()).toBe(1);
  });
});
