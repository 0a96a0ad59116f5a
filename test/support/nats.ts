/** A broker for one test file: nats-server on a port and in a folder of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.js';

/** Whether nats-server is installed. Tests without it are skipped. */
export const hasNats = spawnSync('nats-server', ['--version']).status === 0;

if (!hasNats) console.log('skipped: nats-server is not installed (apt-get install nats-server)');

export interface Nats {
  readonly servers: string;
  readonly port: number;
  readonly pid: number;
  /** Ends it by a signal; its store stays. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again, on its port. */
  restart(): Promise<void>;
  /** Ends it, and removes its store. */
  close(): Promise<void>;
}

/** Starts one. `config` is added to its configuration, `store` to the part of it about JetStream. */
export async function startNats(config = '', store = ''): Promise<Nats> {
  const folder = mkdtempSync(join(tmpdir(), 'multiprocess-nats-'));
  writeFileSync(join(folder, 'nats.conf'), `jetstream { store_dir: "${folder}/store"\n${store}\n}\n${config}\n`);
  let child: ChildProcess;
  let ended: Promise<unknown>;
  const start = async (port: number): Promise<void> => {
    const args = ['-c', join(folder, 'nats.conf'), '-a', '127.0.0.1', '-p', String(port), '--ports_file_dir', folder];
    child = spawn('nats-server', args, { stdio: 'ignore' });
    const mine = child;
    ended = new Promise((resolve) => mine.once('exit', resolve));
    await until(() => portIn(folder, mine.pid!) !== undefined, 'the broker to listen');
    await reached(portIn(folder, mine.pid!)!);
  };
  await start(-1);
  const port = portIn(folder, child!.pid!)!;
  return {
    servers: `nats://127.0.0.1:${port}`,
    port,
    get pid() {
      return child.pid!;
    },
    kill: async (signal = 'SIGKILL') => {
      child.kill(signal);
      await ended;
    },
    restart: () => start(port),
    close: async () => {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function portIn(folder: string, pid: number): number | undefined {
  const name = readdirSync(folder).find((file) => file.endsWith(`_${pid}.ports`));
  if (name === undefined) return undefined;
  try {
    const { nats } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { nats: string[] };
    return Number(new URL(nats[0]!).port);
  } catch {
    // It is being written.
    return undefined;
  }
}

async function reached(port: number): Promise<void> {
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
  }
}
