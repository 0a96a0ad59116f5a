/** Where things are. */
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../..', import.meta.url));
export const cases = fileURLToPath(new URL('../cases/', import.meta.url));
export const cache = `${root}.build/toolchains/`;
export const versionsFile = fileURLToPath(new URL('../versions.json', import.meta.url));
export const tableFile = `${root}docs/toolchains.md`;
