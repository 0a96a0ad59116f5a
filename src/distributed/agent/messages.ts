/** What an agent answers in the place of a result. */
import { ArgumentError, RemoteError, SerializationError } from '../../errors/index.js';

export function functionsNotAllowed(host: string): RemoteError {
  return new RemoteError(
    `Host ${host} runs no functions that drivers send, only exports of modules that it has; start its agent with --allow-functions (\`allowFunctions: true\`) where drivers are trusted as its own code is, or export the function from a module.`,
    { code: 'MP_FUNCTIONS_NOT_ALLOWED' },
  );
}

export function codeInArguments(host: string, kinds: readonly string[]): RemoteError {
  return new RemoteError(
    `Host ${host} takes no functions, classes or their instances among the arguments (found: ${kinds.join(', ')}); pass plain data, or start its agent with --allow-functions (\`allowFunctions: true\`).`,
    { code: 'MP_FUNCTIONS_NOT_ALLOWED' },
  );
}

export function resultTooLarge(bytes: number, limit: number): SerializationError {
  const repair = 'give it in several results, or store it and give where it is';
  return new SerializationError(
    `The result of a task has ${bytes} bytes; one of many hosts may have ${limit}; ${repair}.`,
    { code: 'MP_TOO_LARGE', repair },
  );
}

export function hostsLost(attempts: number, what: string): RemoteError {
  return new RemoteError(
    `${what} was given up: ${attempts} hosts that had it ended, or lost the broker for longer than the lease, before it had a result; it is among the dead letters. Raise \`maxAttempts\` if hosts come and go by design.`,
    { code: 'MP_HOSTS_LOST' },
  );
}

export function expired(host: string): RemoteError {
  return new RemoteError(
    `Host ${host} does not find what a task of a durable run refers to, its function or its arguments: the broker keeps them for 7 days. Run it anew.`,
    { code: 'MP_RUN_EXPIRED' },
  );
}

export function unreadable(host: string, cause: unknown): RemoteError {
  return new RemoteError(`Host ${host} cannot read a task: ${cause instanceof Error ? cause.message : String(cause)}`, {
    code: 'MP_BAD_FRAME',
    cause,
  });
}

export function notFound(specifier: string, folder: string, cause: unknown): ArgumentError {
  return new ArgumentError(
    `Agent: \`preload\`: ${specifier} is no module that ${folder} can import; install it there, or give a path that begins with ./`,
    { cause },
  );
}
