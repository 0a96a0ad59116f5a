import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import type { Reporter, TestModule } from 'vitest/node';

/**
 * Says of a runner's worker that ended in the middle of a file which file and tests those were, and how it ended. vitest
 * says only that one did, and the log of a run that nobody can repeat is all there is to look at.
 */
export default class EndedWorkers implements Reporter {
  readonly #ends: string[] = [];

  onInit(): void {
    subscribe('child_process', (message) => {
      const { process: child } = message as { process: ChildProcess };
      child.once('exit', (code, signal) => {
        if (code !== 0) this.#ends.push(`process ${child.pid} ended with ${signal ?? `exit code ${code}`}`);
      });
    });
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const unfinished = modules.filter((module) => ['queued', 'pending'].includes(module.state()));
    if (unfinished.length === 0) return;
    const lines = unfinished.flatMap((module) => [
      `not finished: ${module.project.name} ${module.relativeModuleId}`,
      ...[...module.children.allTests('pending')].map((test) => `  ${test.fullName}`),
    ]);
    console.error([...lines, ...this.#ends].join('\n'));
  }
}
