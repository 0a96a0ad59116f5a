/** What a message refers to is let go when nobody can read the message any more. */
import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, Process, pipe, Queue, Topic } from 'multiprocess';
import { expect, it } from 'vitest';
import { LATE, passTime } from '../support/transit.js';
import { until } from '../support/until.js';

/** Sockets of this process. */
const sockets = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;

/** Two ends, of which both are closed here when it was sent. */
function connection(): { end: Connection<any>; drop: () => void } {
  const [peer, end] = pipe<any>();
  return {
    end,
    drop: () => {
      end.close();
      peer.close();
    },
  };
}

it('lets go of what nobody can read any more: queues closed unread, dropped items, closed pipes, killed receivers', async () => {
  await until(() => {
    passTime();
    return true;
  }, 'nothing');
  const before = sockets();
  const ends: (() => Promise<unknown> | void)[] = [];
  const scenario = async (send: (end: Connection<any>) => Promise<() => Promise<unknown> | void>) => {
    const { end, drop } = connection();
    ends.push(await send(end));
    drop();
  };
  await scenario(async (end) => {
    const queue = new Queue<any>();
    await queue.put([end]);
    return () => queue.close();
  });
  await scenario(async (end) => {
    const topic = new Topic<any>({ replay: 1, maxSize: 2, lag: 'drop-oldest' });
    await topic.publish([end]);
    return async () => {
      for (let i = 0; i < 4; i++) await topic.publish(i);
    };
  });
  await scenario(async (end) => {
    const [a, b] = pipe<any>();
    await a.send([end]);
    return () => {
      b.close();
      a.close();
    };
  });
  await scenario(async (end) => {
    const [a, b] = pipe<any>();
    const holder = new Process((mine: Connection<any>) => void setInterval(() => mine.closed, 1_000), {
      args: [b] as any,
    });
    await holder.start();
    b.close();
    await a.send([end]);
    return async () => {
      holder.kill();
      await holder.join();
      a.close();
    };
  });
  await sleep(LATE);
  expect(sockets(), 'kept while it can be read').toBeGreaterThanOrEqual(before + 4);
  for (const end of ends) await end();
  await until(
    () => {
      passTime();
      return sockets() <= before;
    },
    'all of it is let go',
    60_000,
  );
}, 150_000);
