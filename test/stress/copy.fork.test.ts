/** The storm of fork.suite.ts over forks of a program in full swing: it serves, reads, writes, computes and collects meanwhile. */
import { randomBytes, scrypt } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { forkStorm } from './fork.suite.js';

const home = process.pid;
/** What belongs to the parent ends a copy in which it runs, with a code that no child was told. */
const here = (): void => {
  if (process.pid !== home) process.exit(198);
};

forkStorm('fork', async () => {
  let kept: unknown[] = [];
  let ended = false;
  const timers = [1, 3, 7, 20].map((delay) =>
    setInterval(() => {
      here();
      kept = Array.from({ length: 2_000 }, (_, i) => ({ i, kept: kept.length }));
      setImmediate(here);
      process.nextTick(here);
    }, delay),
  );
  const read = async (): Promise<void> => {
    for (; !ended; here()) await readFile(new URL(import.meta.url));
  };
  const derive = (): void => {
    here();
    if (!ended) scrypt('a', randomBytes(8), 16, { N: 256 }, () => setTimeout(derive, 2));
  };
  const server = createServer((socket) => {
    socket.on('error', here).on('data', (bytes) => {
      here();
      socket.write(bytes);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect((server.address() as { port: number }).port, '127.0.0.1', () => client.write('ping'));
  client.on('data', () => {
    here();
    setTimeout(() => client.write('ping'), 1);
  });
  const reading = read();
  derive();
  return async () => {
    ended = true;
    for (const timer of timers) clearInterval(timer);
    client.destroy();
    server.close();
    await reading;
  };
});
