/**
 * What scripts/prebuild.js runs with an addon, in the Node of its platform: each part of the library that needs the addon, and a pool by
 * each start method. Ends with status 0 if all of it is as it should be.
 *
 *   node try-addon.mjs EXECUTABLE PLATFORM METHOD…
 */
import assert from 'node:assert/strict';
import { Lock, Pool, Process, Queue, SharedMemory, Value, WorkerCrashError } from 'multiprocess';
import { Client, Listener } from 'multiprocess/connection';

const [executable, name, ...methods] = process.argv.slice(2);
assert.equal(`${process.platform}-${process.arch}`, name);
// Under an emulator this is the emulator's script: all that the library starts is started by it.
process.execPath = executable;

const block = SharedMemory.create(64);
block.buf[0] = 7;
const attached = SharedMemory.attach(block.name);
assert.equal(attached.buf[0], 7);
attached.close();
block.close();
block.unlink();

const listener = await Listener.listen({ address: { host: '127.0.0.1', port: 0 }, authkey: 'key' });
const [server, client] = await Promise.all([listener.accept(), Client(listener.address, { authkey: 'key' })]);
await client.send({ sum: 42 });
assert.deepEqual(await server.recv(), { sum: 42 });
for (const each of [server, client, listener]) each.close();

for (const context of methods) {
  const lock = new Lock();
  const total = new Value('i', 0);
  const queue = new Queue();
  const factor = 3;
  const pool = new Pool({ processes: 2, context });
  const results = await pool.map(
    async (x) => {
      await lock.runExclusive(() => {
        total.value += x;
      });
      await queue.put(x);
      return x * factor;
    },
    [1, 2, 3, 4],
  );
  assert.deepEqual(results, [3, 6, 9, 12]);
  assert.equal(total.value, 10);
  const taken = [await queue.get(), await queue.get(), await queue.get(), await queue.get()];
  assert.deepEqual(taken.sort(), [1, 2, 3, 4]);
  if (context !== 'thread')
    await assert.rejects(
      pool.apply(() => process.kill(process.pid, 'SIGKILL')),
      WorkerCrashError,
    );
  await pool.terminate();
  const child = await new Process(() => process.exit(5), { context }).start();
  await child.exited;
  assert.equal(child.exitCode, 5);
}
