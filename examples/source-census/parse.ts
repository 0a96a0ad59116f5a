import { type Options, type Program, parse } from 'acorn';

/** Where a comment stands in the source. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A syntax tree and the comments beside it, in source order. A `#!` line is not a comment. */
export interface Parsed {
  readonly tree: Program;
  readonly comments: readonly Span[];
}

/**
 * Reads a source as an ES module and, when that fails, as CommonJS (sloppy mode, top-level `return`).
 *
 * @throws SyntaxError of whichever attempt got further, also when the source nests too deep for the parser.
 */
export function parseSource(source: string): Parsed {
  try {
    return parseAs('module', source);
  } catch (asModule) {
    try {
      return parseAs('commonjs', source);
    } catch (asCommonJs) {
      throw position(asCommonJs) > position(asModule) ? asCommonJs : asModule;
    }
  }
}

function parseAs(sourceType: NonNullable<Options['sourceType']>, source: string): Parsed {
  const comments: Span[] = [];
  const tree = parse(source, {
    ecmaVersion: 'latest',
    sourceType,
    onComment: (_block, _text, start, end) => {
      if (start > 0 || !source.startsWith('#!')) comments.push({ start, end });
    },
  });
  return { tree, comments };
}

function position(error: unknown): number {
  const { pos } = error as { pos?: number };
  return pos ?? -1;
}
