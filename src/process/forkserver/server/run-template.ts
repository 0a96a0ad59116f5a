/**
 * What the template does: loads what children will need, then forks on request.
 *
 * It ends with the thread that started it (parent-death signal). Ctrl-C is not for it. What it
 * loads runs to its rest before the first fork: a request that is under way in libuv's threads
 * would never be answered in a child.
 */
import { fstatSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import v8 from 'node:v8';
import vm from 'node:vm';
import { importFrom } from '../../../modules/load-modules.js';
import {
  bindLifeline,
  closeDescriptor,
  ignoreSignal,
  setCloseOnExec,
  setParentDeathSignal,
  trimMemory,
} from '../../../native/index.js';
import { fileUrlOf } from '../../../util/file-names.js';
import { importModule } from '../../../util/import-module.js';
import { whileLoading } from '../../../util/loading.js';
import { begin } from '../../../util/starting.js';
import { PROGRAMS } from '../../child/inherit.js';
import { FORKED } from '../../fork/after-fork-child.js';
import { identity } from '../../identity.js';
import { IDLE_TIMEOUT_MS, PreloadReporter } from '../preloading.js';
import type { TemplateConfig } from '../protocol.js';
import { beginChild } from './begin-child.js';
import { probe } from './probe-child.js';
import { serve } from './serve.js';

const CONFIG_DESCRIPTOR = 3;
const LISTENER_DESCRIPTOR = 4;
const STATUS_DESCRIPTOR = 5;
const LIFELINE_DESCRIPTOR = 6;
/** Milliseconds that requests of preloaded modules have to be answered. */
const SETTLE_TIMEOUT_MS = 5_000;

const programs = new Map<string, () => void>();

/** Runs in a process of its own, once. */
export async function runTemplate(): Promise<void> {
  setCloseOnExec(LISTENER_DESCRIPTOR, true);
  setCloseOnExec(STATUS_DESCRIPTOR, true);
  // Not by a signal of the parent's: it may have given up the right to send one.
  const lifeline = bindLifeline(LIFELINE_DESCRIPTOR);
  closeDescriptor(LIFELINE_DESCRIPTOR);
  const config = JSON.parse(readFileSync(CONFIG_DESCRIPTOR, 'utf8')) as TemplateConfig;
  closeDescriptor(CONFIG_DESCRIPTOR);
  if (!setParentDeathSignal(constants.signals.SIGKILL, config.parentPid)) process.exit(1);
  ignoreSignal(constants.signals.SIGINT);
  process.argv = [...config.argv];
  begin();
  identity().name = 'ForkServer';
  (globalThis as { [FORKED]?: boolean })[FORKED] = true;

  await preload(config);
  warmUp();
  await settled();
  collect();
  const { refusal, pages } = await probe(); // what is where, remains there
  setImmediate(() =>
    beginChild(serve(LISTENER_DESCRIPTOR, Buffer.from(config.key, 'hex'), refusal, lifeline), pages, programs),
  );
}

/** The template loads modules for as long as it lives: its children begin. */
async function preload(config: TemplateConfig): Promise<void> {
  const reporting = new PreloadReporter(STATUS_DESCRIPTOR);
  let now = '';
  const failed = (error: unknown): void => {
    if (now === '') return;
    reporting.failed(now, error);
    if (config.onError === 'fail') process.exit(1);
  };
  process.on('uncaughtException', failed);
  process.on('unhandledRejection', failed);
  const here = pathToFileURL(join(workingFolder(), 'preload.js')).href;
  const { main } = config;
  await loadModules(config.modules).catch(() => {});
  for (const name of config.preload) {
    if (name === '__main__' && main === null) continue;
    now = name;
    reporting.loading(name);
    const loaded = whileLoading(() =>
      name === '__main__' ? importModule(pathToFileURL(main!).href) : importFrom(here, fileUrlOf(name) ?? name),
    );
    if (!(await settlesInTime(loaded.then(() => {}, failed)))) {
      reporting.stuck(name);
      process.exit(1);
    }
    // Rejections are told of at the end of the turn.
    await new Promise(setImmediate);
  }
  process.off('uncaughtException', failed);
  process.off('unhandledRejection', failed);
  reporting.close();
}

/**
 * Returns whether it is settled before its time is up, and before nothing is left that could settle
 * it.
 */
function settlesInTime(promise: Promise<void>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), IDLE_TIMEOUT_MS);
    timer.unref();
    const idle = (): void => {
      // The last that was under way may just have settled it.
      setImmediate(() => resolve(false));
    };
    process.once('beforeExit', idle);
    void promise.then(() => {
      clearTimeout(timer);
      process.off('beforeExit', idle);
      resolve(true);
    });
  });
}

/** Returns the root where the working directory was removed. */
function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}

/** Loads what children need of this library. */
async function loadModules(urls: readonly string[]): Promise<void> {
  const scope = globalThis as { [PROGRAMS]?: Map<string, () => void> };
  scope[PROGRAMS] = programs;
  try {
    for (const url of urls) await importModule(url);
  } finally {
    v8.setFlagsFromString('--lazy');
    delete scope[PROGRAMS];
  }
}

/** Calls what every child calls of Node: a function is compiled when it is first called. */
function warmUp(): void {
  fstatSync(LISTENER_DESCRIPTOR);
  void performance.timeOrigin;
}

/**
 * Waits until nothing that was begun is under way, and all that was printed is out: a fork would
 * print it again.
 */
async function settled(): Promise<void> {
  const { _getActiveRequests } = process as unknown as { _getActiveRequests?(): unknown[] };
  const deadline = performance.now() + SETTLE_TIMEOUT_MS;
  do
    await new Promise((later) => setTimeout(later, 1)); // nobody tells when the last one is answered
  while ((_getActiveRequests?.().length ?? 0) > 0 && performance.now() < deadline);
}

/**
 * Garbage of loading, which children would otherwise collect, each in a copy of its own, and free
 * memory, of which each has a map. What was compiled stays.
 */
function collect(): void {
  v8.setFlagsFromString('--expose-gc');
  v8.setFlagsFromString('--no-flush-bytecode');
  (vm.runInNewContext('gc') as () => void)();
  v8.setFlagsFromString('--flush-bytecode');
  v8.setFlagsFromString('--no-expose-gc');
  trimMemory();
}
