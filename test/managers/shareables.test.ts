/** Shareable objects kept in a server: each is the same shared thing for whoever finds it there. */
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  type Connection,
  Event,
  getAllStartMethods,
  JoinableQueue,
  Lock,
  manager,
  Process,
  pipe,
  Queue,
  RawArray,
  RawValue,
  RLock,
  RwLock,
  Semaphore,
  ShareableList,
  SharedArray,
  SharedMap,
  SharedMemory,
  SimpleQueue,
  StateTopic,
  type SyncManager,
  share,
  type TaskStream,
  Topic,
  Value,
} from 'multiprocess';
import { BaseManager, type RemoteCall } from 'multiprocess/managers';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it, test } from 'vitest';
import { itNeeds } from '../support/needs.js';

/** One of every kind that needs no name. */
const everyKind = (): object[] => [
  new Queue(),
  new JoinableQueue(),
  new SimpleQueue(),
  new Topic(),
  new StateTopic(1),
  new Lock(),
  new RLock(),
  new RwLock(),
  new Semaphore(1),
  new BoundedSemaphore(1),
  new Condition(),
  new Event(),
  new Barrier(1),
  new Value('i', 1),
  new RawValue('i', 1),
  new SharedArray('i', 1),
  new RawArray('i', 1),
  new SharedMap({ capacity: 1 }),
  share({ a: 1 }),
];

/** A container of the server: puts a value in, and returns how it is got out again. */
type Container = (m: SyncManager, value: unknown) => Promise<() => PromiseLike<unknown>>;
const containers: Record<string, Container> = {
  'a dict': async (m, value) => {
    const dict = await m.dict<string, unknown>();
    await dict.set('it', value);
    return () => dict.get('it');
  },
  'a list': async (m, value) => {
    const list = await m.list<unknown>([value]);
    return () => list.get(0);
  },
  'a list, by pop': async (m, value) => {
    const list = await m.list<unknown>();
    await list.append(value);
    return () => list.pop();
  },
  'a Namespace': async (m, value) => {
    const names = await m.Namespace({ it: value });
    return () => names.get('it');
  },
  'a Namespace, as a property': async (m, value) => {
    const names = await m.Namespace<{ it?: unknown }>();
    await names.set('it', value);
    return () => names.it;
  },
  'a Value': async (m, value) => {
    const held = await m.Value<unknown>('O', value);
    return () => held.value;
  },
  'a Queue': async (m, value) => {
    const queue = await m.Queue<unknown>();
    await queue.put(value);
    return () => queue.get();
  },
  'a JoinableQueue': async (m, value) => {
    const queue = await m.JoinableQueue<unknown>();
    await queue.put(value);
    return () => queue.get();
  },
};

describe.each(getAllStartMethods().filter((method) => method === 'spawn' || method === 'thread'))(
  'in a server by %s',
  (context) => {
    let m: SyncManager;
    beforeAll(async () => {
      m = await manager({ context });
    });
    afterAll(() => m.shutdown());

    describe.each(Object.entries(containers))('%s', (_, keep) => {
      it('gives every kind back as the same shared thing', async () => {
        for (const thing of everyKind()) {
          const get = await keep(m, thing);
          expect(await get(), thing.constructor.name).toBe(thing);
        }
      });

      itNeeds('names')('gives back what has a name', async () => {
        using memory = SharedMemory.create(8);
        memory.buf[0] = 7;
        const block = (await (await keep(m, memory))()) as SharedMemory;
        expect([block.name, block.buf[0]]).toEqual([memory.name, 7]);
        const items = new ShareableList(['a']);
        const list = (await (await keep(m, items))()) as ShareableList;
        expect(list.get(0)).toBe('a');
        items.shm.unlink();
        items.shm.close();
        memory.unlink();
      });
    });

    it('another process uses what it finds in each of them', async () => {
      const kept = await Promise.all(
        Object.values(containers).map(async (keep) => {
          const queue = new Queue<string>();
          const jobs = new JoinableQueue<string>();
          const [topic, state] = [new Topic<string>(), new StateTopic('old')];
          const [here, there] = pipe();
          const published = topic.stream().toArray();
          const gets = await Promise.all([queue, jobs, topic, state, there].map((thing) => keep(m, thing)));
          return { queue, jobs, published, state, here, there, gets };
        }),
      );
      const found = kept.map(({ gets }) => gets);
      const child = await new Process(async () => {
        for (const gets of found) {
          const [queue, jobs, topic, state, connection] = (await Promise.all(gets.map((get) => get()))) as [
            Queue<string>,
            JoinableQueue<string>,
            Topic<string>,
            StateTopic<string>,
            Connection,
          ];
          await queue.put('to the queue');
          await jobs.put('a job');
          await topic.publish('to all');
          topic.complete();
          await state.publish('new');
          await connection.send('through the pipe');
        }
      }).start();
      await child.join();
      expect(child.exitCode).toBe(0);
      for (const { queue, jobs, published, state, here, there } of kept) {
        expect([await queue.get(), await jobs.get(), await published]).toEqual(['to the queue', 'a job', ['to all']]);
        expect([state.value, await here.recv()]).toEqual(['new', 'through the pipe']);
        here.close();
        there.close();
      }
    });

    it('a dict keeps the queue of a process that has ended', async () => {
      const dict = await m.dict<string, Queue<number>>();
      const child = await new Process(async () => {
        const made = new Queue<number>();
        await made.put(1);
        await dict.set('queue', made);
        made.close();
        await made.joinThread();
      }).start();
      await child.join();
      expect(child.exitCode).toBe(0);
      const queue = (await dict.get('queue'))!;
      expect(queue).toBeInstanceOf(Queue);
      expect(await queue.get()).toBe(1);
    });

    it("another manager's proxies stay what they are", async () => {
      await using other = await manager({ context });
      const list = await other.list([1]);
      const dict = await m.dict<string, unknown>({ list, queue: await other.Queue() });
      expect(await dict.get('list')).toBe(list);
      expect(`${await dict.get('queue')}`).toMatch(/Queue/);
    });
  },
);

class Office {
  readonly jobs = new Queue<number>();
  readonly news = new Topic<string>();
  readonly lines = pipe<string>();
  queue(): Queue<number> {
    return this.jobs;
  }
  async later(): Promise<JoinableQueue<number>> {
    return new JoinableQueue<number>();
  }
  topic(): StateTopic<string> {
    return new StateTopic('open');
  }
  line(): Connection<string> {
    return this.lines[0];
  }
  items(): TaskStream<number> {
    return this.jobs.consume();
  }
}

test('a method gives the queue that it returns, and a stream where it returns one', async () => {
  class Offices extends BaseManager.with({ Office }) {}
  await using offices = new Offices({ context: 'thread' });
  await offices.start();
  const office = await offices.Office();
  const queue = await office.queue();
  await queue.put(1);
  expect(await office.jobs).toBe(queue);
  expect(await office.news).toBeInstanceOf(Topic);
  expect(await office.later()).toBeInstanceOf(JoinableQueue);
  expect((await office.topic()).value).toBe('open');
  (await office.line()).close();
  for await (const item of office.items()) {
    expect(item).toBe(1);
    break;
  }
  const unread = office.queue() as unknown as { toArray(): Promise<unknown> };
  await expect(unread.toArray()).rejects.toMatchObject({ code: 'MP_NO_STREAM' });

  expectTypeOf(office.queue()).toEqualTypeOf<RemoteCall<Queue<number>>>();
  expectTypeOf(office.items()).toEqualTypeOf<RemoteCall<TaskStream<number>>>();
});

test("a manager's Pool gives the queue that a call returns", async () => {
  await using m = await manager({ context: 'thread' });
  const pool = await m.Pool(1);
  const queue = new Queue<number>();
  expect(await pool.apply(() => queue)).toBe(queue);
});

test('behind plain data none of them is carried, as no lock is', async () => {
  class Offices extends BaseManager.with({ Office }) {}
  await using offices = new Offices({ context: 'thread', serializer: 'msgpackr' });
  await offices.start();
  const office = await offices.Office();
  await expect(office.queue()).rejects.toMatchObject({ code: 'MP_NOT_PLAIN' });
  await using m = await manager({ context: 'thread', serializer: 'msgpackr' });
  const dict = await m.dict<string, unknown>();
  for (const thing of everyKind())
    await expect(dict.set('it', thing), thing.constructor.name).rejects.toMatchObject({ code: 'MP_NOT_PLAIN' });
});
