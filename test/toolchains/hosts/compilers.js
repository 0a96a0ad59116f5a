/** Compilers that write a file for each file. */
import { writeFileSync } from 'node:fs';
import { transpile } from './support/transpile.js';

export const toolbox = {
  name: 'compilers',
  packages: [
    'typescript',
    '@babel/core',
    '@babel/cli',
    '@babel/preset-env',
    '@babel/preset-typescript',
    '@babel/plugin-proposal-decorators',
    '@babel/register',
    '@swc/core',
    '@swc/cli',
  ],
};

const asESM = { groups: ['modern', 'private', 'large', 'typescript', 'decorators'] };
const asCommonJS = { ...asESM, extension: '', jsonAttributes: false, type: 'commonjs' };
/** What can be compiled for ES2017, and for ES5. */
const lowered = { groups: ['private', 'large', 'typescript', 'decorators'] };
const oldest = { groups: ['large', 'typescript'] };
const commonjs = { module: 'commonjs', moduleResolution: 'node10' };
const runs = ({ node }) => ({ command: [node, 'main.js'] });

/** Babel's configuration; `modules` is what becomes of imports, `targets` how much is lowered. */
function babel(modules, targets = { node: '20' }) {
  const config = {
    presets: [
      ['@babel/preset-env', { modules, targets }],
      ['@babel/preset-typescript', { rewriteImportExtensions: false }],
    ],
    plugins: [['@babel/plugin-proposal-decorators', { version: '2023-11' }]],
    generatorOpts: { importAttributesKeyword: 'with' },
  };
  return ({ folder }) => writeFileSync(`${folder}/babel.config.json`, JSON.stringify(config));
}

function babelTo(modules, targets) {
  return async (context) => {
    babel(modules, targets)(context);
    await context.run([
      context.node,
      context.bin('babel'),
      '.',
      '--out-dir',
      '.',
      '--extensions',
      '.ts',
      '--ignore',
      '*.d.ts',
    ]);
  };
}

/** Lowered #private members live in a WeakMap, which travels with what it is about. */
const refused = { 'classes: an instance with #private fields': null };

export const hosts = [
  { name: 'tsc, ES2022, ESM', program: asESM, prepare: transpile({}), command: runs },
  { name: 'tsc, ES2022, CommonJS', short: true, program: asCommonJS, prepare: transpile(commonjs), command: runs },
  {
    name: 'tsc, ES2017, CommonJS',
    short: true,
    refused,
    program: { ...asCommonJS, ...lowered },
    prepare: transpile({ ...commonjs, target: 'es2017' }),
    command: runs,
  },
  {
    name: 'tsc, ES2017, ESM',
    refused,
    program: { ...asESM, ...lowered },
    prepare: transpile({ target: 'es2017' }),
    command: runs,
  },
  {
    name: 'tsc, ES5, CommonJS',
    program: { ...asCommonJS, ...oldest },
    prepare: transpile({ ...commonjs, target: 'es5', downlevelIteration: true }),
    command: runs,
  },
  {
    name: 'tsc, legacy decorators',
    program: { ...asESM, groups: ['modern', 'private', 'typescript', 'decorators-legacy'] },
    prepare: transpile({ experimentalDecorators: true }),
    command: runs,
  },
  { name: 'Babel, ESM', program: asESM, prepare: babelTo(false), command: runs },
  { name: 'Babel, CommonJS', short: true, program: asCommonJS, prepare: babelTo('commonjs'), command: runs },
  {
    name: 'Babel, lowered CommonJS',
    refused,
    program: asCommonJS,
    prepare: babelTo('commonjs', { node: '10' }),
    command: runs,
  },
  {
    name: '@babel/register',
    program: asCommonJS,
    prepare: babel('commonjs'),
    command: ({ node, folder }) => {
      writeFileSync(
        `${folder}/register.js`,
        "require('@babel/register')({ extensions: ['.ts', '.js'], cache: false });\n",
      );
      return { command: [node, '-r', './register.js', 'main.ts'] };
    },
  },
  {
    name: 'swc, CommonJS',
    program: asCommonJS,
    prepare: async ({ folder, run, node, bin }) => {
      const jsc = {
        parser: { syntax: 'typescript', decorators: true },
        target: 'es2022',
        transform: { decoratorVersion: '2022-03' },
      };
      writeFileSync(`${folder}/.swcrc`, JSON.stringify({ jsc, module: { type: 'commonjs' } }));
      await run([node, bin('swc'), '.', '--out-dir', '.', '--extensions', '.ts', '--ignore', '**/*.json']);
    },
    command: runs,
  },
];
