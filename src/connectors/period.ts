/** When an event begins and ends, for a card: as moments that each reader sees in her own time zone. Pure. */
import { short } from './fields.js';
import type { CardField } from './framework.js';

const WITH_OFFSET = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/;

/**
 * Lines for start and end. A time without an offset is read in `zone`, where that is an IANA name; days and what cannot
 * be placed stand in one line, as they were given.
 */
export function periodFields(start: string, end: string, zone: string | null | undefined): CardField[] {
  const [from, to] = [placed(start, zone), placed(end, zone)];
  const named = zone ? ` (${zone})` : '';
  if (from === null || to === null) return short('When', `${start} – ${end}${named}`);
  return [
    { label: 'Starts', value: `${from}${named}`, kind: 'time' },
    { label: 'Ends', value: `${to}${named}`, kind: 'time' },
  ];
}

/** The time with its offset; null where it has none and the zone does not tell. */
function placed(text: string, zone: string | null | undefined): string | null {
  if (WITH_OFFSET.test(text)) return text;
  if (!zone || !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(text)) return null;
  const asUtc = Date.parse(`${text}Z`);
  if (Number.isNaN(asUtc)) return null;
  const guess = offsetMinutes(asUtc, zone);
  if (guess === null) return null;
  // Around a change of the clocks the offset at the moment itself counts.
  const offset = offsetMinutes(asUtc - guess * 60_000, zone) ?? guess;
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
  return `${text}${offset < 0 ? '-' : '+'}${two(hours)}:${two(minutes)}`;
}

const two = (count: number): string => String(count).padStart(2, '0');

/** How far the zone is ahead of UTC; null for a name that is none of IANA's. */
function offsetMinutes(at: number, timeZone: string): number | null {
  try {
    const parts = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }).formatToParts(
      at,
    );
    const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, hours, minutes] = /^GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(name) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0));
  } catch {
    return null;
  }
}
