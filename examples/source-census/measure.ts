import { LineIndex } from './lines.js';
import { parseSource, type Span } from './parse.js';
import { type FoundFunction, type Imports, surveyTree } from './syntax.js';

/** One function of a source. */
export interface FunctionMeasure {
  readonly name: string;
  /** First line, from 1. */
  readonly line: number;
  /** Lines from the first to the last, both counted. */
  readonly lines: number;
  readonly complexity: number;
}

/** What one source text contains. Small whatever the size of the source, since it crosses a process boundary. */
export interface Measurement {
  readonly functions: number;
  /** Sum over all functions. */
  readonly complexity: number;
  readonly longest: FunctionMeasure | null;
  /** At most `top` functions, most complex first. */
  readonly mostComplex: readonly FunctionMeasure[];
  readonly imports: Imports;
  /** `lines` counts each line that a comment touches once. */
  readonly comments: { readonly count: number; readonly lines: number };
}

/**
 * Parses a source and measures it. A pure function of its arguments.
 *
 * @param top how many of the most complex functions to name. Default 10.
 * @throws SyntaxError when the source does not parse.
 */
export function measure(source: string, top = 10, lines = new LineIndex(source)): Measurement {
  const { tree, comments } = parseSource(source);
  const { functions, imports } = surveyTree(tree, source);
  const measures = functions.map((found) => measureFunction(found, lines));
  return {
    functions: measures.length,
    complexity: measures.reduce((sum, each) => sum + each.complexity, 0),
    longest: measures.reduce<FunctionMeasure | null>(
      (longest, each) => (longest && !longer(each, longest) ? longest : each),
      null,
    ),
    mostComplex: measures.sort((a, b) => b.complexity - a.complexity || a.line - b.line).slice(0, top),
    imports,
    comments: { count: comments.length, lines: commentLines(comments, lines) },
  };
}

function measureFunction({ node, name, complexity }: FoundFunction, lines: LineIndex): FunctionMeasure {
  const line = lines.at(node.start);
  return { name, line, lines: lines.at(node.end - 1) - line + 1, complexity };
}

function longer(a: FunctionMeasure, b: FunctionMeasure): boolean {
  return a.lines === b.lines ? a.line < b.line : a.lines > b.lines;
}

function commentLines(comments: readonly Span[], lines: LineIndex): number {
  let total = 0;
  let counted = 0;
  for (const { start, end } of comments) {
    const first = Math.max(lines.at(start), counted + 1);
    const last = lines.at(end - 1);
    total += Math.max(0, last - first + 1);
    counted = Math.max(counted, last);
  }
  return total;
}
