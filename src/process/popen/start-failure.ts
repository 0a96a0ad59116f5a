/** Why the system did not start a child, and what helps. */
import { ProcessError } from '../../errors/index.js';
import { executable } from '../../util/executable.js';
import { describe } from '../../util/options.js';

/**
 * Longest text that Linux hands to a program as one argument or variable, its end included
 * (MAX_ARG_STRLEN).
 */
const MAX_TEXT_BYTES = 131_072;

/** What a child was to be started with. */
export interface StartInput {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Returns the error for a start that the system refused: ProcessError `MP_SPAWN`.
 * @param name Of the child.
 */
export function startFailure(name: string, cause: unknown, handed: StartInput): ProcessError {
  const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
  return new ProcessError(explanation(name, reason, handed), { code: 'MP_SPAWN', cause });
}

function explanation(name: string, reason: string, handed: StartInput): string {
  switch (reason) {
    case 'ENOENT':
    case 'EACCES':
    case 'ENOEXEC':
    case 'ENOTDIR':
      return `${name} cannot be started by ${describe(executable())} (${reason}); name a Node that can be run by setExecutable.`;
    case 'ERR_ACCESS_DENIED':
      return `Cannot start ${name}: Node was started with --permission; add --allow-child-process, or use start method 'thread' with --allow-worker.`;
    case 'E2BIG':
      return `Cannot start ${name}: ${tooLarge(handed)}. Children take large data as arguments (\`args\`, \`initArgs\`) or from files, not from their environment.`;
    default:
      return `Cannot start ${name}: ${reason}. Check the limits on processes and open files (ulimit -u, ulimit -n) and free memory.`;
  }
}

/** Returns which of the texts is too long; otherwise how long all are. */
function tooLarge({ args, env }: StartInput): string {
  const variables = Object.entries(env).filter(([, value]) => value !== undefined);
  for (const [name, value] of variables) {
    const bytes = Buffer.byteLength(name) + 1 + Buffer.byteLength(String(value));
    if (bytes >= MAX_TEXT_BYTES) {
      return `the environment variable ${name} has ${bytes} bytes with its name, and the system takes ${MAX_TEXT_BYTES - 1} (E2BIG); pass \`env\` without it`;
    }
  }
  for (const word of args) {
    const bytes = Buffer.byteLength(word);
    if (bytes >= MAX_TEXT_BYTES) {
      const shown = `${word.slice(0, 40)}…`;
      return `the argument ${JSON.stringify(shown)} has ${bytes} bytes, and the system takes ${MAX_TEXT_BYTES - 1} (E2BIG); shorten the name or \`execArgv\``;
    }
  }
  const total =
    args.reduce((sum, word) => sum + Buffer.byteLength(word) + 1, 0) +
    variables.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(String(value)) + 2, 0);
  return `its ${variables.length} environment variables and ${args.length} arguments have ${total} bytes, more than the system takes (E2BIG: a quarter of \`ulimit -s\`); pass a smaller \`env\``;
}
