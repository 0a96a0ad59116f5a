/** Options of Node, and ways to give it a program. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transpile } from './support/transpile.js';

export const toolbox = { name: 'flags', packages: ['typescript'] };

const plainESM = { groups: ['modern', 'private', 'large'] };
const asRequired = { program: 'commonjs', type: 'commonjs' };
const compile = transpile({ target: 'esnext', module: 'esnext', sourceMap: true });
const withFlags = (name, flags, more = {}) => ({
  name,
  program: plainESM,
  prepare: compile,
  command: ({ node, major }) => ({
    command: [node, ...(typeof flags === 'function' ? flags(major) : flags), 'main.js'],
  }),
  ...more,
});
const permission = (major) => (major < 24 ? '--experimental-permission' : '--permission');
const everything = (major) => [
  ...['--allow-fs-read=*', '--allow-fs-write=*', '--allow-worker', '--allow-addons'],
  ...(major < 26 ? [] : ['--allow-inspector']),
];
/** Node 20 has a permission model without a permission for addons. */
const allowsAddons = (major) => major >= 22;
const NO_ADDONS = { code: 'MP_NO_ADDON', why: 'processes need the addon' };
const FROZEN = {
  code: 'MP_UNSUPPORTED',
  why: 'forks would all draw the same random numbers where Math cannot be changed',
};
const OUTER_THIS = {
  code: 'MP_OUTER_THIS',
  why: 'a debugger is attached, and only one may read the scopes of a running call',
};

/** Attaches to the program that waits on `child`, and lets it go on. */
async function attach(child) {
  let text = '';
  for await (const chunk of child.stderr) {
    text += chunk;
    const url = /ws:\/\/\S+/.exec(text)?.[0];
    if (url !== undefined)
      return spawn(
        process.execPath,
        ['--experimental-websocket', fileURLToPath(new URL('support/debugger.js', import.meta.url)), url],
        {
          stdio: 'ignore',
        },
      );
  }
  return undefined;
}

/** Ends a program that would go on by itself when it has written that its cases have. */
function stopAtEnd(child, results) {
  const stop = () => existsSync(results) && readFileSync(results, 'utf8').includes('"end"') && child.kill();
  const watcher = watch(fileURLToPath(new URL('.', `file://${results}`)), stop);
  child.on('exit', () => watcher.close());
}

export const hosts = [
  withFlags('--enable-source-maps', ['--enable-source-maps']),
  withFlags('--frozen-intrinsics', ['--frozen-intrinsics'], {
    short: true,
    refused: { 'processes: Process by forkserver': FROZEN, 'processes: Pool by forkserver': FROZEN },
  }),
  withFlags('--inspect=0', ['--inspect=0'], { refused: { 'captures: outer this': OUTER_THIS } }),
  withFlags('--cpu-prof', ['--cpu-prof', '--cpu-prof-dir=profiles']),
  withFlags(
    '--permission, all allowed',
    (major) => [permission(major), '--allow-child-process', ...everything(major)],
    {
      supports: allowsAddons,
    },
  ),
  {
    name: 'a debugger attached',
    program: plainESM,
    prepare: async (context) => {
      await compile(context);
      // Not --inspect-wait: threads would wait as well, for each a session of its own.
      const text =
        "import { url, waitForDebugger } from 'node:inspector';\nif (url() !== undefined) waitForDebugger();\n";
      writeFileSync(`${context.folder}/wait.mjs`, text);
    },
    refused: { 'captures: outer this': OUTER_THIS },
    command: ({ node }) => ({ command: [node, '--inspect=0', '--import', './wait.mjs', 'main.js'], interact: attach }),
  },
  {
    name: '--watch',
    program: plainESM,
    prepare: compile,
    status: 'any',
    command: ({ node, results }) => ({
      command: [node, '--watch', 'main.js'],
      interact: (child) => stopAtEnd(child, results),
    }),
  },
  {
    name: '--eval, ESM',
    program: plainESM,
    prepare: compile,
    command: ({ node, folder }) => ({
      command: [node, '--input-type=module', '--eval', readFileSync(`${folder}/main.js`, 'utf8')],
    }),
  },
  {
    name: '--eval, CommonJS',
    program: asRequired,
    command: ({ node, folder }) => ({ command: [node, '--eval', readFileSync(`${folder}/main.cjs`, 'utf8')] }),
  },
  {
    name: 'standard input, ESM',
    program: plainESM,
    prepare: compile,
    command: ({ node, folder }) => ({
      command: [node, '--input-type=module', '-'],
      input: readFileSync(`${folder}/main.js`, 'utf8'),
    }),
  },
  {
    name: 'standard input, CommonJS',
    program: asRequired,
    command: ({ node, folder }) => ({ command: [node, '-'], input: readFileSync(`${folder}/main.cjs`, 'utf8') }),
  },
  {
    name: '--no-addons',
    short: true,
    refused: { 'Pool by forkserver': NO_ADDONS },
    program: { program: 'situations/refusals' },
    minimum: 5,
    command: ({ node }) => ({ command: [node, '--no-addons', 'main.cjs'] }),
  },
  {
    name: '--permission without child processes',
    short: true,
    supports: allowsAddons,
    refused: {
      Pool: { code: 'MP_SPAWN', why: 'a process may not be started' },
      'Pool by forkserver': { code: 'MP_WORKER_CRASH', why: 'a process may not be started' },
      Process: { code: 'MP_SPAWN', why: 'a process may not be started' },
    },
    program: { program: 'situations/refusals' },
    minimum: 5,
    command: ({ node, major }) => ({ command: [node, permission(major), ...everything(major), 'main.cjs'] }),
  },
];
