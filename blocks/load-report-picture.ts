/** The load report as a picture: an SVG that is legible on light and on dark. Pure. Its numbers stand in the text too. */
import type { LoadReport } from '../models/types.js';
import { cutTo, duration } from './parts/bars.js';

const SIZE = { width: 960, top: 84, plot: 190, row: 46, margin: 40, foot: 52 };
const INK = { text: '#1d1c1d', faint: '#616061', line: '#dddddd', paper: '#ffffff', bar: '#5b4a9e' };
/** Ends, in the order in which they are stacked. Told apart by lightness too, for those who do not see the hues. */
const ENDS = [
  { key: 'approved', label: 'approved', color: '#2b7a57' },
  { key: 'denied', label: 'denied', color: '#8f1d2c' },
  { key: 'expired', label: 'expired', color: '#e0a526' },
  { key: 'other', label: 'cancelled or open', color: '#c3c3cc' },
] as const;
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const NAME_ROOM = 34;

const escapeXml = (text: string): string =>
  [...text]
    // What XML 1.0 does not take at all is left out: names come from connections, and one must not spoil the picture.
    .filter((character) => /[\t\n\r\u0020-\ud7ff\ue000-\ufffd]|[\u{10000}-\u{10ffff}]/u.test(character))
    .join('')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

interface Words {
  readonly size?: number;
  readonly color?: string;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly bold?: boolean;
}

function words(x: number, y: number, text: string, look: Words = {}): string {
  const { size = 15, color = INK.text, anchor = 'start', bold = false } = look;
  const weight = bold ? ' font-weight="700"' : '';
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${color}" text-anchor="${anchor}"${weight}>${escapeXml(text)}</text>`;
}

const box = (x: number, y: number, width: number, height: number, color: string): string =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="3" fill="${color}"/>`;

/** A column for each day, with its number on top. */
function columns({ days }: LoadReport): string {
  const { width, top, plot, margin } = SIZE;
  const largest = Math.max(1, ...days.map(({ asked }) => asked));
  const step = (width - 2 * margin) / Math.max(1, days.length);
  const drawn = days.map(({ day, asked }, at) => {
    const height = Math.round((asked / largest) * (plot - 30));
    const middle = margin + step * (at + 0.5);
    const weekday = WEEKDAYS[new Date(`${day}T00:00:00Z`).getUTCDay()] ?? '';
    return [
      asked > 0 ? box(middle - 22, top + plot - height, 44, height, INK.bar) : '',
      words(middle, top + plot - height - 8, String(asked), { anchor: 'middle', bold: true }),
      words(middle, top + plot + 20, weekday, { anchor: 'middle', size: 14 }),
      words(middle, top + plot + 37, day.slice(5), { anchor: 'middle', size: 12, color: INK.faint }),
    ].join('');
  });
  const floor = `<path d="M${margin} ${top + plot + 0.5}H${width - margin}" stroke="${INK.line}"/>`;
  return floor + drawn.join('');
}

/** A row for each function: how its requests ended, one after the other, as long as there were requests. */
function rows({ functions }: LoadReport, top: number): string {
  const { width, row, margin } = SIZE;
  const left = margin + 300;
  const room = width - left - margin - 150;
  const largest = Math.max(1, ...functions.map(({ asked }) => asked));
  return functions
    .map((each, at) => {
      const y = top + at * row;
      const { approved, denied, expired, asked, medianMs } = each;
      const counts = { approved, denied, expired, other: asked - approved - denied - expired };
      let x = left;
      const parts = ENDS.map(({ key, color }) => {
        const length = Math.round((counts[key] / largest) * room);
        const part = length > 0 ? box(x, y, length, 22, color) : '';
        x += length;
        return part;
      });
      const median = medianMs === null ? '' : ` · ${duration(medianMs)}`;
      return [
        words(margin, y + 10, cutTo(each.function, NAME_ROOM), { bold: true, size: 14 }),
        words(margin, y + 26, cutTo(each.connectionKey, NAME_ROOM), { size: 12, color: INK.faint }),
        ...parts,
        words(x + 10, y + 16, `${asked}${median}`, { size: 14 }),
      ].join('');
    })
    .join('');
}

function legend(y: number): string {
  let x = SIZE.margin;
  const parts = ENDS.map(({ label, color }) => {
    const part = box(x, y - 11, 13, 13, color) + words(x + 20, y, label, { size: 13, color: INK.faint });
    x += 48 + label.length * 8;
    return part;
  });
  const note = words(SIZE.width - SIZE.margin, y, 'time: median to the decision', {
    size: 13,
    color: INK.faint,
    anchor: 'end',
  });
  return parts.join('') + note;
}

/** @returns an SVG document, 960 units wide */
export function loadReportPicture(report: LoadReport): string {
  const { width, top, plot, row, margin, foot } = SIZE;
  const { totals, functions, from, to } = report;
  const below = top + plot + 78;
  const height = below + functions.length * row + foot;
  const period = `${from.toISOString().slice(0, 10)} to ${to.toISOString().slice(0, 10)}, days in UTC`;
  const title = `${totals.asked} ${totals.asked === 1 ? 'approval request' : 'approval requests'} in seven days`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="DejaVu Sans">`,
    `<rect width="${width}" height="${height}" rx="12" fill="${INK.paper}"/>`,
    words(margin, 42, title, { size: 21, bold: true }),
    words(margin, 64, period, { size: 13, color: INK.faint }),
    columns(report),
    rows(report, below),
    legend(height - 24),
    '</svg>',
  ].join('');
}
