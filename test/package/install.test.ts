/** The install script of an installed package: which addon it takes. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const platform = `${process.platform}-${process.arch}`;
const usesGlibc = 'glibcVersionRuntime' in (process.report.getReport() as { header: object }).header;
/** Makes Node say that it was built for musl; the binary stays one that loads here. */
const asMusl = `data:text/javascript,const{header}=process.report.getReport();delete header.glibcVersionRuntime;process.report.getReport=()=>({header})`;

let home: string;
let installed: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'multiprocess-install-'));
  installed = join(home, 'node_modules', 'multiprocess');
  for (const each of ['dist', 'native', 'binding.gyp', 'package.json', 'scripts'])
    cpSync(join(root, each), join(installed, each), { recursive: true });
  for (const each of ['acorn', 'msgpackr', 'piscina', 'rxjs'])
    symlinkSync(join(root, 'node_modules', each), join(home, 'node_modules', each));
});
afterEach(() => rmSync(home, { recursive: true }));

async function install(prebuilt: string, ...options: string[]): Promise<string> {
  mkdirSync(join(installed, 'prebuilds', prebuilt), { recursive: true });
  cpSync(join(root, 'build/Release/multiprocess.node'), join(installed, 'prebuilds', prebuilt, 'multiprocess.node'));
  const { stderr } = await run(process.execPath, [...options, 'scripts/install.js'], { cwd: installed, env: { PATH: '' } });
  return stderr;
}

const addonLoads = `import { Lock } from 'multiprocess'; console.log(await new Lock().acquire());`;
const works = async () => (await run(process.execPath, ['--input-type=module', '-e', addonLoads], { cwd: home })).stdout;

// Nothing can be built, since PATH is empty.
describe('the install script', () => {
  it.runIf(usesGlibc)('takes the prebuilt addon of its platform', { timeout: 120_000 }, async () => {
    expect(await install(platform)).toBe('');
    expect(existsSync(join(installed, 'build'))).toBe(false);
    expect(await works()).toBe('true\n');
  });

  it('takes that for musl where Node needs it, and puts it where the library looks first', { timeout: 120_000 }, async () => {
    expect(await install(`${platform}-musl`, '--import', asMusl)).toBe('');
    expect(await works()).toBe('true\n');
  });

  it.runIf(usesGlibc)('does not take one for musl elsewhere, and says what a build lacks', { timeout: 120_000 }, async () => {
    expect(await install(`${platform}-musl`)).toMatch(/g\+\+ is missing: .*\n.*make is missing: .*\n.*python3? is missing/);
  });
});
