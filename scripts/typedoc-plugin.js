/**
 * A typedoc plugin.
 *
 * Modules are called as they are imported: `popen`, not `process/popen/public`.
 *
 * The members that the proxy of a manager's object has by a mapped type (src/managers/remote.ts) get the comments of the object's
 * own: the type's symbols are those of the object, but typedoc looks no further than the mapped type for a comment.
 */
import { Converter, ReflectionKind } from 'typedoc';
import { root, subpaths } from './subpaths.js';

const names = new Map(subpaths().map(({ name, source }) => [`${root}${source}`, name]));

/** @param {import('typedoc').Application} app */
export function load(app) {
  const own = (context, reflection) => context.getSymbolFromReflection(reflection)?.declarations?.[0];
  app.converter.on(Converter.EVENT_CREATE_SIGNATURE, (context, signature) => {
    const declaration = own(context, signature.parent);
    if (declaration?.body !== undefined) signature.comment ??= context.getSignatureComment(declaration);
  });
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    const declaration = own(context, reflection);
    if (reflection.kind === ReflectionKind.Module) reflection.name = names.get(declaration?.fileName) ?? reflection.name;
    if (reflection.kind === ReflectionKind.Property && declaration?.body !== undefined) {
      reflection.comment ??= context.getNodeComment(declaration, false);
    }
  });
}
