/** Package managers, each with an installation of its own, and the package from its archive as a registry would give it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { once, packPackage, pinned } from '../harness/toolbox.js';

export const toolbox = { name: 'package-managers', packages: ['pnpm', '@yarnpkg/cli-dist', 'esbuild'] };

const asESM = { groups: ['modern', 'private', 'large', 'typescript'] };
const asRequired = { program: 'commonjs', type: 'commonjs' };
const dependencies = () => {
  const wanted = pinned(['date-fns', 'graphql', 'lodash', 'zod', 'rxjs']).map((each) => each.split(/(?<=.)@/));
  return { ...Object.fromEntries(wanted), multiprocess: `file:${packPackage().file}` };
};
/** As npm is configured here. */
const registry = () => execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();

/** A project in `folder`, whose program stands in `folder`/`inner`; `install` writes what else it needs, and returns a command. */
const project = (inner, install) => ({
  folder: ({ toolbox, name }) => `${toolbox}${name}/${inner}`,
  install: async ({ toolbox, name, bin, node, run }) => {
    const folder = `${toolbox}${name}`;
    const key = JSON.stringify([
      dependencies(),
      packPackage().integrity,
      install.toString(),
      install({ bin, node, dependencies: {} }),
    ]);
    await once(folder, key, async () => {
      mkdirSync(`${folder}/${inner}`, { recursive: true });
      const { files, command, env } = install({ bin, node, dependencies: dependencies() });
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(new URL('.', `file://${folder}/${path}`), { recursive: true });
        writeFileSync(`${folder}/${path}`, typeof content === 'string' ? content : JSON.stringify(content));
      }
      await run(command, { cwd: folder, env });
    });
  },
});
/** Only types are taken away: what is installed has no compiler. */
const strip = ({ folder, run, bin }) => {
  const files = readdirSync(folder).filter((file) => file.endsWith('.ts'));
  return run([bin('esbuild'), ...files, '--outdir=.', '--format=esm', '--target=esnext']);
};

export const hosts = [
  {
    name: 'npm workspaces',
    program: asESM,
    prepare: strip,
    ...project('packages/app/program', ({ dependencies: wanted }) => ({
      files: {
        'package.json': { private: true, workspaces: ['packages/*'] },
        'packages/app/package.json': { name: 'app', version: '1.0.0', private: true, dependencies: wanted },
      },
      command: ['npm', 'install', '--no-audit', '--no-fund', '--prefer-offline'],
    })),
    command: ({ node }) => ({ command: [node, 'main.js'] }),
  },
  {
    name: 'pnpm',
    program: asESM,
    prepare: strip,
    ...project('program', ({ dependencies: wanted, bin, node }) => ({
      files: {
        'package.json': {
          name: 'app',
          private: true,
          dependencies: wanted,
          pnpm: { onlyBuiltDependencies: ['multiprocess'] },
        },
        'pnpm-workspace.yaml': 'packages: []\n',
      },
      command: [node, bin('pnpm'), 'install', '--store-dir', './store'],
    })),
    command: ({ node }) => ({ command: [node, 'main.js'] }),
  },
  {
    name: 'yarn PnP, ESM',
    program: { ...asESM, type: null },
    prepare: strip,
    ...project('program', yarn('module')),
    command: ({ node, bin, toolbox: folder }) => ({
      command: [node, bin('yarn'), 'node', 'main.js'],
      env: { YARN_IGNORE_PATH: '1', HOME: folder },
    }),
  },
  {
    name: 'yarn PnP, CommonJS',
    program: { ...asRequired, type: null },
    ...project('program', yarn('commonjs')),
    command: ({ node, bin, toolbox: folder }) => ({
      command: [node, bin('yarn'), 'node', 'main.cjs'],
      env: { YARN_IGNORE_PATH: '1', HOME: folder },
    }),
  },
];

function yarn(type) {
  return ({ dependencies: wanted, bin, node }) => ({
    files: {
      'package.json': { name: 'app', private: true, type, dependencies: wanted },
      'yarn.lock': '',
      '.yarnrc.yml': [
        'nodeLinker: pnp',
        'enableTelemetry: false',
        'enableGlobalCache: false',
        'enableScripts: true',
        '',
      ].join('\n'),
    },
    command: [node, bin('yarn'), 'install', '--no-immutable'],
    env: { YARN_NPM_REGISTRY_SERVER: registry(), YARN_ENABLE_IMMUTABLE_INSTALLS: 'false' },
  });
}
