/** Processes of child_process.fork with advanced serialization, round robin, one message each way. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('./fork-child.js', import.meta.url));

export function openFork(count) {
  const children = Array.from({ length: count }, () => {
    const child = fork(file, { serialization: 'advanced' });
    const waiting = [];
    child.on('message', (value) => waiting.shift()(value));
    return { child, waiting };
  });
  let next = 0;
  return {
    run(value) {
      const { child, waiting } = children[next];
      next = (next + 1) % count;
      return new Promise((resolve) => {
        waiting.push(resolve);
        child.send(value);
      });
    },
    close: () =>
      Promise.all(
        children.map(({ child }) => {
          const exit = once(child, 'exit');
          child.disconnect();
          return exit;
        }),
      ),
  };
}
