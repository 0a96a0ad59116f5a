import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const INSTALL =
  'nats-server is not installed: `apt-get install nats-server`, `brew install nats-server`, or https://nats.io/download';

/** A broker of our own, for as long as the example runs. A real one runs somewhere by itself. */
export interface LocalBroker extends AsyncDisposable {
  readonly servers: string;
}

/** Starts it on a free port. Resolves with `null` when it is not installed. */
export async function startBroker(): Promise<LocalBroker | null> {
  const folder = mkdtempSync(join(tmpdir(), 'many-hosts-'));
  const child = spawn(
    'nats-server',
    ['--jetstream', '-sd', folder, '-a', '127.0.0.1', '-p', '-1', '--ports_file_dir', folder],
    {
      stdio: 'ignore',
    },
  );
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const close = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const failed = new Promise<null>((resolve) => child.once('error', () => resolve(null)));
  const servers = await Promise.race([failed, address(child, folder)]);
  if (servers !== null) return { servers, [Symbol.asyncDispose]: close };
  await close();
  return null;
}

/** It writes its address into a file once it listens. */
async function address(child: ChildProcess, folder: string): Promise<string> {
  for (;;) {
    const file = readdirSync(folder).find((name) => name.endsWith(`_${child.pid}.ports`));
    const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8');
    if (text !== '') return (JSON.parse(text) as { nats: string[] }).nats[0]!;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
