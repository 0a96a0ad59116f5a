/**
 * Programs that stand in texts: fences of Markdown and `@example` blocks of comments. Each runs as a process of its own, as a
 * reader would run it, inside the package, so that it finds the library by its name.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { stop, transform } from 'esbuild';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Milliseconds after which a sample that has not ended is killed. */
const WATCHDOG = 90_000;

export interface Sample {
  /** File and line of its beginning: `README.md:8`. */
  readonly place: string;
  readonly language: 'js' | 'ts';
  readonly code: string;
}

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const lineOf = (whole: string, index: number): number => whole.slice(0, index).split('\n').length;

/** The fences of a Markdown file that hold JavaScript or TypeScript. */
export function fencesOf(path: string): Sample[] {
  const whole = readFileSync(join(root, path), 'utf8');
  return [...whole.matchAll(/^```(js|ts)\n(.*?)^```$/gms)].map(({ 1: language, 2: code, index }) => ({
    place: `${path}:${lineOf(whole, index)}`,
    language: language as 'js' | 'ts',
    code: code!,
  }));
}

/** The `@example` blocks of a source file, each to its next tag or the end of its comment. */
export function examplesOf(path: string): Sample[] {
  const whole = readFileSync(join(root, path), 'utf8');
  return [...whole.matchAll(/^[ \t]*\* @example\n(.*?)(?=^[ \t]*\* @|^[ \t]*\*\/)/gms)].map(({ 1: block, index }) => ({
    place: `${path}:${lineOf(whole, index)}`,
    language: 'ts',
    code: block!.replace(/^[ \t]*\* ?/gm, ''),
  }));
}

/** What a program says that it prints: the comments behind its `console.log`, in their order, separated by blanks. */
export function promisedOutput({ code }: Sample): string {
  return [...code.matchAll(/^.*console\.log\(.*[;,] \/\/ (.*)$/gm)].map(([, said]) => said).join(' ');
}

/** A folder inside the package in which samples are compiled and run. */
export class Workbench {
  readonly #folder: string;

  constructor(name: string) {
    this.#folder = join(root, '.build', `${name}-${process.pid}`);
    mkdirSync(this.#folder, { recursive: true });
  }

  /** What the strict compiler says about all of them; empty where nothing is wrong. */
  check(samples: readonly Sample[]): string {
    const folder = join(this.#folder, 'types');
    mkdirSync(folder, { recursive: true });
    const files = samples.map(({ code, place }, i) => {
      writeFileSync(join(folder, `${i}.ts`), `${code}export {}; // ${place}\n`);
      return `${i}.ts`;
    });
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable'],
      module: 'nodenext',
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noUnusedLocals: true,
      skipLibCheck: true,
      noEmit: true,
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    const { stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder, '--pretty', 'false'], { encoding: 'utf8' });
    return stdout.replace(/^.*?(\d+)\.ts\(/gm, (_, i: string) => `${samples[Number(i)]!.place} (`);
  }

  /**
   * Runs a sample in a folder of its own, with a copy of what `fixtures` holds.
   *
   * @param replaced What stands for something that the test has elsewhere, such as a server's address.
   */
  async run(sample: Sample, fixtures?: URL, replaced: Readonly<Record<string, string>> = {}): Promise<Run> {
    const folder = join(this.#folder, sample.place.replace(/\W+/g, '-'));
    mkdirSync(folder, { recursive: true });
    if (fixtures !== undefined) cpSync(fileURLToPath(fixtures), folder, { recursive: true });
    // The oldest Node that is supported has neither types nor `using`.
    const { code } = sample.language === 'js' ? sample : await transform(sample.code, { loader: 'ts', target: 'node20' });
    const program = Object.entries(replaced).reduce((source, [from, to]) => source.replaceAll(from, to), code);
    writeFileSync(join(folder, 'main.mjs'), program);
    const child = spawn(process.execPath, ['main.mjs'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '' },
      timeout: WATCHDOG,
      killSignal: 'SIGKILL',
    });
    const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return { code: status as number | null, stdout, stderr };
  }

  /** Removes its folder, and ends the process of the compiler. */
  async remove(): Promise<void> {
    rmSync(this.#folder, { recursive: true });
    await stop();
  }
}
