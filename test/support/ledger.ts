/**
 * A file in which tasks leave traces: one short line each, appended atomically, so that a test can count what ran in
 * other processes, also in those that died.
 *
 * In a task, with the ledger's path as an argument: `process.getBuiltinModule('node:fs').appendFileSync(path, 'text\n')`.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Ledger implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'ledger-'));
  /** Its path, for tasks. */
  readonly path = join(this.#directory, 'lines');

  constructor() {
    writeFileSync(this.path, '');
  }

  /** The lines so far, in the order they were written. */
  lines(): string[] {
    return readFileSync(this.path, 'utf8').split('\n').filter(Boolean);
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
