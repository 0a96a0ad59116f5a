/**
 * The phases of a child's life in which starting further processes means that a program is being run again:
 *
 *   from its birth to begin()       modules that are preloaded (`--import`, `--require`, NODE_OPTIONS); the program itself, where what was
 *                                   started is no Node that runs our file
 *   enterBootstrapping() … leave    modules that are loaded on behalf of the parent
 */
import { createRequire } from 'node:module';
import { ProcessError } from '../../errors/process.js';
import { callingFile, noteStarters } from '../../util/program-files.js';
import { hasBegun, isStarting } from '../../util/starting.js';

const PHASE = Symbol.for('multiprocess.bootstrapping');
const scope = globalThis as { [PHASE]?: number };

/** Marks that modules are being loaded on behalf of the parent. Counts: phases may nest. */
export function enterBootstrapping(): void {
  scope[PHASE] = (scope[PHASE] ?? 0) + 1;
}

/** Ends {@link enterBootstrapping}. */
export function leaveBootstrapping(): void {
  scope[PHASE] = Math.max(0, (scope[PHASE] ?? 0) - 1);
}

/** Whether this process is loading modules on behalf of its parent, or before it begins. */
export function isBootstrapping(): boolean {
  return (scope[PHASE] ?? 0) > 0 || isStarting();
}

const GUARD = "`if (currentProcess().name === 'MainProcess') { … }`";

/**
 * Refuses to start anything while modules load on behalf of the parent, or are preloaded by a child.
 * @throws ProcessError `MP_BOOTSTRAPPING`.
 */
export function checkNotBootstrapping(actor: string, verb: string): void {
  noteStarters();
  if (isStarting() || isPreload()) {
    throw new ProcessError(
      `${actor}: a module that every child preloads (\`--import\`, \`--require\`, NODE_OPTIONS) ${verb}, here in a child; that would go on for ever. ` +
        `Do it in the program, or only there: ${GUARD}; or keep children from preloading it, by the options \`execArgv\` and \`env\`.`,
      { code: 'MP_BOOTSTRAPPING' },
    );
  }
  if (!isBootstrapping()) return;
  throw new ProcessError(
    `${actor}: this module is being loaded by a child process, and ${verb} while it loads; that would go on for ever. ` +
      `Do it inside a function, or only when the module is the main one: ${GUARD}.`,
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

/** The files that this process preloads. */
function preloads(): ReadonlySet<string> {
  if (known !== undefined) return known;
  const words = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/)];
  const resolve = createRequire(`${process.cwd()}/preload.js`).resolve;
  const files = new Set<string>();
  words.forEach((word, i) => {
    const [, option, value] = /^(--import|--require|-r)(?:=(.*))?$/s.exec(word) ?? [];
    const specifier = value ?? (option === undefined ? undefined : words[i + 1]);
    if (specifier === undefined) return;
    try {
      files.add(resolve(specifier.startsWith('file:') ? new URL(specifier).pathname : specifier));
    } catch {
      // It was loaded by other rules, or not at all.
    }
  });
  known = files;
  return files;
}
