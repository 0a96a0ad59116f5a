/**
 * Toolboxes: folders of `.build/toolchains` in which the packages of a family of hosts are installed, with this package among them as
 * a user gets it: packed, unpacked, its install script run.
 */
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { cache, root, versionsFile } from './places.js';

const versions = JSON.parse(readFileSync(versionsFile, 'utf8'));
const own = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
/** What the cases import. */
const OF_THE_CASES = ['date-fns', 'graphql', 'lodash', '@types/lodash', '@types/node', 'zod'];

const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
const run = promisify(execFile);
const opened = new Map();
let packed;

/** One run at a time: another would change what this one has installed. */
export function claimCache() {
  mkdirSync(cache, { recursive: true });
  const file = `${cache}running`;
  const other = Number(readIf(file));
  if (other > 0 && readIf(`/proc/${other}/cmdline`)?.includes('toolchains')) {
    throw new Error(`Another run of the toolchains (pid ${other}) uses ${cache}; wait for its end.`);
  }
  writeFileSync(file, String(process.pid));
  process.on('exit', () => rmSync(file, { force: true }));
}

/** Packs the package as it is built, once a run; with the addon, so that nothing is compiled. */
export function packPackage() {
  if (packed !== undefined) return packed;
  mkdirSync(cache, { recursive: true });
  execFileSync(process.execPath, [`${root}scripts/pack-addons.js`], quiet);
  const options = ['--ignore-scripts', '--json', '--pack-destination', cache];
  const [{ filename, integrity }] = JSON.parse(
    execFileSync('npm', ['pack', ...options], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  packed = { file: `${cache}${filename}`, integrity };
  return packed;
}

/** `name@version` of each, as pinned. */
export function pinned(names) {
  return names.map((name) => {
    const version = versions[name];
    if (version === undefined) throw new Error(`${name} has no version in ${versionsFile}`);
    return `${name}@${version}`;
  });
}

function readIf(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** Installs a toolbox unless it is there with these versions, and this package in it unless it is there as built. Returns its folder. */
export function openToolbox(toolbox) {
  if (!opened.has(toolbox.name)) opened.set(toolbox.name, install(toolbox));
  return opened.get(toolbox.name);
}

async function install({ name, packages = [] }) {
  const folder = `${cache}${name}/`;
  const ofThePackage = Object.entries({ ...own.dependencies, rxjs: own.devDependencies.rxjs }).map(
    ([key, version]) => `${key}@${version}`,
  );
  const wanted = [...new Set([...pinned([...OF_THE_CASES, ...packages]), ...ofThePackage])].sort();
  if (readIf(`${folder}installed`) !== wanted.join('\n')) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}package.json`, JSON.stringify({ private: true }));
    const options = [
      '--no-audit',
      '--no-fund',
      '--no-package-lock',
      '--legacy-peer-deps',
      '--prefer-offline',
      '--loglevel=error',
    ];
    await run('npm', ['install', ...options, ...wanted], { cwd: folder });
    writeFileSync(`${folder}installed`, wanted.join('\n'));
  }
  const { file, integrity } = packPackage();
  if (readIf(`${folder}package`) !== integrity) {
    const place = `${folder}node_modules/multiprocess`;
    rmSync(place, { recursive: true, force: true });
    mkdirSync(place, { recursive: true });
    await run('tar', ['-xzf', file, '-C', place, '--strip-components=1']);
    await run(process.execPath, ['scripts/install.js'], { cwd: place });
    writeFileSync(`${folder}package`, integrity);
  }
  return folder;
}

/** Any other installation, made by `install()` unless it was made before for the same `key`. */
export async function once(folder, key, install) {
  const digest = createHash('sha1').update(key).digest('hex');
  if (readIf(`${folder}/installed`) === digest) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await install();
  writeFileSync(`${folder}/installed`, digest);
}
