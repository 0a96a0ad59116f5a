/** What a spawned child is started with. Python: `multiprocess.spawn`. */
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
 */
export function freezeSupport(): void {}

/**
 * Returns the command by which a child is started, without what is particular to one child.
 * @param options `execArgv`: Node options in place of those that would be inherited.
 */
export function getCommandLine(options: { readonly execArgv?: readonly string[] | undefined } = {}): string[] {
  checkOptions('getCommandLine', options, ['execArgv']);
  return [executable(), ...(options.execArgv ?? inheritedArguments(process.execArgv)), fileURLToPath(entry('process/child/child'))];
}

/** Path of the Node that runs spawned children. Default: the one that runs this process. */
export function getExecutable(): string {
  return executable();
}

/**
 * Sets the Node that runs spawned children from now on.
 * @param path As text, bytes or a file URL; `null` restores the default.
 * @throws ArgumentError `MP_INVALID_ARGUMENT`.
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

/** Returns what a child called `name` would learn. Does not fix the default start method. */
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
 */
export async function importMainPath(path: string): Promise<Record<string, unknown>> {
  return whileLoading(() => importModule(pathToFileURL(path).href) as Promise<Record<string, unknown>>);
}
