/**
 * A typedoc plugin.
 *
 * Modules are called as they are imported: `multiprocess/popen`, not `process/popen/public`. Documents are called and grouped as
 * the index of guides has them.
 *
 * What a module exports is in the category of the section of its entry file (scripts/sections.js).
 *
 * What a program can call or construct has an example: classes, functions, and constants that hold one. What only types name
 * (`export type` of a class included) and plain constants need none, and an overloaded function needs one.
 *
 * The members that the proxy of a manager's object has by a mapped type (src/managers/remote.ts) get the comments of the object's
 * own: the type's symbols are those of the object, but typedoc looks no further than the mapped type for a comment.
 */
import { Comment, CommentTag, Converter, ReflectionKind } from 'typedoc';
import { guides } from './guides.js';
import { sectionsOf } from './sections.js';
import { root, subpaths } from './subpaths.js';

const modules = new Map(subpaths().map(({ specifier, source }) => [`${root}${source}`, specifier]));
const sources = new Map(subpaths().map(({ specifier, source }) => [specifier, source]));
const documents = new Map(guides().map(({ file, title, section }) => [`${root}${file}`, { title, section }]));
documents.set(`${root}docs/guides/README.md`, { title: 'Guides', section: guides()[0].section });

/** Notes what section of its module something is in: typedoc reads that from a function's signatures, from a comment otherwise. */
function categorize(reflection, section) {
  const tag = new CommentTag('@category', [{ kind: 'text', text: section }]);
  for (const { comment } of reflection.signatures ?? []) comment?.blockTags.push(tag);
  if (reflection.signatures !== undefined) return;
  reflection.comment ??= new Comment();
  reflection.comment.blockTags.push(tag);
}

const hasExample = ({ comment, signatures = [] }) =>
  [comment, ...signatures.map((signature) => signature.comment)].some((each) => each?.getTag('@example') !== undefined);

/** @param {import('typedoc').Application} app */
export function load(app) {
  /** Constants that hold a function or a class. */
  const callable = new Set();
  const needsExample = (reflection) =>
    reflection.kindOf([ReflectionKind.Class, ReflectionKind.Function]) || callable.has(reflection);
  const own = (context, reflection) => context.getSymbolFromReflection(reflection)?.declarations?.[0];
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => {
    const { title, section } = documents.get(document.project.files.getReflectionPath(document));
    document.name = title;
    document.frontmatter.category = section;
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
      categorize(module, 'Modules');
      const sections = [...sectionsOf(sources.get(module.name))];
      for (const child of sections.length === 0 ? [] : module.children) {
        const [section] =
          sections.find(([, names]) => names.includes(child.name)) ?? sections.find(([, [all]]) => all === '*') ?? [];
        if (section === undefined) app.logger.error(`${module.name}: ${child.name} is in no section of its entry file`);
        else categorize(child, section);
      }
    }
  });
  // After what `{@inheritDoc}` brings.
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
      for (const child of module.children) {
        // An interface of the same name documents what the constant makes.
        const merged = module.children.filter(({ name }) => name === child.name);
        if (needsExample(child) && !merged.some(hasExample))
          app.logger.error(`${module.name}: ${child.name} has no @example`);
      }
    }
  });
  app.converter.on(Converter.EVENT_CREATE_SIGNATURE, (context, signature) => {
    const declaration = own(context, signature.parent);
    if (declaration?.body !== undefined) signature.comment ??= context.getSignatureComment(declaration);
  });
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    const declaration = own(context, reflection);
    if (reflection.kind === ReflectionKind.Variable) {
      const type = context.checker.getTypeOfSymbol(context.getSymbolFromReflection(reflection));
      if (type.getCallSignatures().length + type.getConstructSignatures().length > 0) callable.add(reflection);
    }
    if (reflection.kind === ReflectionKind.Module)
      reflection.name = modules.get(declaration?.fileName) ?? reflection.name;
    if (reflection.kind === ReflectionKind.Property && declaration?.body !== undefined) {
      reflection.comment ??= context.getNodeComment(declaration, false);
    }
  });
}
