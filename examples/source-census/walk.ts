import type { Dirent, Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, sep } from 'node:path';

const EXTENSIONS = new Set(['.js', '.mjs', '.cjs']);

/** What a walk met beside the files it yielded. */
export interface Findings {
  directories: number;
  /** Directories that could not be listed, by error code. */
  unreadableDirectories: Record<string, number>;
  /** Symbolic links to what the walk meets, or has met, by another way. */
  repeatedLinks: number;
  /** Symbolic links that lead nowhere, or in a circle. */
  brokenLinks: number;
}

export const noFindings = (): Findings => ({
  directories: 0,
  unreadableDirectories: {},
  repeatedLinks: 0,
  brokenLinks: 0,
});

/**
 * Yields the JavaScript files below `directory`, as paths relative to it, sorted within each directory.
 *
 * Semantics: lazy; nothing is read before the first pull, and one directory is listed at a time. A symbolic link is
 * followed once and only when it leads out of the tree, so every file comes once, under its own path where it has
 * one. Never throws for the state of the disk: `findings` counts what could not be visited.
 */
export async function* walk(
  directory: string,
  findings: Findings = noFindings(),
): AsyncGenerator<string, void, undefined> {
  let root: string;
  try {
    root = await realpath(directory);
  } catch (error) {
    countUnreadable(findings, error);
    return;
  }
  const visited = new Set<string>();
  const linkedFiles = new Set<string>();
  const pending: { path: string; real: string; linked: boolean }[] = [{ path: '', real: root, linked: false }];

  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { path, real, linked } = next;
    if (visited.has(real)) {
      if (linked) findings.repeatedLinks++;
      continue;
    }
    visited.add(real);
    const entries = await list(real, findings);
    const below: typeof pending = [];
    for (const entry of entries) {
      const child = path === '' ? entry.name : join(path, entry.name);
      const childReal = join(real, entry.name);
      if (entry.isDirectory()) below.push({ path: child, real: childReal, linked: false });
      else if (entry.isFile()) {
        if (isSource(entry.name) && !linkedFiles.has(childReal)) yield child;
      } else if (entry.isSymbolicLink()) {
        const target = await follow(childReal);
        if (target === undefined) findings.brokenLinks++;
        else if (!target.stats.isDirectory() && !(target.stats.isFile() && isSource(entry.name))) continue;
        else if (inside(root, target.real) || visited.has(dirname(target.real)) || linkedFiles.has(target.real))
          findings.repeatedLinks++;
        else if (target.stats.isDirectory()) below.push({ path: child, real: target.real, linked: true });
        else {
          linkedFiles.add(target.real);
          yield child;
        }
      }
    }
    pending.push(...below.reverse());
  }
}

async function list(directory: string, findings: Findings): Promise<Dirent[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    findings.directories++;
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    countUnreadable(findings, error);
    return [];
  }
}

async function follow(link: string): Promise<{ real: string; stats: Stats } | undefined> {
  try {
    const real = await realpath(link);
    return { real, stats: await stat(real) };
  } catch {
    return undefined;
  }
}

function countUnreadable(findings: Findings, error: unknown): void {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  findings.unreadableDirectories[code] = (findings.unreadableDirectories[code] ?? 0) + 1;
}

function isSource(name: string): boolean {
  return EXTENSIONS.has(extname(basename(name)));
}

function inside(root: string, real: string): boolean {
  return real === root || real.startsWith(root.endsWith(sep) ? root : root + sep);
}
