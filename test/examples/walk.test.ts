import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Findings, noFindings, walk } from '../../examples/source-census/walk.js';

let base: string;
let root: string;
let findings: Findings;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'census-walk-'));
  root = join(base, 'root');
  mkdirSync(root);
  findings = noFindings();
});

afterEach(() => rmSync(base, { recursive: true }));

function files(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), '');
  }
}

async function walked(directory = root): Promise<string[]> {
  const found: string[] = [];
  for await (const file of walk(directory, findings)) found.push(file);
  return found;
}

describe('walk', () => {
  it('yields the JavaScript files, sorted within each directory, relative to the start', async () => {
    files(
      'root/b.js',
      'root/a.mjs',
      'root/sub/deep/d.cjs',
      'root/sub/c.js',
      'root/e.ts',
      'root/f.json',
      'root/.js',
      'root/.hidden/g.js',
    );
    expect(await walked()).toEqual(['a.mjs', 'b.js', '.hidden/g.js', 'sub/c.js', 'sub/deep/d.cjs']);
    expect(findings).toEqual({ ...noFindings(), directories: 4 });
  });

  it('is lazy: a directory is listed when the files before it are taken', async () => {
    files('root/a.js', 'root/sub/b.js');
    const walking = walk(root, findings);
    expect(findings.directories).toBe(0);
    expect(await walking.next()).toEqual({ done: false, value: 'a.js' });
    expect(findings.directories).toBe(1);
    files('root/sub/c.js');
    expect(await walking.next()).toEqual({ done: false, value: 'sub/b.js' });
    expect(await walking.next()).toEqual({ done: false, value: 'sub/c.js' });
    expect((await walking.next()).done).toBe(true);
  });

  it('counts directories that cannot be listed and goes on', async () => {
    files('root/a.js', 'root/b/b.js', 'root/c/c.js');
    const walking = walk(root, findings);
    await walking.next();
    rmSync(join(root, 'b'), { recursive: true });
    expect(await walking.next()).toEqual({ done: false, value: 'c/c.js' });
    await walking.next();
    expect(findings).toEqual({ ...noFindings(), directories: 2, unreadableDirectories: { ENOENT: 1 } });
  });

  it('counts directories without permission', async () => {
    files('root/a.js');
    chmodSync(base, 0o755);
    mkdirSync(join(root, 'closed'), { mode: 0 });
    const user = process.geteuid!();
    if (user === 0) process.seteuid!(65_534); // for root nothing is closed
    try {
      expect(await walked()).toEqual(['a.js']);
    } finally {
      if (user === 0) process.seteuid!(user);
    }
    expect(findings.unreadableDirectories).toEqual({ EACCES: 1 });
  });

  it('counts a start that does not exist', async () => {
    expect(await walked(join(root, 'absent'))).toEqual([]);
    expect(findings.unreadableDirectories).toEqual({ ENOENT: 1 });
  });

  it('may start at a symbolic link', async () => {
    files('root/a.js');
    symlinkSync(root, join(base, 'link'));
    expect(await walked(join(base, 'link'))).toEqual(['a.js']);
  });

  it('does not follow links to what it meets anyway, circles among them', async () => {
    files('root/sub/a.js');
    symlinkSync('.', join(root, 'self'));
    symlinkSync('sub', join(root, 'again'));
    symlinkSync('sub/a.js', join(root, 'b.js'));
    symlinkSync('..', join(root, 'sub', 'up'));
    expect(await walked()).toEqual(['sub/a.js']);
    expect(findings).toEqual({ ...noFindings(), directories: 2, repeatedLinks: 4 });
  });

  it('follows links that lead out of the tree, each target once', async () => {
    files('root/z.js', 'out/a.js', 'out/deep/b.js', 'single.js', 'single.txt');
    symlinkSync('../out', join(root, 'one'));
    symlinkSync('../out', join(root, 'two'));
    symlinkSync('../out/deep', join(root, 'zoom'));
    symlinkSync('../single.js', join(root, 's1.js'));
    symlinkSync('../single.js', join(root, 's2.js'));
    symlinkSync('../single.txt', join(root, 's3.txt'));
    expect(await walked()).toEqual(['s1.js', 'z.js', 'one/a.js', 'one/deep/b.js']);
    expect(findings).toEqual({ ...noFindings(), directories: 3, repeatedLinks: 3 });
  });

  it('takes a linked file once, whether the link or its directory comes first', async () => {
    files('out/a.js', 'far/b.js');
    symlinkSync('../out/a.js', join(root, 'first.js'));
    symlinkSync('../out', join(root, 'out'));
    symlinkSync('../far', join(root, 'far'));
    mkdirSync(join(root, 'zone'));
    symlinkSync('../../far/b.js', join(root, 'zone', 'late.js'));
    expect(await walked()).toEqual(['first.js', 'far/b.js']);
    expect(findings.repeatedLinks).toBe(1);
  });

  it('survives a link to a directory above the start', async () => {
    files('root/a.js', 'beside.js');
    symlinkSync('..', join(root, 'up'));
    expect(await walked()).toEqual(['a.js', 'up/beside.js']);
  });

  it('counts broken links and links in a circle', async () => {
    symlinkSync('nowhere', join(root, 'broken.js'));
    symlinkSync('loop', join(root, 'loop'));
    expect(await walked()).toEqual([]);
    expect(findings.brokenLinks).toBe(2);
  });
});
