/** Test runners, and what measures coverage in them. The cases are imported by a test file, as the code under test is. */
import { writeFileSync } from 'node:fs';
import { transpile } from './support/transpile.js';

export const toolbox = {
  name: 'test-runners',
  packages: [
    'typescript',
    'vitest',
    '@vitest/coverage-v8',
    '@vitest/coverage-istanbul',
    'mocha',
    'c8',
    'nyc',
    'tsx',
    'jest',
    'babel-jest',
    'ts-jest',
    '@swc/jest',
    '@swc/core',
    '@babel/core',
    '@babel/preset-env',
    '@babel/preset-typescript',
  ],
};

const asESM = { groups: ['modern', 'private', 'large', 'typescript'] };
const asCommonJS = { ...asESM, extension: '', jsonAttributes: false, type: 'commonjs' };
const asRequired = { program: 'commonjs', type: 'commonjs' };
const plainESM = { groups: ['modern', 'private', 'large'] };
const LIMIT = 110_000;

const TEST_ESM = (head, extension) => `${head}
import { runCases } from './harness${extension}';
import './groups${extension}';
test('the cases', () => runCases(), ${LIMIT});
`;
const TEST_COMMONJS = `const { runCases } = require('./harness.cjs');
require('./all.cjs');
`;

const vitest = (flags, { config = {}, ...more } = {}) => ({
  program: asESM,
  prepare: ({ folder }) => {
    writeFileSync(`${folder}/cases.test.ts`, TEST_ESM("import { test } from 'vitest';", '.js'));
    const test = { include: ['cases.test.ts'], testTimeout: LIMIT, ...config };
    writeFileSync(`${folder}/vitest.config.mjs`, `export default { test: ${JSON.stringify(test)} };\n`);
  },
  command: ({ node, bin, folder }) => ({ command: [node, bin('vitest'), 'run', '--root', folder, ...flags] }),
  ...more,
});

/** `transform` of jest's configuration; of CommonJS unless `esm`. */
const jest = (transform, { esm = false, flags = [], config = {}, ...more } = {}) => ({
  program: esm ? asESM : asCommonJS,
  prepare: ({ folder }) => {
    writeFileSync(`${folder}/cases.test.ts`, TEST_ESM('', esm ? '.js' : ''));
    const settings = {
      rootDir: folder,
      cacheDirectory: `${folder}/cache`,
      testEnvironment: 'node',
      testMatch: ['<rootDir>/cases.test.ts'],
      transform: { '\\.[jt]s$': transform },
      ...(esm ? { extensionsToTreatAsEsm: ['.ts'], moduleNameMapper: { '^(\\./.*)\\.js$': '$1' } } : {}),
      ...config,
    };
    writeFileSync(`${folder}/jest.config.json`, JSON.stringify(settings));
    const babel = { presets: [['@babel/preset-env', { targets: { node: '20' } }], '@babel/preset-typescript'] };
    writeFileSync(`${folder}/babel.config.json`, JSON.stringify(babel));
    const compilerOptions = {
      target: 'es2022',
      module: esm ? 'esnext' : 'commonjs',
      moduleResolution: esm ? 'bundler' : 'node10',
    };
    writeFileSync(
      `${folder}/tsconfig.json`,
      JSON.stringify({
        compilerOptions: {
          ...compilerOptions,
          esModuleInterop: true,
          resolveJsonModule: true,
          isolatedModules: true,
          skipLibCheck: true,
        },
      }),
    );
  },
  command: ({ node, bin }) => ({
    command: [
      node,
      ...(esm ? ['--experimental-vm-modules'] : []),
      bin('jest'),
      '--config',
      'jest.config.json',
      '--runInBand',
      ...flags,
    ],
  }),
  ...more,
});
const swc = ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, sourceMaps: 'inline' }];
const swcESM = ['@swc/jest', { ...swc[1], module: { type: 'es6' } }];
const tsESM = ['ts-jest', { useESM: true }];

/** A test file beside the compiled cases, which globals of the runner begin. */
const compiled = (file, text) => async (context) => {
  await transpile({ target: 'esnext', module: 'esnext', sourceMap: true })(context);
  writeFileSync(`${context.folder}/${file}`, text);
};
const mochaESM = `import './groups.js';\nimport { runCases } from './harness.js';\nit('the cases', () => runCases()).timeout(${LIMIT});\n`;
const mochaCommonJS = `${TEST_COMMONJS}it('the cases', () => runCases()).timeout(${LIMIT});\n`;

export const hosts = [
  { name: 'vitest, forks', short: true, ...vitest(['--pool=forks']) },
  { name: 'vitest, threads', ...vitest(['--pool=threads']) },
  { name: 'vitest, vmThreads', ...vitest(['--pool=vmThreads']) },
  {
    name: 'vitest, v8 coverage',
    ...vitest(['--coverage.enabled', '--coverage.provider=v8', '--coverage.include=*.ts']),
  },
  {
    name: 'vitest, istanbul coverage',
    ...vitest(['--coverage.enabled', '--coverage.provider=istanbul', '--coverage.include=*.ts']),
  },
  { name: 'jest, babel-jest', ...jest('babel-jest') },
  { name: 'jest, ts-jest', ...jest('ts-jest') },
  { name: 'jest, @swc/jest', short: true, ...jest(swc) },
  {
    name: 'jest, without a transform',
    program: asRequired,
    prepare: ({ folder }) => {
      writeFileSync(`${folder}/cases.test.cjs`, `${TEST_COMMONJS}test('the cases', () => runCases(), ${LIMIT});\n`);
      writeFileSync(
        `${folder}/jest.config.json`,
        JSON.stringify({
          rootDir: folder,
          transform: {},
          testEnvironment: 'node',
          testMatch: ['<rootDir>/cases.test.cjs'],
          cacheDirectory: `${folder}/cache`,
        }),
      );
    },
    command: ({ node, bin }) => ({ command: [node, bin('jest'), '--config', 'jest.config.json'] }),
  },
  { name: 'jest, ts-jest ESM', ...jest(tsESM, { esm: true }) },
  { name: 'jest, @swc/jest ESM', ...jest(swcESM, { esm: true }) },
  { name: 'jest, babel-jest coverage', ...jest('babel-jest', { flags: ['--coverage', '--coverageReporters=json'] }) },
  {
    name: 'jest, v8 coverage',
    ...jest(swc, { flags: ['--coverage', '--coverageProvider=v8', '--coverageReporters=json'] }),
  },
  {
    name: 'mocha, ESM',
    program: plainESM,
    prepare: compiled('cases.spec.js', mochaESM),
    command: ({ node, bin }) => ({ command: [node, bin('mocha'), 'cases.spec.js'] }),
  },
  {
    name: 'mocha, tsx',
    program: asESM,
    prepare: ({ folder }) => writeFileSync(`${folder}/cases.spec.ts`, mochaESM),
    command: ({ node, bin }) => ({ command: [node, '--import', 'tsx', bin('mocha'), 'cases.spec.ts'] }),
  },
  {
    name: 'mocha under c8',
    program: plainESM,
    prepare: compiled('cases.spec.js', mochaESM),
    command: ({ node, bin }) => ({
      command: [node, bin('c8'), '--reporter=json', node, bin('mocha'), 'cases.spec.js'],
    }),
  },
  {
    name: 'mocha under nyc',
    program: asRequired,
    prepare: ({ folder }) => writeFileSync(`${folder}/cases.spec.cjs`, mochaCommonJS),
    command: ({ node, bin, folder }) => ({
      command: [
        node,
        bin('nyc'),
        '--cwd',
        folder,
        '--extension=.cjs',
        '--reporter=json',
        node,
        bin('mocha'),
        'cases.spec.cjs',
      ],
    }),
  },
  {
    name: 'node:test, ESM',
    program: plainESM,
    prepare: compiled(
      'cases.test.mjs',
      `import './groups.js';\nimport { runCases } from './harness.js';\nimport { test } from 'node:test';\ntest('the cases', () => runCases());\n`,
    ),
    command: ({ node }) => ({ command: [node, '--test', 'cases.test.mjs'] }),
  },
  {
    name: 'node:test, CommonJS, coverage',
    program: asRequired,
    prepare: ({ folder }) =>
      writeFileSync(
        `${folder}/cases.test.cjs`,
        `${TEST_COMMONJS}require('node:test').test('the cases', () => runCases());\n`,
      ),
    command: ({ node }) => ({ command: [node, '--test', '--experimental-test-coverage', 'cases.test.cjs'] }),
  },
];
