import { type Stats, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

export const HELP = `Usage: npm start [-- [options] [DIR]]

Measures all JavaScript below DIR (default: the packages this project has installed) in a pool of processes:
functions, complexity, imports, comments, lines.

Options:
  --workers N   number of worker processes (default: one for each CPU, ${availableParallelism()} here)
  --json        print one JSON object instead of the report; progress goes to standard error
  --help        print this text

Ctrl-C ends the run with a report on what has been measured so far and exit code 130.
`;

/** The command line was wrong; the message says how, and nothing was done. */
export class UsageError extends Error {}

export type Arguments = { readonly help: true } | Run;

/** What to run. */
export interface Run {
  readonly help: false;
  readonly directory: string;
  readonly workers: number;
  readonly json: boolean;
}

/** Reads a command line (without the program). @throws UsageError */
export function readArguments(line: readonly string[], defaultDirectory: () => string): Arguments {
  const { values, positionals } = parse(line);
  if (values.help) return { help: true };
  if (positionals.length > 1)
    throw new UsageError(`one directory at a time, not ${positionals.length}: ${positionals.join(' ')}`);
  const directory = positionals[0] ?? defaultDirectory();
  checkDirectory(directory);
  return { help: false, directory, workers: workerCount(values.workers), json: values.json ?? false };
}

function parse(line: readonly string[]) {
  try {
    return parseArgs({
      args: [...line],
      allowPositionals: true,
      options: { workers: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    // Node's message goes on with advice on positionals that start with a dash.
    throw new UsageError((error as Error).message.split(/[.\n]/, 1)[0]!.replace(/^U/, 'u'), { cause: error });
  }
}

function workerCount(text: string | undefined): number {
  if (text === undefined) return availableParallelism();
  if (!/^[1-9]\d{0,3}$/.test(text))
    throw new UsageError(`--workers takes a whole number from 1 to 9999, not "${text}"`);
  return Number(text);
}

function checkDirectory(path: string): void {
  if (!statusOf(path).isDirectory()) throw new UsageError(`"${path}" is not a directory`);
}

function statusOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new UsageError(`there is no directory "${path}"`, { cause: error });
    throw new UsageError(`"${path}" cannot be reached (${code})`, { cause: error });
  }
}
