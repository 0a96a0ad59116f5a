/**
 * Before and after a run: files that processes of killed runs left in the folder for temporary files, told by their names, which
 * have the process that made them. What a living process has stays, be it of another run.
 */
import { readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const OWNED = /^multiprocess-(?:names-(\d+)-[\d.]+\.log|watched-(\d+))$/;

/** Removes them. @returns their names. */
export function sweep(folder = tmpdir()): string[] {
  return readdirSync(folder).filter((name) => {
    const [, ...pids] = OWNED.exec(name) ?? [];
    const pid = Number(pids.find((one) => one !== undefined) ?? 0);
    if (pid === 0 || lives(pid)) return false;
    rmSync(join(folder, name), { force: true });
    return true;
  });
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

export function setup(): void {
  sweep();
}

export function teardown(): void {
  sweep();
}
