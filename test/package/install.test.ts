/** The install script of an installed package: which addon it takes. */
import { execFile } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
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

/** Runs the script, with a prebuilt addon of that name. Fails where the script does; returns what it says. */
async function install(prebuilt: string, ...options: string[]): Promise<string> {
  mkdirSync(join(installed, 'prebuilds', prebuilt), { recursive: true });
  cpSync(join(root, 'build/Release/multiprocess.node'), join(installed, 'prebuilds', prebuilt, 'multiprocess.node'));
  return runScript({ PATH: '' }, ...options);
}

async function runScript(env: NodeJS.ProcessEnv, ...options: string[]): Promise<string> {
  const { stderr } = await run(process.execPath, [...options, 'scripts/install.js'], { cwd: installed, env });
  return stderr;
}

/** Stands in for another system, of which none is at hand: only what looks at `process.platform` differs. */
const asPlatform = (name: string) =>
  `data:text/javascript,Object.defineProperty(process, 'platform', { value: '${name}' })`;

const addonLoads = `import { Lock } from 'multiprocess'; console.log(await new Lock().acquire());`;
const works = async () =>
  (await run(process.execPath, ['--input-type=module', '-e', addonLoads], { cwd: home })).stdout;

// Nothing can be built, since PATH is empty.
describe('the install script', () => {
  it.runIf(usesGlibc)('takes the prebuilt addon of its platform', { timeout: 120_000 }, async () => {
    expect(await install(platform)).toBe('');
    expect(existsSync(join(installed, 'build'))).toBe(false);
    expect(await works()).toBe('true\n');
  });

  it('takes that for musl where Node needs it, and puts it where the library looks first', {
    timeout: 120_000,
  }, async () => {
    expect(await install(`${platform}-musl`, '--import', asMusl)).toBe('');
    expect(await works()).toBe('true\n');
  });

  it.runIf(usesGlibc)('does not take one for musl elsewhere', { timeout: 120_000 }, async () => {
    expect(await install(`${platform}-musl`)).toContain('there is no native addon');
  });

  it('says in one line what works without a compiler, and what a build lacks', { timeout: 120_000 }, async () => {
    expect(await runScript({ PATH: '' })).toMatch(
      /^multiprocess works in worker threads here, .* needs g\+\+, make, python3; install them \(.*apk add .*\), then run `npm rebuild .*`\.\n$/,
    );
  });

  it('goes on when the build fails, and says how it ended', { timeout: 120_000 }, async () => {
    const tools = join(home, 'tools');
    mkdirSync(tools);
    for (const tool of ['g++', 'make', 'python3']) {
      writeFileSync(join(tools, tool), '#!/bin/sh\n');
      chmodSync(join(tools, tool), 0o755);
    }
    const gyp = join(home, 'gyp.cjs');
    writeFileSync(gyp, 'process.exit(7)');
    expect(await runScript({ PATH: tools, npm_config_node_gyp: gyp })).toMatch(
      /^multiprocess works in worker threads here, .* node-gyp ended with status 7; .*\n$/,
    );
  });

  it('goes on where it may write nothing', { timeout: 120_000 }, async () => {
    writeFileSync(join(installed, 'build'), 'a file, so that no folder can be made here');
    expect(await install(`${platform}-musl`, '--import', asMusl)).toMatch(
      /^multiprocess works in worker threads here, .* installing it failed \(ENOTDIR.*\n$/,
    );
  });

  it('asks for no compiler where nothing could be built', { timeout: 120_000 }, async () => {
    for (const name of ['darwin', 'win32', 'freebsd']) {
      expect(await runScript({ PATH: '' }, '--import', asPlatform(name))).toBe(
        `multiprocess works in worker threads here, not in processes: these need Linux, and this is ${name}; run the program in a Linux container, or in WSL.\n`,
      );
    }
  });

  it('has nothing to say where the addon is not wanted', { timeout: 120_000 }, async () => {
    expect(await runScript({ PATH: '', MULTIPROCESS_NATIVE: 'off' })).toBe('');
  });
});

it('needs no header of the kernel, which Alpine has in a package of its own', () => {
  const sources = readdirSync(join(root, 'native')).map((file) => readFileSync(join(root, 'native', file), 'utf8'));
  expect(sources.length).toBeGreaterThan(20);
  expect(sources.flatMap((text) => text.match(/#include <(linux|asm)\/.*/g) ?? [])).toEqual([]);
});
