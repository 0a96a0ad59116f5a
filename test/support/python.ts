/** Stock Python as a peer. Where there is none, tests that need it are skipped and say so. */
import { spawn, spawnSync } from 'node:child_process';

const version = spawnSync('python3', ['--version'], { encoding: 'utf8' });

/** Whether python3 is here. */
export const hasPython = version.status === 0;
if (!hasPython) console.warn('skipped: nothing is checked against Python; `apt-get install python3` installs one');

/** Runs a program and returns what it printed; its arguments are in sys.argv. Rejects with its stderr when it fails. */
export async function python(code: string, ...args: string[]): Promise<string> {
  const child = spawn('python3', ['-c', code, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const status = await new Promise((resolve) => child.once('close', resolve));
  if (status !== 0) throw new Error(`python3 ended with ${String(status)}: ${stderr}`);
  return stdout.trim();
}
