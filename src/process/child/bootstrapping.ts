/**
 * When a child must not start further processes, because a program is being run again:
 *
 *   from its birth to begin()  modules that are preloaded (`--import`, `--require`, NODE_OPTIONS);
 *                              the program itself, where what was started is no Node that runs our file
 *   util/loading.ts            modules that are loaded on behalf of the parent, and what they began
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProcessError } from '../../errors/process.js';
import { isLoading } from '../../util/loading.js';
import { callingFile, noteStarters } from '../../util/program-files.js';
import { hasBegun, isStarting } from '../../util/starting.js';

const GUARD_EXAMPLE = "`if (currentProcess().name === 'MainProcess') { … }`";

/**
 * Refuses to start anything while modules load on behalf of the parent, or are preloaded by a
 * child.
 * @throws ProcessError `MP_BOOTSTRAPPING`.
 */
export function checkNotBootstrapping(actor: string, verb: string): void {
  noteStarters();
  if (isStarting() || isPreload()) {
    throw new ProcessError(
      `${actor}: a module that every child preloads (\`--import\`, \`--require\`, NODE_OPTIONS) ${verb}, here in a child; that would go on for ever. ` +
        `Do it in the program, or only there: ${GUARD_EXAMPLE}; or keep children from preloading it, by the options \`execArgv\` and \`env\`.`,
      { code: 'MP_BOOTSTRAPPING' },
    );
  }
  if (!isLoading()) return;
  throw new ProcessError(
    `${actor}: a module that is loaded by a child process ${verb}, while it loads or out of what it began then; that would go on for ever. ` +
      `Do it inside a function that the child is told to call, or only in the first process: ${GUARD_EXAMPLE}.`,
    { code: 'MP_BOOTSTRAPPING' },
  );
}

/** In a child: whether a preloaded file is what calls, be it later than at its loading. */
function isPreload(): boolean {
  if (!hasBegun()) return false;
  const files = preloads();
  return files.size > 0 && files.has(callingFile() ?? '');
}

let known: ReadonlySet<string> | undefined;

/** Returns the files that this process preloads. */
function preloads(): ReadonlySet<string> {
  if (known !== undefined) return known;
  const words = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/)];
  const resolve = createRequire(join(process.cwd(), 'preload.js')).resolve;
  const files = new Set<string>();
  words.forEach((word, i) => {
    const [, option, value] = /^(--import|--require|-r)(?:=(.*))?$/s.exec(word) ?? [];
    const specifier = value ?? (option === undefined ? undefined : words[i + 1]);
    if (specifier === undefined) return;
    try {
      files.add(resolve(specifier.startsWith('file:') ? fileURLToPath(specifier) : specifier));
    } catch {
      // It was loaded by other rules, or not at all.
    }
  });
  known = files;
  return files;
}
