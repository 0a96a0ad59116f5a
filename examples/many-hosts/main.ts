/**
 * The source census over many hosts: a broker, three agents, and one of them killed in the middle.
 *
 *   node .build/examples/many-hosts/main.js [DIR]
 *
 * All run on this machine here. On others, each host runs
 *   npx multiprocess agent --servers nats://broker:4222 --name census
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DistributedPool } from 'multiprocess/distributed';
import { filter, firstValueFrom, lastValueFrom, scan, take, tap, toArray } from 'rxjs';
import { type CensusItem, emptyCensus, include, TOP } from '../source-census/census.js';
import { examine } from '../source-census/examine.js';
import { walk } from '../source-census/walk.js';
import { INSTALL, startBroker } from './broker.js';

const COMMAND = fileURLToPath(new URL('../../../bin/multiprocess.js', import.meta.url));
const HOSTS = 3;

process.exitCode = await main(
  resolve(process.argv[2] ?? fileURLToPath(new URL('../../../node_modules', import.meta.url))),
);

async function main(directory: string): Promise<number> {
  await using broker = await startBroker();
  if (broker === null) {
    console.error(INSTALL);
    return 1;
  }
  const { servers } = broker;
  await using pool = await DistributedPool.connect({ servers, name: 'census', lease: 1_000 });
  const joined = firstValueFrom(
    pool.events.pipe(
      filter(({ type }) => type === 'host-join'),
      take(HOSTS),
      toArray(),
    ),
  );
  // Agents that drivers may send functions to: here both are one program.
  const agents = Array.from({ length: HOSTS }, () => startAgent(servers));
  try {
    await joined;
    console.log(`${HOSTS} hosts have joined`);
    const watching = pool.events.subscribe((event) => {
      if (event.type === 'host-lost') console.log('a host is lost: its files are examined elsewhere');
    });

    const results = pool.imapUnordered(
      (file: string): CensusItem => ({ file, ...examine(join(directory, file), TOP) }),
      walk(directory),
      {
        errors: 'settle',
      },
    );
    let files = 0;
    const census = await lastValueFrom(
      results.pipe(
        tap(() => {
          if (++files !== 20) return;
          agents[0]!.kill('SIGKILL');
          console.log('one of them is killed');
        }),
        scan(include, emptyCensus),
      ),
      { defaultValue: emptyCensus },
    );
    watching.unsubscribe();
    console.log(`${census.parsed} of ${files} files are parsed: ${census.lines} lines`);
    return 0;
  } finally {
    for (const agent of agents) agent.kill('SIGTERM');
    await Promise.all(
      agents.map((agent) => agent.exitCode ?? agent.signalCode ?? new Promise((ended) => agent.once('close', ended))),
    );
  }
}

function startAgent(servers: string): ChildProcess {
  const options = ['--servers', servers, '--name', 'census', '--processes', '1', '--allow-functions'];
  return spawn(process.execPath, [COMMAND, 'agent', ...options], { stdio: 'ignore' });
}
