/** The day on which somebody is back, at her own place. */
import { expect, it } from 'vitest';
import { endOfDay } from '../../src/services/delegations.js';

it.each([
  ['2026-05-04', 'UTC', '2026-05-05T00:00:00.000Z'],
  ['2026-05-04', 'Europe/Madrid', '2026-05-04T22:00:00.000Z'],
  ['2026-05-04', 'Asia/Tokyo', '2026-05-04T15:00:00.000Z'],
  // The clocks change in the night before and in the night after.
  ['2026-03-28', 'Europe/Madrid', '2026-03-28T23:00:00.000Z'],
  ['2026-03-29', 'Europe/Madrid', '2026-03-29T22:00:00.000Z'],
  ['2026-10-24', 'Europe/Madrid', '2026-10-24T22:00:00.000Z'],
  ['2026-10-25', 'Europe/Madrid', '2026-10-25T23:00:00.000Z'],
  ['2026-12-31', 'America/New_York', '2027-01-01T05:00:00.000Z'],
])('%s in %s ends at %s', (day, zone, end) => {
  expect(endOfDay(day, zone)?.toISOString()).toBe(end);
});

it.each(['', 'tomorrow', '2026-13-01', '2026-5-4'])('%j is no day', (day) => {
  expect(endOfDay(day, 'UTC')).toBeNull();
});
