/**
 * The warning about what goes by reference although it leads to a shared object, since it cannot go
 * by value.
 */

const warned = new Set<string>();

/** Warns once for each export (`MP_SHARED_IN_MODULE`). */
export function warnAboutShared(specifier: string, name: string): void {
  const which = `\`${name}\` of ${specifier}`;
  if (warned.has(which)) return;
  warned.add(which);
  process.emitWarning(
    `${which} uses a shared object of its module and cannot be sent by value, so each process loads the module and has a shared object of its own; ` +
      'pass the shared object as an argument, or hand it to the module in the `initializer`.',
    { type: 'MultiprocessWarning', code: 'MP_SHARED_IN_MODULE' },
  );
}
