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

const server = program('server', '--producers', String(PRODUCERS));
const address = /at (.+)$/.exec(await server.saying(/^the desk is at /))![1]!;

const consumers = Array.from({ length: CONSUMERS }, () => program('consumer', address));
const [victim] = consumers as [Program];
const taken = victim.saying(/^takes /);
// All are there before the first job: one that comes when all is done finds no server any more.
await Promise.all(consumers.map((consumer) => consumer.saying(/^waits /)));
const producers = Array.from({ length: PRODUCERS }, (_, n) =>
  program('producer', address, ...files.filter((_file, i) => i % PRODUCERS === n)),
);
// It has said which job it takes: the job comes back to the desk when it is killed.
await taken;
victim.child.kill('SIGKILL');

for (const { child } of [...producers, ...consumers, server]) await ended(child);

interface Program {
  readonly child: ChildProcess;
  /** The first line that fits, from now on. */
  saying(pattern: RegExp): Promise<string>;
}

/** Starts one of the programs. */
function program(name: string, ...line: string[]): Program {
  const file = fileURLToPath(new URL(`${name}.js`, import.meta.url));
  const child = spawn(process.execPath, [file, ...line], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout! });
  lines.on('line', (text) => {
    if (!/^(takes|puts|waits) /.test(text)) console.log(text);
  });
  const saying = (pattern: RegExp): Promise<string> =>
    new Promise((resolve) => {
      lines.on('line', (text) => {
        if (pattern.test(text)) resolve(text);
      });
    });
  return { child, saying };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
