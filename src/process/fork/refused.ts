/** Why a template, or this process, could not fork. */
import { getSystemErrorMap } from 'node:util';
import { type MultiprocessError, ProcessError, UnsupportedError } from '../../errors/index.js';
import { ENDLESS } from './options.js';

/** Reasons for which a template does not fork, beside errnos. Above all errnos. */
export enum RefusalCode {
  ThreadsBusy = 1001,
  NoExitHook = 1002,
  ProbeDied = 1003,
  ProbeHangs = 1004,
  SharedRandom = 1005,
  HooksThread = 1006,
}

/** Returns the error for a refusal: a {@link RefusalCode} or an errno. */
export function refused(code: number): MultiprocessError {
  if (code === RefusalCode.ThreadsBusy) {
    return new ProcessError(
      'The process cannot be forked: another of its threads does not come to rest. Preload modules that start no threads (worker_threads, native add-ons that compute), or use start method `spawn`.',
      { code: 'MP_SPAWN' },
    );
  }
  if (code === RefusalCode.NoExitHook) {
    return new UnsupportedError(`The process cannot be forked: ${ENDLESS}; use start method \`spawn\`.`);
  }
  const reason = reasons[code];
  if (reason !== undefined)
    return new UnsupportedError(`The forkserver cannot be used here: ${reason}; use start method \`spawn\`.`);
  const [name, text] = getSystemErrorMap().get(-code) ?? [`errno ${code}`, 'unknown error'];
  return new ProcessError(
    `The process cannot be forked: ${name} (${text}). Check the limits on processes and open files (ulimit -u, ulimit -n) and free memory.`,
    { code: 'MP_SPAWN' },
  );
}

const reasons: Readonly<Record<number, string>> = {
  [RefusalCode.ProbeDied]: 'a first fork of its template died before it could load a module',
  [RefusalCode.ProbeHangs]: 'a first fork of its template did not get a module loaded',
  [RefusalCode.HooksThread]:
    'this program has module hooks that run on a thread of their own (`module.register`, which an `--import` may call, or `--loader`), and a fork does not have that thread',
  [RefusalCode.SharedRandom]: 'this Node keeps random bytes in a way that forks would share',
};
