/**
 * Parsing: the text of a function, or of a whole script, to an ESTree.
 *
 * acorn is loaded at the first parse, so that a process which only rebuilds functions never pays
 * for it. `Function.prototype.toString` prints functions, arrows and classes as expressions and
 * methods and accessors as members of an object literal; a method's private name is read as a
 * member of a class.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as acorn from 'acorn';
import { MultiprocessError } from '../../errors/index.js';
import { loader } from '../../util/loader.js';

/** How the text of a function has to be wrapped to become an expression. */
export type Form = 'expression' | 'class' | 'member';

/** The text of a function, parsed. Positions of nodes are relative to the text plus `offset`. */
export interface ParsedFunction {
  readonly form: Form;
  /** The function or class itself; for a member its value. */
  readonly node: acorn.FunctionExpression | acorn.ArrowFunctionExpression | acorn.ClassExpression;
  /** Position of a member's key (brackets included), which may have to be replaced. */
  readonly key: { readonly start: number; readonly end: number; readonly replace: boolean } | null;
  /** Subtract this from a node's position to have its position in the text. */
  readonly offset: number;
}

type Parse = (source: string, options: acorn.Options) => acorn.Program;

let parser: Parse | undefined;

/**
 * Not part of a parse: that a parser cannot be loaded says nothing about the text, and may be over
 * the next time.
 */
function load(): Parse {
  try {
    parser ??= trusting(find().Parser);
    return parser;
  } catch (cause) {
    const [reason] = (cause as Error).message.split('\n');
    throw new MultiprocessError(
      `The parser of functions (the package acorn) cannot be loaded: ${reason}. Free descriptors (ulimit -n) or memory where they ran out; otherwise install the packages again.`,
      { code: 'MP_SYSTEM', cause },
    );
  }
}

/**
 * A parser without the checks that V8 has made already: of what is declared twice or exported
 * undeclared, which take acorn the square of the number of declarations (4 s for a bundle of
 * 20,000), and of regular expressions, of whose syntax and properties V8 may know more.
 */
function trusting(Parser: typeof acorn.Parser): Parse {
  const Trusting = Parser.extend(
    (Base) =>
      class extends Base {
        declareName(): void {}
        checkLocalExport(): void {}
        validateRegExpFlags(): void {}
        validateRegExpPattern(): void {}
      } as typeof Base,
  );
  return (source, options) => Trusting.parse(source, options);
}

/** With V8's code cache, where the compiled library runs. */
function find(): typeof acorn {
  const require = createRequire(import.meta.url);
  try {
    return (loader()?.dependency('acorn') ?? require('acorn')) as typeof acorn;
  } catch (cause) {
    // Node 20 remembers that it could not read the package.json of a package; the file is found
    // without.
    for (const folder of require.resolve.paths('acorn') ?? []) {
      const file = join(folder, 'acorn', 'dist', 'acorn.js');
      if (existsSync(file)) return require(file) as typeof acorn;
    }
    throw cause;
  }
}

const LENIENT: acorn.Options = {
  ecmaVersion: 'latest',
  sourceType: 'script',
  allowSuperOutsideMethod: true,
  allowImportExportEverywhere: true,
  allowReturnOutsideFunction: true,
  allowAwaitOutsideFunction: false,
  checkPrivateFields: false,
};

// A function around the text makes `new.target` legal.
const EXPRESSION = 'function _(){return(';
const MEMBER = 'function _(){return({';
const PRIVATE = 'function _(){return(class{';

/**
 * Parses what `Function.prototype.toString` printed; `null` when it is no source text (native
 * code).
 */
export function parseFunction(text: string): ParsedFunction | null {
  return asExpression(text) ?? asMember(text) ?? asPrivate(text);
}

/** Parses a whole script or module; `null` when it does not parse. */
export function parseProgram(source: string, module: boolean): acorn.Program | null {
  const parse = load();
  try {
    const options: acorn.Options = { ...LENIENT, allowHashBang: true, sourceType: module ? 'module' : 'script' };
    return parse(source, module ? options : { ...options, allowAwaitOutsideFunction: true });
  } catch {
    return null;
  }
}

function expression(before: string, text: string, after: string): acorn.Expression | null {
  const parse = load();
  try {
    const program = parse(`${before}${text}\n${after}`, LENIENT);
    const outer = program.body[0] as acorn.FunctionDeclaration;
    const statement = outer.body.body[0] as acorn.ReturnStatement;
    return program.body.length === 1 ? (statement.argument ?? null) : null;
  } catch {
    return null;
  }
}

function asExpression(text: string): ParsedFunction | null {
  const node = expression(EXPRESSION, text, ')}');
  const offset = EXPRESSION.length;
  switch (node?.type) {
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return { form: 'expression', node, key: null, offset };
    case 'ClassExpression':
      return { form: 'class', node, key: null, offset };
    default:
      return null;
  }
}

function asMember(text: string): ParsedFunction | null {
  const node = expression(MEMBER, text, '})}');
  if (node?.type !== 'ObjectExpression' || node.properties.length !== 1) return null;
  const property = node.properties[0]!;
  if (property.type !== 'Property' || property.value.type !== 'FunctionExpression') return null;
  const offset = MEMBER.length;
  return { form: 'member', node: property.value, key: keyRange(text, property, offset), offset };
}

function asPrivate(text: string): ParsedFunction | null {
  const node = expression(PRIVATE, text, '})}');
  if (node?.type !== 'ClassExpression' || node.body.body.length !== 1) return null;
  const method = node.body.body[0]!;
  if (method.type !== 'MethodDefinition') return null;
  const offset = PRIVATE.length;
  const { start, end } = method.key;
  return {
    form: 'member',
    node: method.value,
    key: { start: start - offset, end: end - offset, replace: true },
    offset,
  };
}

/** A computed key stands in brackets, which belong to what is replaced. */
function keyRange(text: string, property: acorn.Property, offset: number): ParsedFunction['key'] {
  let start = property.key.start - offset;
  let end = property.key.end - offset;
  if (property.computed) {
    // The opening bracket is the last one before the key; the closing one stands before the
    // parameters, which start the value.
    start = text.lastIndexOf('[', start - 1);
    end = text.lastIndexOf(']', property.value.start - offset) + 1;
  }
  return { start, end, replace: property.computed };
}
