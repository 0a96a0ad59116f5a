/** Every reason why a function cannot be sent or rebuilt: who, what, and the repair. */
import type { SerializationError } from '../errors/index.js';
import { refuse } from '../errors/refuse.js';
import { otherHost } from '../util/host.js';

/** `this` of a surrounding function inside an arrow, and the members that are read of it. */
export function outerThis(actor: string, members: readonly string[] | null, isDebugged = false): SerializationError {
  return refuse(
    'MP_OUTER_THIS',
    `${actor} uses the \`this\` of the function around it, which cannot be read ${isDebugged ? 'while a debugger may be attached (--inspect)' : 'here'}`,
    takeOut(members) ?? 'store it in a constant first (`const self = this`) and use that',
  );
}

/**
 * What to do when of an outer `this` no more than these members is needed, and it cannot be sent
 * itself.
 */
export function takeOut(members: readonly string[] | null): string | undefined {
  if (members === null || members.length === 0) return undefined;
  return `take what it needs out first (\`const { ${members.join(', ')} } = this\`) and use that`;
}

/** `this` of an instance inside an arrow that is one of its fields, without the instance. */
export function fieldThis(actor: string, name: string, isDebugged = false): SerializationError {
  return refuse(
    'MP_OUTER_THIS',
    `${actor} is a field of an instance and uses its \`this\`, which ${isDebugged ? 'cannot be read while a debugger may be attached (--inspect)' : 'an arrow by itself does not show'}`,
    `send the instance and call it there (\`(item) => instance.${name}(item)\`), or make it a method`,
  );
}

/** The own name of a function expression around. */
export function enclosingName(actor: string, name: string): SerializationError {
  return refuse(
    'MP_ENCLOSING_NAME',
    `${actor} uses \`${name}\`, the name of the function expression around it, which cannot be read from outside`,
    `make the name that of a constant (\`const ${name} = function (…) { … }\`), which leaves the function itself without one`,
    { path: `captured \`${name}\` <- ${actor}` },
  );
}

/** A field of instances whose name cannot be had. */
export function computedField(actor: string, key: string): SerializationError {
  return refuse(
    'MP_COMPUTED_FIELD',
    `${actor} has a field whose name was computed when the class was made (\`[${key}]\`), and only its instances know that name`,
    'set it in the constructor (`this[name] = …`, with the name in a constant), or import the class from a module of its own',
  );
}

/** `new.target` of a surrounding function inside an arrow. */
export function outerNewTarget(actor: string): SerializationError {
  return refuse(
    'MP_NEW_TARGET',
    `${actor} uses the \`new.target\` of the function around it`,
    'store it in a constant first and use that',
  );
}

/** `super` in a method sent on its own. */
export function outerSuper(actor: string): SerializationError {
  return refuse(
    'MP_SUPER',
    `${actor} uses \`super\`, and a method on its own does not know its home object`,
    'send the class or an instance, or call `Base.prototype.method.call(this)`',
  );
}

/** `#name` of a class around. */
export function privateName(actor: string, name: string, arrow: boolean): SerializationError {
  return refuse(
    'MP_PRIVATE_NAME',
    `${actor} uses the private name #${name} of a class around it, which no code outside that class can use`,
    arrow
      ? `read it first (\`const ${name} = this.#${name}\`) and use that`
      : 'send the class and make an instance inside the function, or hand what it needs to a function of your own',
  );
}

/** An `import()` that a bundler took for itself. */
export function bundledImport(actor: string, name: string): SerializationError {
  return refuse(
    'MP_BUNDLED_IMPORT',
    `${actor} has an \`import()\` that webpack or rspack compiled to \`${name}\`, which holds all modules of the bundle`,
    'write `import(/* webpackIgnore: true */ …)`, which leaves it to Node, or import the module at the top of the file',
    { path: `captured \`${name}\` <- ${actor}` },
  );
}

/** What to do where the loader of a bundler cannot be sent. */
export const IGNORE_BUNDLER =
  'keep the bundler out of it (`import(/* webpackIgnore: true */ …)`, or `externals`), or load the module outside and capture what it exports';

/** More code by value than a message may take. */
export function tooManyFunctions(actor: string, count: number): SerializationError {
  return refuse(
    'MP_TOO_MANY_FUNCTIONS',
    `${actor} is one of more than ${count} functions that would have to be copied, as of a package that is bundled into the program`,
    'import the package inside the function (`await import(…)`), or keep it out of the bundle (`external`)',
  );
}

/** Direct `eval`. */
export function directEval(actor: string): SerializationError {
  return refuse(
    'MP_DIRECT_EVAL',
    `${actor} calls \`eval\` directly, so the names it needs cannot be known`,
    'use `(0, eval)(…)` or `new Function(…)`, which see only globals',
  );
}

/** A captured binding in its temporal dead zone. */
export function uninitialised(actor: string, name: string, cause: unknown): SerializationError {
  return refuse(
    'MP_UNINITIALISED',
    `${actor} captures \`${name}\`, which has no value yet`,
    `send the function after the line that declares \`${name}\` has run`,
    { path: `captured \`${name}\` <- ${actor}`, cause },
  );
}

/** CommonJS `module` and `exports`. */
export function commonJsModule(actor: string, name: string): SerializationError {
  return refuse(
    'MP_COMMONJS_MODULE',
    `${actor} uses the CommonJS variable \`${name}\`, which belongs to its own module`,
    `give what it needs a name of its own (\`const value = ${name}.value\`) and use that`,
    { path: `captured \`${name}\` <- ${actor}` },
  );
}

/** Native code that no name leads to. */
export function nativeFunction(actor: string): SerializationError {
  return refuse(
    'MP_NATIVE_FUNCTION',
    `${actor} is native code that no global and no module export leads to (a promise's resolver, a method of an addon, …)`,
    'return its arguments and call it here with the result, or obtain it inside the function',
  );
}

/** The text of the function does not parse. */
export function unreadable(actor: string): SerializationError {
  return refuse(
    'MP_UNREADABLE_FUNCTION',
    `${actor} has source text that does not parse`,
    'move it into a module and export it from there',
  );
}

/** No inspector: the permission model, a build without it, another runtime. */
export function inspectorUnavailable(actor: string, cause: unknown): SerializationError {
  const host = otherHost();
  return refuse(
    'MP_INSPECTOR_UNAVAILABLE',
    `${actor} captures names, and reading them needs Node's inspector, which ${host === null ? 'is not available here' : `${host} does not have`}`,
    `${host === null ? 'start Node with --allow-inspector (where the permission model is on), or ' : ''}name the captures yourself: task({ name }, ({ name }, item) => …)`,
    { cause },
  );
}

/** A function given to `task` captures something. */
export function taskCaptures(actor: string, names: readonly string[]): SerializationError {
  return refuse(
    'MP_TASK_CAPTURES',
    `${actor} was given to task() but uses ${names.map((name) => `\`${name}\``).join(', ')} from outside`,
    'pass what it needs in the captures object',
  );
}

/** Bytes that are no function of ours. */
export function badPayload(what: string): SerializationError {
  return refuse('MP_BAD_PAYLOAD', `The payload is damaged or comes from another version: ${what}.`, '');
}
