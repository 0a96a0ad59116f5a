/** The text of source files as the explorer's helpers change it. A change that matches nothing is an error: a model must not shrink unseen. */
import { readFileSync } from 'node:fs';
import type { SourceModule } from './generatorize.js';

/** A change of one file that the explorer must catch; its text must occur exactly once. */
export interface Mutation {
  /** Path below src, without the extension. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** A change that makes the sources fit the explorer. It must occur in at least one of the files. */
export type Fitting = readonly [from: string | RegExp, to: string];

/** Reads files of src, changed. @throws when a mutation does not match exactly once, or a fitting not at all. */
export function changedSources(
  files: readonly string[],
  mutation: Mutation | undefined,
  fittings: readonly Fitting[] = [],
): SourceModule[] {
  const unused = new Set(fittings);
  const modules = files.map((file) => {
    let source = readFileSync(new URL(`../../src/${file}.ts`, import.meta.url), 'utf8');
    if (mutation?.file === file) {
      if (source.split(mutation.from).length !== 2)
        throw new Error(`The mutation does not match ${file}.ts exactly once: ${mutation.from}`);
      source = source.replace(mutation.from, () => mutation.to);
    }
    for (const fitting of fittings) {
      const [from, to] = fitting;
      const fitted = source.replaceAll(from, to);
      if (fitted !== source) unused.delete(fitting);
      source = fitted;
    }
    return { file, source };
  });
  for (const [from] of unused) throw new Error(`The explorer's change matches none of ${files.join(', ')}: ${from}`);
  return modules;
}
