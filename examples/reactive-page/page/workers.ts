/** The chart of the workers. */
import type { WorkersMessage } from '../messages.js';

/** Numbers of the line: a minute of four in a second. */
const LENGTH = 240;
const HEIGHT = 80;
const rates: number[] = [];

export function drawWorkers({ workers, rate, watching, events }: WorkersMessage): void {
  const ready = workers.filter(({ state }) => state === 'ready').length;
  text(
    'summary',
    `${ready} of ${workers.length} are ready. ${watching} ${watching === 1 ? 'page watches' : 'pages watch'}.`,
  );

  // Rows are kept, so that nothing that somebody reads is replaced under them.
  const list = document.getElementById('workers')!;
  while (list.children.length < workers.length) list.append(row());
  while (list.children.length > workers.length) list.lastElementChild!.remove();
  for (const [i, { number, pid, state, busy, done }] of workers.entries()) {
    const [name, meter, count] = list.children[i]!.children as unknown as [HTMLElement, HTMLMeterElement, HTMLElement];
    const percent = Math.round(100 * busy);
    name.textContent = `Worker ${number}, process ${pid}${state === 'ready' ? '' : `, ${state}`}`;
    count.textContent = `${done} tiles`;
    meter.value = busy;
    meter.setAttribute('aria-label', `Worker ${number} is busy for ${percent} % of the time`);
    meter.textContent = `${percent} %`;
  }

  rates.push(rate);
  if (rates.length > LENGTH) rates.shift();
  const most = Math.max(...rates);
  const points = rates.map(
    (value, i) => `${LENGTH - rates.length + i},${HEIGHT - (most === 0 ? 0 : (value / most) * (HEIGHT - 4))}`,
  );
  document.getElementById('line')!.setAttribute('points', points.join(' '));
  text('most', most.toFixed(0));

  document.getElementById('events')!.replaceChildren(
    ...events.map((event) => {
      const item = document.createElement('li');
      item.textContent = event;
      return item;
    }),
  );
}

function row(): HTMLLIElement {
  const item = document.createElement('li');
  const [name, count] = [document.createElement('span'), document.createElement('span')];
  const meter = document.createElement('meter');
  item.append(name, meter, count);
  return item;
}

function text(id: string, content: string): void {
  document.getElementById(id)!.textContent = content;
}
