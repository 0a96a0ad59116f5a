/** This package's version, which hosts tell each other. */
import { readFileSync } from 'node:fs';
import { PACKAGE } from '../util/package.js';

let version: string | undefined;

export function packageVersion(): string {
  version ??= (JSON.parse(readFileSync(new URL('package.json', PACKAGE), 'utf8')) as { version: string }).version;
  return version;
}
