/**
 * The sections of a module's entry: a comment `// Pools` on a line of its own, before a blank one, begins a section of exports.
 */
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { root, subpaths } from './subpaths.js';

/** The sections of a file below the package, in their order, and the names that each has. `*` stands for `export *`. */
export function sectionsOf(file) {
  const text = readFileSync(`${root}${file}`, 'utf8');
  const found = new Map();
  let section;
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  for (const statement of source.statements) {
    const before = text.slice(statement.pos, statement.getStart(source)).match(/^\/\/ .*(?=\n\n)/gm);
    section = before?.at(-1)?.slice('// '.length) ?? section;
    if (section === undefined || !ts.isExportDeclaration(statement)) continue;
    const { exportClause } = statement;
    const names = exportClause === undefined ? ['*'] : exportClause.elements.map(({ name }) => name.text);
    found.set(section, [...(found.get(section) ?? []), ...names]);
  }
  return found;
}

/** The titles of all sections, those of the root first. */
export const sections = () => [...new Set(subpaths().flatMap(({ source }) => [...sectionsOf(source).keys()]))];
