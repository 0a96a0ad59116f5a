/**
 * Small programs in folders of their own, in which `multiprocess` is installed. A program runs in a
 * process group of its own, which ends with the test; what it and its children do can be counted.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Makes a folder with the library and these files, removed after the test. */
export function install(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), 'multiprocess-programs-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  mkdirSync(join(path, 'node_modules'));
  symlinkSync(root, join(path, 'node_modules', 'multiprocess'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(path, name, '..'), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

/** How a program ended. */
export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** Runs Node with these words in `cwd`. All of its process group is killed after the test. */
export function runNode(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '', NODE_NO_WARNINGS: '1', ...env },
    });
    onTestFinished(() => {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {
        // All have ended.
      }
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('close', (code) => resolve({ stdout, stderr, code }));
  });
}

/** Variable by which the processes of a folder's programs are known. */
const MARK = 'TEST_PROGRAM_FOLDER';

/** As {@link runNode}, with what can be counted: see {@link countRuns} and {@link processesOf}. */
export function runCounted(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  writeFileSync(join(cwd, 'runs'), '');
  return runNode(args, cwd, { ...env, RUNS: join(cwd, 'runs'), [MARK]: cwd });
}

/** JavaScript that counts how often the file that contains it is loaded. */
export const COUNT = "process.getBuiltinModule('node:fs').appendFileSync(process.env.RUNS, 'x');";

/** How often {@link COUNT} was run. */
export function countRuns(cwd: string): number {
  return readFileSync(join(cwd, 'runs'), 'utf8').length;
}

/** Command lines of the processes that a program of {@link runCounted} has left. */
export function processesOf(cwd: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      if (!/^\d+$/.test(pid) || !readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${MARK}=${cwd}\0`)) return [];
      if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))) return [];
      return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ')}`];
    } catch {
      return []; // It ended while we looked, or is another user's.
    }
  });
}
