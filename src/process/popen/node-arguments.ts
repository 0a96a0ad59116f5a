/**
 * Which of this process's Node options a child inherits: loaders and V8 flags, so that TypeScript
 * hooks and memory limits hold there too, but nothing that would open a debugger port, run a test
 * suite or evaluate a script again.
 *
 * Options are recognized as Node does: `--name=value`, `--name value`, and with underscores for
 * dashes.
 */
const DROPPED_OPTIONS =
  /^(-e|-p|-pe|-c|-i|--(inspect|debug-|test|watch|input-type|cpu-prof|heap-prof|prof$|check$|interactive$|eval$|print$|run$|entry-url$|build-snapshot|snapshot-blob|build-sea|experimental-sea-config|expose-internals).*)$/;
/** Of those, the ones that take no value. All others take the next word, unless they hold a `=`. */
const OPTIONS_WITHOUT_VALUE =
  /^(-c|-i|--(inspect(-brk|-wait)?|debug-brk|test(-only|-force-exit|-update-snapshots|-randomize|-coverage-include-all)?|watch(-preserve-output)?|(cpu-|heap-)?prof|check|interactive|entry-url|build-snapshot|expose-internals))$/;

/** Returns the options of `options` that a child process should be started with. */
export function inheritedArguments(options: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < options.length; i++) {
    const option = options[i]!;
    const [word] = option.split('=', 1) as [string];
    const name = word.startsWith('--') ? word.replaceAll('_', '-') : word;
    if (!DROPPED_OPTIONS.test(name)) kept.push(option);
    else if (word === option && !OPTIONS_WITHOUT_VALUE.test(name) && options[i + 1]?.startsWith('-') === false) i++;
  }
  return kept;
}

/**
 * As {@link inheritedArguments} for the text of NODE_OPTIONS, where words are separated by spaces
 * and may hold quoted parts.
 */
export function inheritedNodeOptions(text: string): string {
  const words = text.match(/(?:"(?:[^"\\]|\\.)*"|[^ "])+/gs) ?? [];
  const plain = words.map((word) =>
    word.replace(/"((?:[^"\\]|\\.)*)"/gs, (_, inner: string) => inner.replace(/\\(.)/gs, '$1')),
  );
  return inheritedArguments(plain).map(quoted).join(' ');
}

/** Returns a child's environment: `env`, with the NODE_OPTIONS that it inherits. */
export function inheritedEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const options = env['NODE_OPTIONS'];
  return options === undefined ? { ...env } : { ...env, NODE_OPTIONS: inheritedNodeOptions(options) };
}

function quoted(word: string): string {
  return /[ "\\]/.test(word) ? `"${word.replace(/["\\]/g, '\\$&')}"` : word;
}
