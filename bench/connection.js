/**
 * Pipes beside CPython's: `node bench/connection.js`, after `npm run build`.
 *
 * Two processes, a core each and then both on one core (taskset); ours and Python's rounds take turns, medians. `n/a` without python3.
 * Ours are measured after a warm-up, since both processes and their compiler threads share the cores they are pinned to; CPython
 * needs none.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { pipe } from '../dist/connection/index.js';
import { dumps } from '../dist/reduction/index.js';

const ROUNDS = Number(process.argv[2] ?? 5);
const MIB = 1 << 20;
const child = fileURLToPath(new URL('./harness/connection-child.js', import.meta.url));

/** Name, what the child does, messages, target as a multiple of CPython's rate; ours. */
const cells = [
  ['100 B one way, awaited one by one', 'count', 200_000, 2, oneByOne],
  ['100 B one way, 64 sends in flight', 'count', 200_000, 2, together],
  ['8 B round trip, blocking', 'echo-sync', 20_000, 1, (c, n) => roundTripsSync(c, n, 8)],
  ['8 B round trip, awaited', 'echo', 20_000, 0.5, (c, n) => roundTrips(c, n, 8)],
  ['1 MiB there and back', 'echo', 300, 1, (c, n) => roundTrips(c, n, MIB)],
  ['1 MiB there and back, blocking', 'echo-sync', 300, 1, (c, n) => roundTripsSync(c, n, MIB)],
];

const message = 'x'.repeat(100);

async function oneByOne(connection, count) {
  for (let i = 0; i < count; i++) await connection.send(message);
  await connection.recv();
}

async function together(connection, count) {
  for (let i = 0; i < count; i += 64) {
    let last;
    for (let k = 0; k < 64; k++) last = connection.send(message);
    await last;
  }
  await connection.recv();
}

async function roundTrips(connection, count, size) {
  const bytes = new Uint8Array(size).fill(1);
  for (let i = 0; i < count; i++) {
    const sent = connection.sendBytes(bytes);
    await connection.recvBytes();
    await sent;
  }
}

function roundTripsSync(connection, count, size) {
  const bytes = new Uint8Array(size).fill(1);
  for (let i = 0; i < count; i++) {
    connection.sendBytesSync(bytes);
    connection.recvBytesSync();
  }
}

async function ours(role, count, run, core) {
  const [mine, theirs] = pipe();
  const peer = spawn('taskset', ['-c', String(core), process.execPath, child, role, String(count)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  peer.send(Buffer.from(dumps(theirs)).toString('base64'));
  await mine.recv();
  theirs.close();
  await run(mine, count >> 1);
  const began = process.hrtime.bigint();
  await run(mine, count);
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  mine.close();
  if (peer.exitCode === null) await once(peer, 'exit');
  return count / seconds;
}

const script = `
import multiprocessing as mp, os, sys, time
role, count, core = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def peer(r, w):
    w.close(); os.sched_setaffinity(0, {core}); r.send(1)
    if role == 'count':
        for i in range(count): r.recv()
        r.send(1)
    else:
        for i in range(count): r.send_bytes(r.recv_bytes())
if __name__ == '__main__':
    mp.set_start_method('fork')
    a, b = mp.Pipe()
    p = mp.Process(target=peer, args=(b, a)); p.start(); b.close(); a.recv()
    size = int(sys.argv[4])
    message = 'x' * size if role == 'count' else b'x' * size
    began = time.perf_counter()
    if role == 'count':
        for i in range(count): a.send(message)
        a.recv()
    else:
        for i in range(count): a.send_bytes(message); a.recv_bytes()
    print(count / (time.perf_counter() - began)); p.join()
`;

function python(role, count, core, size) {
  const argv = [
    '-c',
    '0',
    'python3',
    '-c',
    script,
    role.startsWith('echo') ? 'echo' : role,
    String(count),
    String(core),
    String(size),
  ];
  const { status, stdout } = spawnSync('taskset', argv, { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : Number.NaN;
}

const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
const digits = (n) => (Number.isNaN(n) ? 'n/a' : Math.round(n).toLocaleString('en'));

spawnSync('taskset', ['-cp', '0', String(process.pid)]);
console.log(`node ${process.version}, messages (or round trips) a second, median of ${ROUNDS} rounds\n`);
for (const core of [1, 0]) {
  console.log(core === 1 ? 'a core each' : '\nboth on one core');
  console.log(
    `${'  '.padEnd(40)}${'ours'.padStart(12)}${'CPython'.padStart(12)}${'ratio'.padStart(8)}${'target'.padStart(8)}`,
  );
  for (const [name, role, count, target, run] of cells) {
    const [mine, theirs] = [[], []];
    const size = role === 'count' ? 100 : name.startsWith('8 B') ? 8 : MIB;
    for (let round = 0; round < ROUNDS; round++) {
      mine.push(await ours(role, count, run, core));
      theirs.push(python(role, count, core, size));
    }
    const [m, t] = [median(mine), median(theirs)];
    console.log(
      `  ${name.padEnd(38)}${digits(m).padStart(12)}${digits(t).padStart(12)}${`${(m / t).toFixed(2)}x`.padStart(8)}${`${target}x`.padStart(8)}`,
    );
  }
}
