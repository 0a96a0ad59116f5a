/**
 * What only Linux has stands in src/native, the face of the addon, and in files called `*-linux.ts`. Everything else in
 * src runs on every system (docs/architecture.md, Platforms). Part of `npm run lint`; comments may say what they like.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import ts from 'typescript';
import { root } from './subpaths.js';

const { SyntaxKind } = ts;
const source = join(root, 'src');

/** Files of Linux, by their path below src. */
const isOfLinux = (path) => path.startsWith('native/') || path.endsWith('-linux.ts');

/** What strings, templates and regular expressions do not have elsewhere. */
const TEXTS = [
  [/(?:^|[^.\w])\/(?:proc|dev|sys)(?:\/|$)/, 'a path of Linux'],
  [/(?:^|[^.\w])\/(?:tmp|etc|usr|var|bin)\b/, "a folder of Unix; os.tmpdir() and its like are any system's"],
  [/^\0[\w-]{2}/, 'an abstract socket'],
];
/** What names do not have elsewhere. */
const NAMES = [
  [/eventfd|pidfd|memfd|epoll|inotify|signalfd|timerfd|prctl|cgroup/i, 'an object of the Linux kernel'],
  [/^(?:[gs]ete?[ug]id|[gs]etgroups|initgroups)$/, 'users of Unix'],
];
const KINDS = new Map([
  [SyntaxKind.StringLiteral, TEXTS],
  [SyntaxKind.NoSubstitutionTemplateLiteral, TEXTS],
  [SyntaxKind.TemplateHead, TEXTS],
  [SyntaxKind.TemplateMiddle, TEXTS],
  [SyntaxKind.TemplateTail, TEXTS],
  [SyntaxKind.RegularExpressionLiteral, TEXTS],
  [SyntaxKind.Identifier, NAMES],
  [SyntaxKind.PrivateIdentifier, NAMES],
]);

/** What a file has from src/native, whose names are the seam's own. */
function seamNames(file) {
  const names = new Set();
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement) || !/\/native\//.test(statement.moduleSpecifier.text)) continue;
    const bindings = statement.importClause?.namedBindings;
    if (bindings !== undefined && ts.isNamedImports(bindings))
      for (const { name } of bindings.elements) names.add(name.text);
  }
  return names;
}

/** What a file has that only Linux has: `line: text, which is what`. */
export function linuxIn(text) {
  const file = ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, true);
  const seam = seamNames(file);
  const found = [];
  const visit = (node) => {
    const value = node.kind === SyntaxKind.RegularExpressionLiteral ? node.text.replaceAll('\\/', '/') : node.text;
    // A module that is imported says by its name what it is.
    const isModule = ts.isImportDeclaration(node.parent ?? node) || ts.isExportDeclaration(node.parent ?? node);
    for (const [pattern, what] of isModule ? [] : (KINDS.get(node.kind) ?? [])) {
      if (!pattern.test(value) || seam.has(value)) continue;
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
      found.push(`${line + 1}: ${JSON.stringify(value)}, ${what}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

if (process.argv[1] === import.meta.filename) {
  const files = readdirSync(source, { recursive: true }).map((path) => path.split(sep).join('/'));
  const faults = files
    .filter((path) => path.endsWith('.ts') && !isOfLinux(path))
    .flatMap((path) => linuxIn(readFileSync(join(source, path), 'utf8')).map((fault) => `src/${path}:${fault}`));
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) {
    console.error(
      `\n${faults.length} things of Linux outside of src/native and *-linux.ts: move them there, behind a name.`,
    );
    process.exitCode = 1;
  }
}
