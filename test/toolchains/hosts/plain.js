/** Node alone. */
import { transpile } from './support/transpile.js';

export const toolbox = { name: 'plain', packages: ['typescript'] };

export const hosts = [
  {
    name: 'plain ESM',
    short: 'both',
    prepare: transpile({ target: 'esnext', module: 'esnext' }),
    command: ({ node }) => ({ command: [node, 'main.js'] }),
  },
  {
    name: 'plain CommonJS',
    short: 'both',
    program: { program: 'commonjs', type: 'commonjs' },
    command: ({ node }) => ({ command: [node, 'main.cjs'] }),
  },
  {
    name: 'type stripping',
    short: true,
    supports: (major) => major >= 24,
    program: { extension: '.ts' },
    command: ({ node }) => ({ command: [node, 'main.ts'] }),
  },
];
