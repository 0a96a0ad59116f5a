/** Threads without the addon, in Node and in other runtimes, which must not load it. */
export const toolbox = { name: 'runtimes', packages: ['bun', 'deno'] };

const CAPTURES = {
  code: 'MP_INSPECTOR_UNAVAILABLE',
  why: 'only an inspector as Node has it reads what a function captures: `task()` names it',
};
const OWNERS = {
  code: 'MP_UNSUPPORTED',
  why: 'async_hooks do not tell who awaits a promise, so nobody would own the lock: `runExclusive`',
};
const GUESTS = {
  code: 'MP_OWNER_GONE',
  why: 'a thread of the program itself shares nothing there: `new Process` starts one that does',
};
const elsewhere = {
  'Pool: a closure': CAPTURES,
  'Process: its name, asked by an import': CAPTURES,
  'RLock: awaited': OWNERS,
  'threads of the program itself': GUESTS,
};

const runtime = (name, command, more) => ({
  name,
  short: true,
  minimum: 40,
  limit: 240_000,
  program: { program: 'situations/threads' },
  command,
  ...more,
});
/** It is no Node, so one is enough. */
const once = (major) => major >= 24;

export const hosts = [
  runtime('threads without the addon', ({ node }) => ({
    command: [node, 'main.mjs'],
    env: { MULTIPROCESS_NATIVE: 'off' },
  })),
  runtime('Bun', ({ bin }) => ({ command: [bin('bun'), 'main.mjs'] }), { supports: once, refused: elsewhere }),
  runtime('Deno', ({ bin }) => ({ command: [bin('deno'), 'run', '--allow-all', 'main.mjs'] }), {
    supports: once,
    refused: {
      ...elsewhere,
      'a function that imports a package': {
        code: 'ERR_MODULE_NOT_FOUND',
        why: 'a function that was sent has no file there from which Deno would look for packages',
      },
    },
  }),
];
