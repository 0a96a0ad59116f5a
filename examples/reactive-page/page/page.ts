/** The page: one stream of events for the job while there is one, and one for the workers. */
import { type EndMessage, PICTURE, type TileMessage, type WorkersMessage } from '../messages.js';
import { drawWorkers } from './workers.js';

const element = <E extends Element = HTMLElement>(id: string): E => {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as unknown as E;
};
const form = element<HTMLFormElement>('form');
const start = element<HTMLButtonElement>('start');
const cancel = element<HTMLButtonElement>('cancel');
const progress = element<HTMLProgressElement>('progress');
const percent = element<HTMLOutputElement>('percent');
const status = element('status');
const canvas = element<HTMLCanvasElement>('picture');
canvas.width = PICTURE.width;
canvas.height = PICTURE.height;
const context = canvas.getContext('2d')!;
const palette = Array.from({ length: 256 }, (_, n) => colour(n));

/** The job's stream while it runs: closing it cancels the job. */
let job: EventSource | null = null;
/** The last quarter of the way that was spoken of. */
let quarter = 0;

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (job !== null) return;
  const what = new FormData(form);
  const query = new URLSearchParams({ place: String(what.get('place')), detail: String(what.get('detail')) });
  context.clearRect(0, 0, canvas.width, canvas.height);
  quarter = 0;
  show(0);
  job = new EventSource(`/picture?${query}`);
  job.addEventListener('tile', ({ data }) => drawTile(JSON.parse(data as string) as TileMessage));
  job.addEventListener('end', ({ data }) => {
    const { seconds, workers } = JSON.parse(data as string) as EndMessage;
    ended(`Done in ${seconds.toFixed(1)} seconds by ${workers} ${workers === 1 ? 'worker' : 'workers'}.`);
  });
  // A browser would connect again, and so start the job again: that is for people to decide.
  job.addEventListener('error', () => ended('The connection is lost. Start again.'));
  start.disabled = true;
  cancel.disabled = false;
  cancel.focus(); // a control that is off cannot keep the focus
  status.textContent = 'The job has started. Escape cancels it.';
});
cancel.addEventListener('click', () => ended(`Cancelled at ${percent.value}.`));
document.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape' && job !== null) ended(`Cancelled at ${percent.value}.`);
});

function drawTile({ x, y, width, height, pixels, done, total }: TileMessage): void {
  const image = context.createImageData(width, height);
  const numbers = atob(pixels);
  for (let i = 0; i < numbers.length; i++) image.data.set(palette[numbers.charCodeAt(i)]!, 4 * i);
  context.putImageData(image, x, y);
  show(Math.floor((100 * done) / total));
}

function show(value: number): void {
  progress.value = value;
  percent.value = `${value} %`;
  const reached = Math.floor(value / 25);
  if (reached > quarter && value < 100) status.textContent = `${reached * 25} % are drawn.`;
  quarter = reached;
  canvas.setAttribute('aria-label', `The picture: ${value} % of it are drawn`);
}

function ended(how: string): void {
  job?.close();
  job = null;
  const hadFocus = document.activeElement === cancel;
  start.disabled = false;
  cancel.disabled = true;
  if (hadFocus) start.focus();
  status.textContent = how;
}

/** The colour of a number: the set is dark; the others go once around, from blue over white and gold. */
function colour(number: number): readonly [number, number, number, number] {
  if (number === 0) return [11, 13, 26, 255];
  const wave = (phase: number): number => Math.round(128 + 127 * Math.cos(2 * Math.PI * (number / 255 + phase)));
  return [wave(0.55), wave(0.65), wave(0.8), 255];
}

const watching = new EventSource('/workers'); // it connects again by itself
watching.addEventListener('workers', ({ data }) => drawWorkers(JSON.parse(data as string) as WorkersMessage));
watching.addEventListener('error', () => {
  element('summary').textContent = 'The server is away: trying again.';
});
