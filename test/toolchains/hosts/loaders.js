/** Loaders that compile TypeScript while it is imported. */
import { writeFileSync } from 'node:fs';

export const toolbox = {
  name: 'loaders',
  packages: [
    'typescript',
    'tsx',
    'ts-node',
    '@swc-node/register',
    '@swc/core',
    '@swc/register',
    'esbuild',
    'esbuild-register',
  ],
};

const asESM = { groups: ['modern', 'private', 'large', 'typescript'] };
const asCommonJS = { ...asESM, extension: '', jsonAttributes: false, type: 'commonjs' };

const writes =
  (compilerOptions, more) =>
  ({ folder }) =>
    writeFileSync(
      `${folder}/tsconfig.json`,
      JSON.stringify({
        compilerOptions: {
          target: 'es2022',
          esModuleInterop: true,
          resolveJsonModule: true,
          skipLibCheck: true,
          ...compilerOptions,
        },
        ...more,
      }),
    );
const nodenext = writes({ module: 'nodenext', moduleResolution: 'nodenext', strict: true });
const commonjs = writes({ module: 'commonjs', moduleResolution: 'node10' });
const quick = { 'ts-node': { transpileOnly: true } };

export const hosts = [
  {
    name: 'tsx, ESM',
    short: true,
    program: asESM,
    command: ({ bin, node }) => ({ command: [node, bin('tsx'), 'main.ts'] }),
  },
  {
    name: 'tsx, CommonJS',
    short: true,
    program: asCommonJS,
    command: ({ bin, node }) => ({ command: [node, bin('tsx'), 'main.ts'] }),
  },
  { name: 'tsx, --import', program: asESM, command: ({ node }) => ({ command: [node, '--import', 'tsx', 'main.ts'] }) },
  {
    name: 'ts-node, CommonJS',
    short: true,
    ownModules: true, // so that its configuration stands above the package, as in any project
    program: asCommonJS,
    prepare: writes({ module: 'commonjs', moduleResolution: 'node10' }, quick),
    command: ({ bin, node }) => ({ command: [node, bin('ts-node'), 'main.ts'] }),
  },
  {
    name: 'ts-node, ESM',
    ownModules: true,
    program: asESM,
    prepare: writes(
      { module: 'nodenext', moduleResolution: 'nodenext' },
      { 'ts-node': { transpileOnly: true, esm: true } },
    ),
    command: ({ node }) => ({ command: [node, '--loader', 'ts-node/esm', 'main.ts'] }),
  },
  {
    name: 'swc-node, ESM',
    ownModules: true,
    program: asESM,
    prepare: nodenext,
    command: ({ node }) => ({ command: [node, '--import', '@swc-node/register/esm-register', 'main.ts'] }),
  },
  {
    name: 'swc-node, CommonJS',
    ownModules: true,
    program: asCommonJS,
    prepare: commonjs,
    command: ({ node }) => ({ command: [node, '-r', '@swc-node/register', 'main.ts'] }),
  },
  {
    name: '@swc/register',
    short: true,
    ownModules: true,
    program: asCommonJS,
    prepare: ({ folder }) =>
      writeFileSync(
        `${folder}/.swcrc`,
        JSON.stringify({
          jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
          module: { type: 'commonjs' },
          sourceMaps: true,
        }),
      ),
    command: ({ node }) => ({ command: [node, '-r', '@swc/register', 'main.ts'] }),
  },
  {
    name: 'esbuild-register',
    program: asCommonJS,
    command: ({ node }) => ({ command: [node, '-r', 'esbuild-register', 'main.ts'] }),
  },
];
