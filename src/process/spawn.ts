/**
 * What a spawned child is started with. Python: `multiprocessing.spawn`.
 *
 * @packageDocumentation
 */

import { fileURLToPath, pathToFileURL } from 'node:url';
import { ArgumentError } from '../errors/index.js';
import { executable, replaceExecutable } from '../util/executable.js';
import { importModule } from '../util/import-module.js';
import { whileLoading } from '../util/loading.js';
import { checkOptions, describe } from '../util/options.js';
import { entry } from '../util/package.js';
import { ownKey } from './authkey.js';
import { identity } from './identity.js';
import { mainPath, programArguments } from './main.js';
import { inheritedArguments } from './popen/node-arguments.js';
import { getStartMethod, type StartMethod } from './start-method.js';

/** What a child learns before it runs anything. */
export interface PreparationData {
  /** Name of the child. */
  readonly name: string;
  /** The family's key. */
  readonly authkey: Uint8Array;
  /** Arguments of the program, without Node and the script: the child's `process.argv.slice(2)`. */
  readonly argv: readonly string[];
  /** Working directory, which the child inherits. */
  readonly cwd: string;
  /** The parent's default start method; `null` while it is open. */
  readonly startMethod: StartMethod | null;
  /** The program's main file; `null` for `-e`, stdin and the REPL. The child does not load it. */
  readonly mainPath: string | null;
  /** Name of the parent. */
  readonly parentName: string;
}

/**
 * Does nothing, and changes nothing: Python needs it in programs frozen to one executable. Here a
 * child never runs the program's main file.
 * @example
 * import { Pool } from 'multiprocess';
 * import { freezeSupport } from 'multiprocess/spawn';
 *
 * freezeSupport(); // from a Python program: it may stay, and may go
 * await using pool = new Pool({ processes: 1 });
 * console.log(await pool.apply(Math.sqrt, [49])); // 7
 */
export function freezeSupport(): void {}

/**
 * Returns the command by which a child is started, without what is particular to one child.
 * @param options `execArgv`: Node options in place of those that would be inherited.
 * @example
 * import { getCommandLine } from 'multiprocess/spawn';
 *
 * const [node, ...rest] = getCommandLine({ execArgv: ['--max-old-space-size=200'] });
 * console.log(node === process.execPath, rest[0]); // true --max-old-space-size=200
 */
export function getCommandLine(options: { readonly execArgv?: readonly string[] | undefined } = {}): string[] {
  checkOptions('getCommandLine', options, ['execArgv']);
  return [
    executable(),
    ...(options.execArgv ?? inheritedArguments(process.execArgv)),
    fileURLToPath(entry('process/child/child')),
  ];
}

/**
 * Path of the Node that runs spawned children. Default: the one that runs this process.
 * @example
 * import { getExecutable } from 'multiprocess/spawn';
 *
 * console.log(getExecutable() === process.execPath); // true
 */
export function getExecutable(): string {
  return executable();
}

/**
 * Sets the Node that runs spawned children from now on.
 * @param path As text, bytes or a file URL; `null` restores the default.
 * @throws ArgumentError `MP_INVALID_ARGUMENT`.
 * @example
 * import { Process } from 'multiprocess';
 * import { setExecutable } from 'multiprocess/spawn';
 *
 * setExecutable('/opt/no-node-here/bin/node');
 * const error = await new Process(() => {}).start().catch((reason) => reason);
 * console.log(error.code); // MP_SPAWN
 * setExecutable(null); // this Node again
 * const child = await new Process(() => {}).start();
 * console.log(await child.exited); // 0
 */
export function setExecutable(path: string | Uint8Array | URL | null): void {
  if (path === null) {
    replaceExecutable(undefined);
    return;
  }
  let program: string | null = null;
  if (typeof path === 'string') program = path;
  else if (path instanceof URL && path.protocol === 'file:') program = fileURLToPath(path);
  else if (path instanceof Uint8Array) program = Buffer.from(path).toString();
  if (program === null || program === '' || program.includes('\0')) {
    throw new ArgumentError(
      `setExecutable: the path must be text, bytes or a file URL, neither empty nor with a NUL, not ${describe(path)}.`,
    );
  }
  replaceExecutable(program);
}

/**
 * Returns what a child called `name` would learn. Does not fix the default start method.
 * @example
 * import { getPreparationData } from 'multiprocess/spawn';
 *
 * const { name, parentName, cwd } = getPreparationData('reader');
 * console.log(name, parentName, cwd === process.cwd()); // reader MainProcess true
 */
export function getPreparationData(name: string): PreparationData {
  return {
    name,
    authkey: ownKey(),
    argv: programArguments(),
    cwd: process.cwd(),
    startMethod: getStartMethod({ allowNone: true }),
    mainPath: mainPath(),
    parentName: identity().name,
  };
}

/**
 * Loads a main file in a child, under the guard against starting everything again.
 * @param path As `getPreparationData().mainPath` gives it.
 * @returns its exports. Rejects with what loading it throws: ProcessError `MP_BOOTSTRAPPING` when
 * it starts processes while it loads.
 * @example
 * import { currentProcess, Pool } from 'multiprocess';
 * import { getPreparationData, importMainPath } from 'multiprocess/spawn';
 *
 * export const rate = 2.5;
 *
 * if (currentProcess().name === 'MainProcess') {
 *   const { mainPath } = getPreparationData('worker');
 *   await using pool = new Pool({ processes: 1 });
 *   const rateThere = async (path: string) => (await importMainPath(path))['rate'];
 *   console.log(await pool.apply(rateThere, [mainPath!])); // 2.5
 * }
 */
export async function importMainPath(path: string): Promise<Record<string, unknown>> {
  return whileLoading(() => importModule(pathToFileURL(path).href) as Promise<Record<string, unknown>>);
}
