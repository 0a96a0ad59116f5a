/** Programs of a few cases: what happens to them where a program is not a plain file that Node runs. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';

export const toolbox = { name: 'situations', packages: ['postject'] };

const NO_NODE = {
  code: 'MP_UNSUPPORTED',
  why: 'the executable would run the program again: `setExecutable` names a Node, or threads',
};

const situation = (name, command, more = {}) => ({ name, short: true, minimum: 2, limit: 60_000, command, ...more });

export const hosts = [
  situation('a package, node .', ({ node }) => ({ command: [node, '.'] }), {
    program: { program: 'situations/launcher' },
  }),
  situation('a launcher', ({ node }) => ({ command: [node, 'launch.js'] }), {
    program: { program: 'situations/launcher' },
  }),
  situation('a module that exits', ({ node }) => ({ command: [node, 'main.mjs'] }), {
    program: { program: 'situations/exits' },
  }),
  situation('single executable', ({ folder }) => ({ command: [`${folder}/app`] }), {
    program: { program: 'situations/executable' },
    refused: { Pool: NO_NODE, 'Pool by forkserver': NO_NODE, Process: NO_NODE },
    prepareOn: async ({ folder, node, run, bin }) => {
      writeFileSync(
        `${folder}/sea.json`,
        JSON.stringify({ main: 'main.cjs', output: 'app.blob', disableExperimentalSEAWarning: true }),
      );
      await run([node, '--experimental-sea-config', 'sea.json']);
      copyFileSync(node, `${folder}/app`);
      const fuse = /NODE_SEA_FUSE_[0-9a-f]{32}/.exec(readFileSync(node, 'latin1'))?.[0];
      await run([process.execPath, bin('postject'), 'app', 'NODE_SEA_BLOB', 'app.blob', '--sentinel-fuse', fuse]);
    },
  }),
  situation(
    '--snapshot-blob',
    ({ node, major }) => ({ command: [node, '--snapshot-blob', `app-${major}.blob`, 'main.cjs'] }),
    {
      program: { program: 'situations/executable' },
      prepareOn: ({ node, major, run }) =>
        run([node, '--snapshot-blob', `app-${major}.blob`, '--build-snapshot', 'snapshot.cjs']),
    },
  ),
];
