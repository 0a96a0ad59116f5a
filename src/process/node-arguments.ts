/**
 * Which of this process's Node options a child inherits: loaders and V8 flags, so that TypeScript hooks and memory limits
 * hold there too, but nothing that would open a debugger port, run a test suite or evaluate a script again.
 */
const ALONE =
  /^(--inspect|--debug|--test|--watch|--input-type|--cpu-prof|--heap-prof|--prof$|--check|--interactive|--build-snapshot|--expose-internals)/;
const WITH_VALUE = new Set(['-e', '--eval', '-p', '--print', '-pe']);
const SHORT_ALONE = new Set(['-c', '-i']);

/** The options of `options` that a child process should be started with. */
export function inheritedArguments(options: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < options.length; i++) {
    const option = options[i]!;
    if (WITH_VALUE.has(option)) {
      i++;
    } else if (ALONE.test(option)) {
      // `--test-name-pattern x` and its like take their value as the next word.
      const next = options[i + 1];
      if (!option.includes('=') && takesValue(option) && next !== undefined && !next.startsWith('-')) i++;
    } else if (!SHORT_ALONE.has(option)) {
      kept.push(option);
    }
  }
  return kept;
}

function takesValue(option: string): boolean {
  return /^--(test-(name-pattern|skip-pattern|reporter|reporter-destination|concurrency|shard|timeout|isolation)|input-type|watch-path|inspect-port|debug-port|inspect-publish-uid|(cpu|heap)-prof-(dir|name|interval))$/.test(
    option,
  );
}

/** As {@link inheritedArguments} for the text of NODE_OPTIONS. */
export function inheritedNodeOptions(text: string): string {
  // Words may be quoted with double quotes; quoted words are kept as they are.
  const words = text.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  return inheritedArguments(words).join(' ');
}
