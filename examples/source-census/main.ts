/**
 * Source census: every JavaScript file below a directory, measured in a pool of processes.
 *
 *   walk (lazy) -> pool.imapUnordered(closure) -> scan(include) -> progress, then a report
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Pool } from 'multiprocess';
import { finalize, from, fromEvent, lastValueFrom, scan, takeUntil, tap } from 'rxjs';
import { HELP, type Run, readArguments, UsageError } from './arguments.js';
import { emptyCensus, include, TOP } from './census.js';
import { type Comparison, compareWithOneProcess } from './comparison.js';
import { EvenSample } from './even-sample.js';
import { examine } from './examine.js';
import { peakMemory } from './memory.js';
import { type Progress, startProgress } from './progress.js';
import { type Outcome, toJson, toText } from './report.js';
import { noFindings, walk } from './walk.js';

process.exitCode = await main(process.argv.slice(2));

async function main(line: readonly string[]): Promise<number> {
  try {
    const run = readArguments(line, installedPackages);
    if (run.help) {
      process.stdout.write(HELP);
      return 0;
    }
    const interrupt = new AbortController();
    process.once('SIGINT', () => interrupt.abort()); // a second Ctrl-C ends the process as usual
    const outcome = await takeCensus(run, interrupt.signal);
    process.stdout.write(run.json ? `${JSON.stringify(toJson(outcome))}\n` : toText(outcome));
    return outcome.partial ? 130 : 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`source-census: ${error.message}. Try --help.\n`);
    return 2;
  }
}

/** Runs the census and the comparison after it. When it returns, the workers have ended. */
async function takeCensus({ directory, workers }: Run, interrupt: AbortSignal): Promise<Outcome> {
  using progress = startProgress(process.stderr);
  await using pool = new Pool({ processes: workers });
  const findings = noFindings();
  const sample = new EvenSample<string>(300);
  const counting = countFiles(directory, progress);
  const start = performance.now();

  // An ordinary closure: `directory` and TOP travel by value, `examine` and `join` are imported by the workers.
  const results = pool.imapUnordered(
    (file: string) => ({ file, ...examine(join(directory, file), TOP) }),
    sample.from(walk(directory, findings)), // pulled only as fast as the workers work
    { errors: 'settle' },
  );
  const census = await lastValueFrom(
    results.pipe(
      takeUntil(fromEvent(interrupt, 'abort')),
      scan(include, emptyCensus),
      tap((done) => progress.show(done)),
      finalize(() => counting.unsubscribe()),
    ),
    { defaultValue: emptyCensus },
  );

  const seconds = (performance.now() - start) / 1000;
  const parentMemory = peakMemory();
  const comparison = await compare(pool, directory, sample.items, progress, interrupt);
  return { directory, workers, partial: interrupt.aborted, census, findings, seconds, comparison, parentMemory };
}

/** Walks ahead of the census for the sake of the progress bar: it keeps a number, no names. */
function countFiles(directory: string, progress: Progress) {
  return from(walk(directory))
    .pipe(scan((files) => files + 1, 0))
    .subscribe((files) => progress.expect(files));
}

async function compare(
  pool: Pool,
  directory: string,
  files: readonly string[],
  progress: Progress,
  interrupt: AbortSignal,
): Promise<Comparison | null> {
  if (interrupt.aborted) return null;
  progress.note(`comparing with one process, on ${files.length} of the files`);
  try {
    return await compareWithOneProcess(pool, directory, files, interrupt);
  } catch (error) {
    if (interrupt.aborted) return null;
    throw error;
  }
}

/** What `npm install` put beside this package's manifest. */
function installedPackages(): string {
  return join(fileURLToPath(import.meta.resolve('multiprocess/package.json')), '..', 'node_modules');
}
