/** The package as it is packed: few files, with and without a code cache. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const app = mkdtempSync(join(tmpdir(), 'multiprocess-package-'));
const installed = join(app, 'node_modules', 'multiprocess');
const part = (context: string, failed: string): string => `${context} true 3 0\n[ 3, 6, 9 ]\n3 ${failed}\n`;

beforeAll(async () => {
  mkdirSync(join(installed, 'build', 'Release'), { recursive: true });
  for (const each of ['dist', 'package.json', 'build/Release/multiprocess.node', 'scripts/cache.js']) {
    cpSync(join(root, each), join(installed, each), { recursive: true, filter: (path) => !path.endsWith('.cache') });
  }
  for (const each of ['acorn', 'msgpackr', 'piscina', 'rxjs'])
    symlinkSync(join(root, 'node_modules', each), join(app, 'node_modules', each));
  cpSync(join(root, 'test/fixtures/package/app.mjs'), join(app, 'app.mjs'));
}, 120_000);
afterAll(() => rmSync(app, { recursive: true }));

describe('the bundled package', () => {
  const works = async (...options: string[]) => {
    const { stdout, stderr } = await run(process.execPath, [...options, 'app.mjs'], { cwd: app, timeout: 110_000 });
    expect(stderr).toBe('');
    expect(stdout).toBe(['spawn', 'forkserver', 'thread'].map((context) => part(context, 'NotOwnerError')).join(''));
  };

  it('runs Process, Pool and Queue by every start method, with one class for each name', { timeout: 120_000 }, () =>
    works(),
  );

  it('does so with a code cache, and with maps of its sources', { timeout: 240_000 }, async () => {
    await run(process.execPath, [join(installed, 'scripts/cache.js')]);
    expect(
      readdirSync(join(installed, 'dist/chunks')).some(
        (name) => name.startsWith('receiving.cjs.v') && name.endsWith('.cache'),
      ),
    ).toBe(true);
    await works();
    await works('--enable-source-maps');
  });
});
