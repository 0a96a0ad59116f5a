/**
 * `multiprocess agent …`: what `bin/multiprocess.js` runs.
 *
 * Exit codes: 0 after a drain, 1 when the agent ended by itself or could not start, 2 for a command
 * line that is not understood.
 */
import { parseArgs } from 'node:util';
import { MultiprocessError } from '../../errors/index.js';
import { getLogger } from '../../util/logger.js';
import { Agent, type AgentOptions } from '../agent/index.js';

const USAGE = `Usage: multiprocess agent --servers URL[,URL…] --name POOL [options]

Runs this host's part of a pool of many hosts. Tasks come from the broker, NATS with JetStream.

  --servers URL[,URL…]   addresses of the broker, such as nats://localhost:4222
  --name POOL            name of the pool (also: --pool)
  --processes N          number of workers; default: the CPUs this process may use
  --context METHOD       how workers are started: spawn, forkserver, fork, thread
  --preload MODULE       a module that each worker loads first; may be given several times
  --allow-functions      run functions that drivers send with their code
  --lease MS             when the tasks of a host that is not heard of go to others
  --max-queue N          most tasks that wait in each class of priority, for a new pool
  --max-queue-bytes N    most bytes of them; the broker reserves three times as many
  --http PORT            answer GET / with 200 while tasks are taken, else 503
  --user, --password     credentials for the broker; also NATS_USER, NATS_PASSWORD
  --token TOKEN          likewise; also NATS_TOKEN
  --tls                  connect by TLS, with the system's authorities
  --tls-ca FILE          or with these; --tls-cert FILE and --tls-key FILE for a client's own

SIGTERM and SIGINT drain: tasks that run are finished, no others taken. A second one stops.`;

/** Runs a command line. @returns the exit code. */
export async function command(args: readonly string[]): Promise<number> {
  if (args.length === 0 || args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${USAGE}\n`);
    return args.length === 0 ? 2 : 0;
  }
  let options: AgentOptions;
  try {
    options = optionsOf(args);
  } catch (error) {
    process.stderr.write(`multiprocess: ${(error as Error).message}\n\n${USAGE}\n`);
    return 2;
  }
  const logger = getLogger();
  logger.setLevel('INFO');
  logger.addHandler((record) =>
    process.stderr.write(`${new Date().toISOString()} ${record.levelName} ${record.message}\n`),
  );
  try {
    return await serve(options);
  } catch (error) {
    process.stderr.write(
      `multiprocess: ${error instanceof MultiprocessError ? `${error.message} (${error.code})` : String(error)}\n`,
    );
    return 1;
  }
}

async function serve(options: AgentOptions): Promise<number> {
  const logger = getLogger();
  const agent = await Agent.start(options);
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    logger.info('%s: %s', signal, ++signals === 1 ? 'drains; once more to stop' : 'stops');
    void (signals === 1 ? agent.drain() : agent.stop());
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  try {
    await agent.closed;
    logger.info('agent %s: has ended', agent.id);
    return 0;
  } finally {
    await agent.stop();
    process.off('SIGTERM', onSignal).off('SIGINT', onSignal);
  }
}

function optionsOf(args: readonly string[]): AgentOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      servers: { type: 'string' },
      name: { type: 'string' },
      pool: { type: 'string' },
      processes: { type: 'string' },
      context: { type: 'string' },
      preload: { type: 'string', multiple: true },
      'allow-functions': { type: 'boolean' },
      lease: { type: 'string' },
      'max-queue': { type: 'string' },
      'max-queue-bytes': { type: 'string' },
      http: { type: 'string' },
      user: { type: 'string' },
      password: { type: 'string' },
      token: { type: 'string' },
      tls: { type: 'boolean' },
      'tls-ca': { type: 'string' },
      'tls-cert': { type: 'string' },
      'tls-key': { type: 'string' },
    },
  });
  const [name, ...more] = positionals;
  if (name !== 'agent' || more.length > 0)
    throw new Error(`unknown command: ${positionals.join(' ')}; the only one is \`agent\``);
  const { servers, user, password, token } = values;
  const pool = values.name ?? values.pool;
  if (servers === undefined)
    throw new Error('--servers is missing: the address of the broker, such as nats://localhost:4222');
  if (pool === undefined) throw new Error('--name is missing: the name of the pool');
  const files = { caFile: values['tls-ca'], certFile: values['tls-cert'], keyFile: values['tls-key'] };
  const hasFiles = Object.values(files).some((file) => file !== undefined);
  return {
    servers: servers.split(',').filter(Boolean),
    name: pool,
    processes: numberOf('processes', values.processes),
    context: values.context as AgentOptions['context'],
    preload: values.preload,
    allowFunctions: values['allow-functions'] ?? false,
    lease: numberOf('lease', values.lease),
    maxQueue: numberOf('max-queue', values['max-queue']),
    maxQueueBytes: numberOf('max-queue-bytes', values['max-queue-bytes']),
    http: numberOf('http', values.http),
    credentials: {
      user: user ?? process.env['NATS_USER'],
      password: password ?? process.env['NATS_PASSWORD'],
      token: token ?? process.env['NATS_TOKEN'],
    },
    tls: hasFiles ? files : values.tls,
  };
}

function numberOf(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  throw new Error(`--${name} must be a number, not ${JSON.stringify(value)}`);
}
