/** Writes the program of the cases into a folder, as the users of a host would have written it. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cases } from './places.js';

const LARGE_CHARACTERS = 1_200_000;
/** Compiled where the host can. */
const OPTIONAL_GROUPS = ['modern', 'private', 'large', 'typescript', 'decorators', 'decorators-legacy'];
const PLAIN_GROUPS = ['captures', 'imports', 'classes', 'async', 'shared', 'processes', 'errors', 'syntax'];

/**
 * @typedef {object} ProgramOptions
 * @property {string} [program] `esm`, `commonjs`, or a folder of `situations`, which is copied as it is
 * @property {'.ts' | '.js' | ''} [extension] what imports of local files end with
 * @property {boolean} [jsonAttributes] whether `with { type: 'json' }` is written
 * @property {string[]} [groups] further groups, of OPTIONAL_GROUPS
 * @property {'module' | 'commonjs' | null} [type] of its package.json; null: it has none of its own
 */

/** Lines that are marked by a comment, `// LINE A`: letter -> number. */
function findMarkedLines(source) {
  const found = new Map();
  for (const name of readdirSync(source)) {
    for (const [i, line] of readFileSync(source + name, 'utf8')
      .split('\n')
      .entries()) {
      const letter = /\/\/ LINE ([A-Z])$/.exec(line)?.[1];
      if (letter !== undefined) found.set(letter, i + 1);
    }
  }
  return found;
}

/** @param {string} folder  @param {ProgramOptions} options */
export function writeProgram(
  folder,
  {
    program = 'esm',
    extension = '.js',
    jsonAttributes = true,
    groups = ['modern', 'private', 'large'],
    type = 'module',
  },
) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  if (type !== null) writeFileSync(`${folder}/package.json`, JSON.stringify({ private: true, type }));
  const source = `${cases}${program}/`;
  if (program.startsWith('situations/')) {
    cpSync(source, folder, { recursive: true });
    cpSync(`${cases}situations/report.cjs`, `${folder}/report.cjs`);
    return;
  }
  const lines = findMarkedLines(source);
  for (const name of readdirSync(source)) {
    if (!/\.(ts|cjs)$/.test(name)) {
      cpSync(source + name, `${folder}/${name}`);
      continue;
    }
    const optional = OPTIONAL_GROUPS.find((group) => name.startsWith(`${group}.`));
    if (optional !== undefined && !groups.includes(optional)) continue;
    let text = readFileSync(source + name, 'utf8').replace("'PADDING'", `'${'x'.repeat(LARGE_CHARACTERS)}'`);
    text = text.replace(/LINE_([A-Z])/g, (_, letter) => lines.get(letter));
    if (program === 'esm') {
      text = text.replace(/((?:from|import|import\() ?')(\.\/[\w-]+)\.ts'/g, `$1$2${extension}'`);
      if (!jsonAttributes) text = text.replace(" with { type: 'json' }", '');
    }
    writeFileSync(`${folder}/${name}`, text);
  }
  if (program === 'esm') {
    const all = [...PLAIN_GROUPS, ...groups];
    writeFileSync(`${folder}/groups.ts`, all.map((group) => `import './${group}${extension}';\n`).join(''));
  }
}
