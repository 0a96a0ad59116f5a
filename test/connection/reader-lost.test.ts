/**
 * Several readers of one end: one that dies, or leaves, within a message takes the place where the
 * next one begins with it.
 */
import { type Connection, Process } from 'multiprocess';
import { expect, it } from 'vitest';
import { writeChannel } from '../../dist/native/index.js';
import { pair } from '../support/connections.js';
import { until } from '../support/until.js';

/** Writes the beginning of a message of 1,000 bytes. */
function begin(connection: Connection<any>): void {
  const part = Buffer.alloc(100);
  part.writeInt32BE(1_000);
  expect(writeChannel(connection.fileno(), part, 0, part.length)).toBe(part.length);
}

const outcome = (promise: Promise<unknown>) =>
  promise.then(
    () => 'received',
    (error: { code?: string }) => error.code,
  );

it('a reader that is killed within a message leaves the other readers MP_READER_LOST, and no garbage', async () => {
  const [a, b] = pair();
  const child = new Process(async (end: Connection<any>) => void (await end.recvBytes()), { args: [b] });
  await child.start();
  begin(a);
  await until(() => !b.pollSync(), 'the child has begun');
  // While it lives the message is its own.
  expect(await outcome(b.recvBytes({ timeout: 100 }))).toBe('MP_TIMEOUT');
  child.kill();
  await child.join();
  await a.sendBytes(new Uint8Array(10));
  for (let i = 0; i < 2; i++) {
    expect(await outcome(b.recvBytes())).toBe('MP_READER_LOST');
    expect(() => b.recvSync()).toThrow(/died within a message.*close the connection and open another one/);
  }
});

it('a reader that closes its end within a message leaves the other readers MP_READER_LOST', async () => {
  const [a, b] = pair();
  const child = new Process(
    async (end: Connection<any>) => {
      await end.recvBytes({ timeout: 200 }).catch(() => {});
      end.close();
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    },
    { args: [b] },
  );
  await child.start();
  begin(a);
  await until(() => !b.pollSync(), 'the child has begun');
  expect(await outcome(b.recvBytes())).toBe('MP_READER_LOST');
  child.kill();
  await child.join();
});

it('a reader that is killed between two messages loses no message', async () => {
  const [a, b] = pair();
  const child = new Process(
    async (end: Connection<any>) => {
      await end.recvBytes();
      await end.send('has it');
      await end.recvBytes();
    },
    { args: [b] },
  );
  await child.start();
  await a.sendBytes(new Uint8Array(200_000));
  expect(await a.recv()).toBe('has it');
  child.kill();
  await child.join();
  await a.sendBytes(new Uint8Array(7));
  expect((await b.recvBytes()).length).toBe(7);
});
