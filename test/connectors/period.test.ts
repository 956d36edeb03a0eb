import { expect, it } from 'vitest';
import { periodFields } from '../../src/connectors/period.js';

const values = (start: string, end: string, zone?: string) =>
  periodFields(start, end, zone).map(({ label, value, kind }) => `${kind} ${label}: ${value}`);

it('times with an offset stay as they were given', () => {
  expect(values('2026-05-01T12:00:00Z', '2026-05-01T13:00:00.500+05:30', 'Asia/Kolkata')).toEqual([
    'time Starts: 2026-05-01T12:00:00Z (Asia/Kolkata)',
    'time Ends: 2026-05-01T13:00:00.500+05:30 (Asia/Kolkata)',
  ]);
});

it('times of a zone get the offset that holds there and then', () => {
  expect(values('2026-03-29T01:30:00', '2026-03-29T03:30:00', 'Europe/Berlin')).toEqual([
    'time Starts: 2026-03-29T01:30:00+01:00 (Europe/Berlin)',
    'time Ends: 2026-03-29T03:30:00+02:00 (Europe/Berlin)',
  ]);
  expect(values('2026-01-05T09:00:00', '2026-07-05T09:00:00', 'America/St_Johns')).toEqual([
    'time Starts: 2026-01-05T09:00:00-03:30 (America/St_Johns)',
    'time Ends: 2026-07-05T09:00:00-02:30 (America/St_Johns)',
  ]);
  expect(values('2026-01-05T09:00', '2026-01-05T10:00', 'UTC')[0]).toBe(
    'time Starts: 2026-01-05T09:00+00:00 (UTC)',
  );
});

it('days, and what cannot be placed, stand in one line', () => {
  expect(values('2026-05-01', '2026-05-02')).toEqual(['short When: 2026-05-01 – 2026-05-02']);
  expect(values('2026-05-01T12:00:00', '2026-05-01T13:00:00')).toEqual([
    'short When: 2026-05-01T12:00:00 – 2026-05-01T13:00:00',
  ]);
  expect(values('2026-05-01T12:00:00', '2026-05-01T13:00:00', 'Pacific Standard Time')).toEqual([
    'short When: 2026-05-01T12:00:00 – 2026-05-01T13:00:00 (Pacific Standard Time)',
  ]);
});
