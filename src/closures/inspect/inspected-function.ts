/**
 * What is known of a function that is sent: its text, what V8 shows of it, where it was written.
 */
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Analysis } from '../analysis/analysis.js';
import type { Surroundings } from './enclosing.js';
import type { CapturedScope, Mirror } from './inspector.js';
import type { Place } from './locate.js';

/** A function, read. */
export interface InspectedFunction {
  readonly fn: Function;
  /**
   * What it is called in messages. Only errors ask, and a source map may have to be read for it.
   */
  readonly describe: () => string;
  readonly text: string;
  readonly analysis: Analysis;
  readonly mirror: Mirror | null;
  readonly place: Place | null;
  readonly around: Surroundings | null;
}

/** The captured scope that holds a name. Globals are no captures. */
export function holderOf(inspected: Pick<InspectedFunction, 'mirror'>, name: string): CapturedScope | null {
  for (const scope of inspected.mirror?.scopes ?? []) {
    if (scope.type !== 'Global' && Object.hasOwn(scope.object, name)) return scope;
  }
  return null;
}

/** Code without a file resolves from the working directory. */
export function baseOf(url: string): string {
  return url.startsWith('file:') ? url : new URL('[eval]', pathToFileURL(join(process.cwd(), sep))).href;
}
