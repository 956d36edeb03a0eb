/** Google Calendar, of whoever connects it. */
import { z } from 'zod';
import { defineConnector } from '../framework.js';
import { googleAuth, impersonate, impersonateField } from '../google/auth.js';
import { objectsIn, textOf } from '../json.js';
import { CALENDAR_PATH, callCalendar } from './api.js';
import { calendarFunctions } from './calendars.js';
import { changingFunctions } from './changing.js';
import { creatingFunctions } from './creating.js';
import { readingFunctions } from './reading.js';

const functions = [...readingFunctions, ...creatingFunctions, ...changingFunctions, ...calendarFunctions];

export const googleCalendarConnector = defineConnector({
  id: 'google_calendar',
  title: 'Google Calendar',
  description: 'Read, plan and change events in the calendars of a Google account.',
  identities: ['shared', 'private'],
  auth: googleAuth('calendars shared with it, or of the domain, which no single person has to lend'),
  fields: [impersonateField],
  baseUrl: 'https://www.googleapis.com',
  config: z.strictObject({ impersonate }),
  egress: (_config, baseUrl) => [{ origin: new URL(baseUrl).origin, pathPrefix: CALENDAR_PATH }],
  functions: () => functions,
  /** The id of the primary calendar is the account's address. */
  async account(context) {
    const query = { minAccessRole: 'owner', maxResults: '250' };
    const { items } = await callCalendar(context, 'GET', ['users', 'me', 'calendarList'], { query });
    return textOf(objectsIn(items).find(({ primary }) => primary === true)?.id);
  },
  proposedName: () => 'Google Calendar',
});
