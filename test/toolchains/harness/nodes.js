/** The Nodes to run on: this one, and the newest, which comes from the registry as the package `node`. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { root } from './places.js';

const NEWEST = '26';
const newestFile = `${root}.build/newest/node_modules/node/bin/node`;

function installNewest() {
  if (existsSync(newestFile)) return;
  mkdirSync(`${root}.build/newest`, { recursive: true });
  const options = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund'];
  execFileSync('npm', ['install', '--prefix', `${root}.build/newest`, ...options, `node@${NEWEST}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** `{ file, major, newest }` of each; more of them by `--node FILE`. */
export function findNodes(files) {
  if (files.length === 0) installNewest();
  return (files.length > 0 ? files : [process.execPath, newestFile]).map((file) => {
    const version = execFileSync(file, ['--version'], { encoding: 'utf8' }).trim();
    return { file, version, major: Number(/\d+/.exec(version)?.[0]) };
  });
}
