/** What a message refers to is there when it arrives, however long that takes. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Client,
  type Connection,
  JoinableQueue,
  Listener,
  Lock,
  Pool,
  Process,
  pipe,
  Queue,
  SimpleQueue,
  Topic,
  Value,
} from 'multiprocess';
import { describe, expect, it, vi } from 'vitest';
import { LATE, passTime } from '../support/transit.js';

// Each of them waits for LATE: all at once, or it takes minutes.
vi.setConfig({ maxConcurrency: 16 });

interface Things {
  readonly lock: Lock;
  readonly value: Value<'i'>;
  readonly end: Connection<any>;
}

/** Shared things that their sender forgets at once, and the other end of their connection. */
function things(): { sent: Things; peer: Connection<any>; drop: () => void } {
  const [peer, end] = pipe<any>();
  const sent: Things = { lock: new Lock(), value: new Value('i', 7), end };
  return {
    sent,
    peer,
    drop: () => {
      sent.end.close();
      for (const key of Object.keys(sent)) delete (sent as any)[key];
      passTime();
    },
  };
}

async function works(got: Things, peer: Connection<any>): Promise<void> {
  expect(got.lock.tryAcquire()).toBe(true);
  got.lock.release();
  expect(got.value.value).toBe(7);
  await got.end.send('here');
  expect(await peer.recv()).toBe('here');
  got.lock.close();
  got.value.close();
  got.end.close();
  peer.close();
}

describe('a message that waits', () => {
  it.concurrent.each<[string, () => { put(item: any): unknown; get(): Promise<any>; close(): void }]>([
    ['Queue', () => new Queue<any>()],
    ['SimpleQueue', () => new SimpleQueue<any>()],
    ['JoinableQueue', () => new JoinableQueue<any>()],
  ])(
    'in a %s carries what it refers to',
    async (_, make) => {
      const queue = make();
      const { sent, peer, drop } = things();
      await queue.put([sent]);
      const large = things();
      await queue.put([large.sent, new Uint8Array(5_000_000)]);
      drop();
      large.drop();
      await sleep(LATE);
      await works((await queue.get())[0], peer);
      await works((await queue.get())[0], large.peer);
      queue.close();
    },
    90_000,
  );

  it.concurrent('for room in a queue', async () => {
    const queue = new Queue<any>({ maxSize: 1 });
    const { sent, peer, drop } = things();
    await queue.put(0);
    const put = queue.put([sent]);
    drop();
    await sleep(LATE);
    expect(await queue.get()).toBe(0);
    await put;
    await works((await queue.get())[0], peer);
    queue.close();
  }, 90_000);

  it.concurrent('to be replayed by a topic', async () => {
    const topic = new Topic<any>({ replay: 1 });
    const { sent, peer, drop } = things();
    await topic.publish([sent]);
    drop();
    await sleep(LATE);
    for await (const [got] of topic) {
      await works(got, peer);
      break;
    }
    topic.close();
  }, 90_000);

  it.concurrent('in a pipe, also after the sender has closed its end', async () => {
    const [a, b] = pipe<any>();
    const { sent, peer, drop } = things();
    await a.send([sent]);
    a.close();
    drop();
    await sleep(LATE);
    await works((await b.recv())[0], peer);
    b.close();
  }, 90_000);

  it.concurrent.each([
    ['a unix socket', {}],
    ['TCP', { address: { host: '127.0.0.1', port: 0 } }],
  ])(
    'in a connection over %s',
    async (_, options) => {
      const listener = await Listener.listen(options);
      const [client, server] = await Promise.all([Client<any>(listener.address), listener.accept<any>()]);
      const { sent, peer, drop } = things();
      await client.send('before');
      await client.send([sent]);
      await client.send('after');
      drop();
      await sleep(LATE);
      expect(await server.recv()).toBe('before');
      await works((await server.recv())[0], peer);
      expect(await server.recv()).toBe('after');
      for (const one of [client, server, listener]) one.close();
    },
    90_000,
  );

  it.concurrent('for a worker that is busy: an argument and a captured variable', async () => {
    await using pool = new Pool({ processes: 1 });
    const value = new Value('i', 5);
    const captured = new Value('i', 6);
    const busy = pool.apply((ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms), [
      LATE,
    ] as any);
    const late = pool.apply((v: Value<'i'>) => v.value + captured.value, [value] as any);
    await sleep(500);
    value.close();
    captured.close();
    await busy;
    expect(await late).toBe(11);
  }, 90_000);

  it.concurrent('for a parent that is busy: a result', async () => {
    await using pool = new Pool({ processes: 1 });
    const channel = new Queue<string>();
    const result = pool.apply(
      async (queue: Queue<string>) => {
        const made = new Value('i', 9);
        await queue.put('made');
        return made;
      },
      [channel] as any,
    );
    expect(((await result) as Value<'i'>).value).toBe(9);
    channel.close();
  }, 90_000);

  it.concurrent('for a child that is stopped before it has begun', async () => {
    const value = new Value('i', 3);
    const out = new SimpleQueue<number>();
    const child = new Process(async (v: Value<'i'>, queue: SimpleQueue<number>) => void (await queue.put(v.value)), {
      args: [value, out] as any,
    });
    const starting = child.start();
    process.kill(child.pid!, 'SIGSTOP');
    await starting;
    value.close();
    await sleep(LATE);
    process.kill(child.pid!, 'SIGCONT');
    expect(await out.get()).toBe(3);
    await child.join();
    out.close();
  }, 90_000);
});
