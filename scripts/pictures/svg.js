/** Drawing of SVG pictures: what every picture of docs/pictures looks like. */

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** A text, at the middle of its place. */
export const label = (x, y, text, kind) => `<text class="${kind}" x="${x}" y="${y}">${escaped(text)}</text>`;

/** A box with lines in it, of which the first is its heading. */
export function box([x, y, width, height, kind, lines]) {
  const top = y + height / 2 - ((lines.length - 1) * 17) / 2 + 4;
  return [
    `<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>`,
    ...lines
      .map((text, i) => text && label(x + width / 2, top + i * 17, text, i === 0 ? 'head' : 'small'))
      .filter(Boolean),
  ].join('\n');
}

/** An arrow, with a text at a place of its own. `back` is what flows back. */
export function arrow({ from, to, text, at, back }) {
  const kind = back === true ? 'back' : 'flow';
  const path = `<path class="${kind}" d="M${from.join(' ')}L${to.join(' ')}" marker-end="url(#${kind})"/>`;
  return text === undefined ? path : `${path}\n${label(...at, text, 'small')}`;
}

const tip = (name) =>
  `<marker id="${name}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="tip ${name}" d="M0 0L8 4L0 8z"/></marker>`;

/** A whole picture. `source` is the script that has it. */
export function picture({ source, title, width, height, parts }) {
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">`,
    `<!-- By ${source}: change it there. -->`,
    `<title id="title">${title}</title>`,
    '<style>',
    'text { font: 13px system-ui, sans-serif; text-anchor: middle; fill: #1f2328 }',
    '.head { font-weight: 600 } .small { font-size: 12px } .left { text-anchor: start }',
    'rect { stroke-width: 1.5 } .program { fill: #ddf4ff; stroke: #0969da } .worker { fill: #dafbe1; stroke: #1a7f37 }',
    '.shared { fill: #fff8c5; stroke: #9a6700 } .waiting { fill: #f6f8fa; stroke: #57606a }',
    'path { fill: none; stroke-width: 1.5 } .flow { stroke: #57606a } .back { stroke: #bc4c00; stroke-dasharray: 5 4 }',
    '.tip { stroke: none } .tip.flow { fill: #57606a } .tip.back { fill: #bc4c00 }',
    '.ground { fill: #ffffff; stroke: none }',
    '</style>',
    `<defs>${tip('flow')}${tip('back')}</defs>`,
    `<rect class="ground" width="${width}" height="${height}" rx="10"/>`,
    ...parts,
    '</svg>',
  ].join('\n')}\n`;
}
