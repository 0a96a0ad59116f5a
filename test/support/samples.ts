/**
 * Programs that stand in texts: fences of Markdown and `@example` blocks of comments. Each runs as a process of its own, as a
 * reader would run it, inside the package, so that it finds the library by its name.
 *
 * A fence of Markdown says in its first line what becomes of it:
 *
 *   ```ts, ```js        a program: it compiles in strict mode (js: without types for parameters), runs, prints what it says
 *   ```py               a program for python3: it runs, and prints what it says
 *   ```text output      what the program before it prints, all of it
 *   ```ts unrun: why    a program that compiles, and is not run
 *   ```ts unchecked: why    text that looks like a program
 *   ```sh, ```text, ```json, ```md    left as they are
 *
 * A program whose first line is `// images.js` (or `# images.py`) and no more is a file of that name beside the programs after it.
 * One whose first line is `// node --option …` is run with these options of Node. `// stderr: …` behind a call is what that writes
 * to stderr.
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
  readonly language: 'js' | 'ts' | 'py';
  readonly code: string;
  /** Files beside it, by their names. */
  readonly files: Readonly<Record<string, string>>;
  /** Why it is not run, or not even compiled. */
  readonly left?: { readonly from: 'unrun' | 'unchecked'; readonly why: string };
  /** All that it prints, where the text has that behind it. */
  readonly output?: string;
}

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const lineOf = (whole: string, index: number): number => whole.slice(0, index).split('\n').length;

/** Languages of fences that are no programs. */
const TEXTS = new Set(['', 'sh', 'text', 'json', 'md']);

/** The name in the first line of a program that is a file for others. */
const fileName = (code: string): string | undefined => /^(?:\/\/|#) ([\w-]+\.(?:[cm]?[jt]s|py))\n/.exec(code)?.[1];

/** Whether a program names a file: imports it, or gives its path. */
const names = (code: string, file: string): boolean => code.includes(file) || code.includes(file.replace(/\.py$/, ''));

/** The fences of a Markdown file that hold programs. Throws where a fence would be neither run nor left on purpose. */
export function fencesOf(path: string): Sample[] {
  const whole = readFileSync(join(root, path), 'utf8');
  const samples: Sample[] = [];
  const files: Record<string, string> = {};
  const unused = new Map<string, string>();
  for (const { 1: indent, 2: info, 3: code, index } of whole.matchAll(
    /^([ \t]*)```([^`\n]*)\n(.*?)^[ \t]*```[ \t]*$/gms,
  )) {
    const place = `${path}:${lineOf(whole, index)}`;
    const [, language, rest] = /^(\S*) ?(.*)$/.exec(info!)!;
    if (language === 'text' && rest === 'output') {
      const last = samples.at(-1);
      if (last === undefined || last.output !== undefined) throw new Error(`${place}: output of no program`);
      samples[samples.length - 1] = { ...last, output: code! };
      continue;
    }
    if (TEXTS.has(language!) && rest === '') continue;
    const [, from, why] = /^(unrun|unchecked): (.+)$/.exec(rest!) ?? [];
    if (!/^(js|ts|py)$/.test(language!) || indent !== '' || (rest !== '' && why === undefined))
      throw new Error(`${place}: nobody runs a fence that begins with ${indent}\`\`\`${info}`);
    const file = fileName(code!);
    if (file !== undefined && !file.startsWith('main.')) {
      files[file] = code!;
      unused.set(file, place);
      continue;
    }
    const left = why === undefined ? {} : { left: { from: from as 'unrun' | 'unchecked', why } };
    samples.push({ place, language: language as Sample['language'], code: code!, files: { ...files }, ...left });
    const bodies = [code!, ...Object.values(files).map((text) => text.slice(text.indexOf('\n')))];
    for (const name of unused.keys()) if (bodies.some((body) => names(body, name))) unused.delete(name);
  }
  for (const [file, place] of unused) throw new Error(`${place}: no program after it uses ${file}`);
  return samples;
}

/** The `@example` blocks of a source file, each to its next tag or the end of its comment. */
export function examplesOf(path: string): Sample[] {
  const whole = readFileSync(join(root, path), 'utf8');
  return [...whole.matchAll(/^[ \t]*\* @example\n(.*?)(?=^[ \t]*\* @|^[ \t]*\*\/)/gms)].map(({ 1: block, index }) => ({
    place: `${path}:${lineOf(whole, index)}`,
    language: 'ts',
    code: block!.replace(/^[ \t]*\* ?/gm, ''),
    files: {},
  }));
}

const words = (printed: string): string => printed.replace(/\s+/g, ' ').trim();

/**
 * What a program says that it prints, with single blanks: the comments behind its `console.log` or `print`, in their order, or the
 * output behind it.
 */
export function promisedOutput({ code, output }: Sample): string {
  const said = [...code.matchAll(/^.*(?:console\.log\(.*[;,] \/\/|\bprint\(.*\) {2}#) (.*)$/gm)].map(
    ([, comment]) => comment,
  );
  return words(output ?? said.join(' '));
}

/** What a program says that it writes to stderr, with single blanks. */
export const promisedErrors = ({ code }: Sample): string =>
  words([...code.matchAll(/[;,] \/\/ stderr: (.*)$/gm)].map(([, comment]) => comment).join(' '));

/** The options of Node that a program's first line names. */
const nodeOptions = (code: string): string[] => /^\/\/ node (--.+)\n/.exec(code)?.[1]?.split(' ') ?? [];

/** What a program printed, with single blanks. Where its promise has `…`, anything may stand. */
export function printed(stdout: string, promised: string): string {
  const found = words(stdout);
  const pattern = promised.split('…').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return promised.includes('…') && new RegExp(`^${pattern.join('.*?')}$`, 's').test(found) ? promised : found;
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
    const compiled = samples.filter(({ language, left }) => language !== 'py' && left?.from !== 'unchecked');
    return (['ts', 'js'] as const)
      .map((language) =>
        this.#compile(
          language,
          compiled.filter((sample) => sample.language === language),
        ),
      )
      .join('');
  }

  #compile(language: 'ts' | 'js', samples: readonly Sample[]): string {
    if (samples.length === 0) return '';
    const folder = join(this.#folder, `types-${language}`);
    const main = `main.${language}`;
    const files = samples.map(({ code, files: beside, place }, i) => {
      mkdirSync(join(folder, String(i)), { recursive: true });
      for (const [name, text] of Object.entries(beside)) writeFileSync(join(folder, String(i), name), text);
      writeFileSync(join(folder, String(i), main), `${code}export {}; // ${place}\n`);
      return `${i}/${main}`;
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
      ...(language === 'js' && { allowJs: true, checkJs: true, noImplicitAny: false }),
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    const { stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder, '--pretty', 'false'], {
      encoding: 'utf8',
    });
    return stdout.replace(
      /^.*?(\d+)\/([\w-]+\.[cm]?[jt]s)\(/gm,
      (_, i: string, file: string) => `${samples[Number(i)]!.place}${file === main ? '' : `, ${file}`} (`,
    );
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
    const ready = async (name: string, code: string): Promise<void> => {
      // The oldest Node that is supported has neither types nor `using`.
      const program = /\.[cm]?ts$/.test(name) ? (await transform(code, { loader: 'ts', target: 'node20' })).code : code;
      writeFileSync(
        join(folder, name.replace(/ts$/, 'js')),
        Object.entries(replaced).reduce((source, [from, to]) => source.replaceAll(from, to), program),
      );
    };
    const main = { js: 'main.js', ts: 'main.ts', py: 'main.py' }[sample.language];
    await Promise.all(
      Object.entries({ ...sample.files, [main]: sample.code }).map(([name, code]) => ready(name, code)),
    );
    const [command, programAndOptions]: [string, string[]] =
      sample.language === 'py' ? ['python3', [main]] : [process.execPath, [...nodeOptions(sample.code), 'main.js']];
    const child = spawn(command, programAndOptions, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '' },
      timeout: WATCHDOG,
      killSignal: 'SIGKILL',
    });
    const [stdout, stderr, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    return { code: status as number | null, stdout, stderr };
  }

  /** Removes its folder, and ends the process of the compiler. */
  async remove(): Promise<void> {
    rmSync(this.#folder, { recursive: true });
    await stop();
  }
}
