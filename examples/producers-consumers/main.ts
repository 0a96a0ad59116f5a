/**
 * Producers and consumers over TCP: a server, two producers, three consumers, one of which is killed while it has a job.
 *
 *   node .build/examples/producers-consumers/main.js [DIR]
 *
 * All run on this machine here. On others, each host runs one of the three programs with the server's address.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { markdown } from '../text-search/markdown.js';

const PRODUCERS = 2;
const CONSUMERS = 3;

const [directory = fileURLToPath(new URL('../../../docs', import.meta.url))] = process.argv.slice(2);
const env = { ...process.env, DESK_KEY: randomUUID() };

const files: string[] = [];
for await (const file of markdown(directory)) files.push(file);

const { child: server, said } = program('server', '--producers', String(PRODUCERS));
const address = /at (.+)$/.exec(await said)![1]!;

const victim = program('consumer', address);
const producers = Array.from({ length: PRODUCERS }, (_, n) =>
  program('producer', address, ...files.filter((_file, i) => i % PRODUCERS === n)),
);
// It has said which job it takes: the job comes back to the desk when it is killed.
await victim.said;
victim.child.kill('SIGKILL');
const consumers = Array.from({ length: CONSUMERS - 1 }, () => program('consumer', address));

for (const { child } of [...producers, ...consumers]) await ended(child);
await ended(server);

/** Starts one of the programs. `said` is its first line. */
function program(name: string, ...line: string[]): { child: ChildProcess; said: Promise<string> } {
  const file = fileURLToPath(new URL(`${name}.js`, import.meta.url));
  const child = spawn(process.execPath, [file, ...line], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout! });
  lines.on('line', (text) => {
    if (!/^(takes|puts) /.test(text)) console.log(text);
  });
  return { child, said: once(lines, 'line').then(([text]) => text as string) };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
