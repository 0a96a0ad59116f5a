/** How a value names a module, and what it means of it. */

/** A module that a payload needs: `specifier` as written, resolved from `parent`. */
export interface ModuleRequest {
  /** As written in the import. */
  readonly specifier: string;
  /** file: URL of the importing module, or `null` when the specifier is absolute or a builtin. */
  readonly parent: string | null;
  /**
   * Whether `require` loaded it where it was found: then `specifier` is a file: URL, and `require`
   * loads it again.
   */
  readonly commonjs?: true;
  /** Import attributes, such as `{ type: 'json' }`. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/**
 * An export of a module: `['*']` is the namespace, `['default', 'name']` a property of the default
 * export. Of a CommonJS module the path begins at its exports, `[]` is these, and `['*']` what
 * `import * as name` is compiled to.
 */
export interface ModuleExport extends ModuleRequest {
  readonly path: readonly string[];
}

/** A reference as a node. With `keys`: a namespace, of which these members are the children. */
export interface ModuleData extends ModuleExport {
  readonly keys?: readonly string[];
}
