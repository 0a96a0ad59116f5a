/** The options with which a Node can fork, and whether one could be started with them here. */
import { canEndForks, nativeError } from '../../native/index.js';
import { unusableExecutable } from '../../util/executable.js';

/**
 * V8 then compiles and collects garbage on its own thread, and the one platform thread that remains
 * waits alone on its condition variable (two waiters would leave a child hanging in glibc's signal;
 * see native/fork-linux.cc).
 */
export const FORK_OPTIONS: readonly string[] = ['--single-threaded', '--v8-pool-size=1'];

/**
 * The options of a template. V8's memory reducer collects garbage in a process that has been idle
 * for some seconds, and so makes an idle child copy most of the heap that it shares with its
 * template: 14 MB instead of 2.6.
 */
export const TEMPLATE_OPTIONS: readonly string[] = [...FORK_OPTIONS, '--no-memory-reducer'];

/** `options` without those that {@link FORK_OPTIONS} set otherwise. */
export function forkableArguments(options: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < options.length; i++) {
    const option = options[i]!;
    const name = option.split('=', 1)[0]!.replaceAll('_', '-');
    if (name === '--no-single-threaded') continue;
    if (name !== '--v8-pool-size') kept.push(option);
    else if (!option.includes('=')) i++;
  }
  return kept;
}

/** Returns whether options contain all of {@link FORK_OPTIONS}. */
export function areForkOptions(options: readonly string[]): boolean {
  const words = options.map((option) => option.replaceAll('_', '-'));
  const poolAt = words.findIndex((word) => word.startsWith('--v8-pool-size'));
  const pool = poolAt < 0 ? undefined : (words[poolAt]!.split('=')[1] ?? words[poolAt + 1]);
  return words.includes('--single-threaded') && pool === '1';
}

/**
 * Why a process whose `Math` cannot be changed cannot be forked: the forks would go on with one
 * state of V8's.
 */
export const SHARED_RANDOM =
  '`Math` is frozen (--frozen-intrinsics), and all forks would draw the same numbers from `Math.random`';

/** Why a build of Node cannot be forked. */
export const ENDLESS =
  'this build of Node does not show `node::AtExit` and its platform, without which a fork could not end in good order (builds for musl, as Alpine has, do not)';

/** Returns why no Node can be forked on this host; `null` when one can. */
export function forkingUnavailable(): string | null {
  if (process.platform !== 'linux') return `it needs Linux, and this is ${process.platform}`;
  const withoutAddon = nativeError();
  if (withoutAddon !== null) return withoutAddon.message;
  return canEndForks() ? null : ENDLESS;
}

/** Returns why no template can be started on this host; `null` when one can. */
export function templateUnavailable(): string | null {
  const words = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(' ')];
  const frozen = words.some((word) => word.replaceAll('_', '-') === '--frozen-intrinsics');
  return forkingUnavailable() ?? unusableExecutable() ?? (frozen ? SHARED_RANDOM : null);
}
