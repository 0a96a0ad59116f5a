/** Agents as processes of their own, by the command line. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const COMMAND = fileURLToPath(new URL('../../bin/multiprocess.js', import.meta.url));

export interface AgentProcess {
  readonly child: ChildProcess;
  /** What it has logged. */
  readonly log: () => string;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/**
 * Starts `multiprocess agent …`; resolves when it serves. It ends with the test at the latest.
 * @param folder Where it runs. Default: here.
 */
export async function startAgent(
  servers: string,
  name: string,
  args: readonly string[] = [],
  folder?: string,
): Promise<AgentProcess> {
  const agent = run(COMMAND, ['agent', '--servers', servers, '--name', name, '--processes', '1', ...args], folder);
  await new Promise<void>((resolve, reject) => {
    const look = (): void => {
      if (/ serves pool /.test(agent.log())) resolve();
    };
    agent.child.stderr!.on('data', look);
    void agent.ended.then(() => reject(new Error(`the agent ended: ${agent.log()}`)));
    look();
  });
  return agent;
}

/** Runs `multiprocess …`. */
export function runCommand(args: readonly string[]): AgentProcess {
  return run(COMMAND, args);
}

/** Runs a program of test/fixtures/distributed. */
export function runProgram(name: string, args: readonly string[]): AgentProcess {
  return run(fileURLToPath(new URL(`../fixtures/distributed/${name}`, import.meta.url)), args);
}

function run(file: string, args: readonly string[], cwd?: string): AgentProcess {
  const child = spawn(process.execPath, [file, ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  );
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  return { child, log: () => log, ended };
}
