/**
 * A Node that cannot be forked, as one for musl is: its C library does not tell the sizes of symbols. Here `dladdr1` is
 * replaced by one that tells none, so the addon finds what it finds there.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withForks } from '../support/needs.js';
import { program } from '../support/programs.js';

const NO_SIZES = 'int dladdr1(const void *a, void *i, void **s, int f) { return 0; }\n';

describe.runIf(withForks)('a Node that cannot be forked', () => {
  let folder: string;
  let env: Record<string, string>;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'unforkable-'));
    writeFileSync(join(folder, 'sizes.c'), NO_SIZES);
    // The compiler with which the addon was built.
    execFileSync(process.env['CXX'] ?? 'g++', ['-x', 'c', '-shared', '-fPIC', '-o', 'sizes.so', 'sizes.c'], {
      cwd: folder,
    });
    env = { LD_PRELOAD: join(folder, 'sizes.so') };
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('has the other start methods, and refuses forks with the reason before anything is started', async () => {
    const { stdout, stderr, code } = await program('methods.js', [], { env }).ended;
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toMatch(
      /^spawn,thread MP_UNSUPPORTED getContext: start method 'fork' cannot be used here: this build of Node does not show `node::AtExit` and its platform.*musl.* Use 'spawn' or 'thread'\.\n$/,
    );
  });

  it('has the projects of forks skipped, in a line that says why', () => {
    const root = new URL('../..', import.meta.url);
    const vitest = new URL('node_modules/vitest/vitest.mjs', root).pathname;
    const words = [vitest, 'list', '--filesOnly', '--project', 'fork', '--project', 'forkserver'];
    const said = spawnSync(process.execPath, words, { cwd: root, encoding: 'utf8', env: { ...process.env, ...env } });
    expect(said.status).toBe(0);
    expect(said.stdout).not.toContain('.test.ts');
    expect(said.stderr.match(/^The projects `fork` and `forkserver` are skipped: .*musl.*\.$/gm)).toHaveLength(1);
  });
});
